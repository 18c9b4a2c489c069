"""What a request and a refresh need: the figures that `clicklake cost` counts with.

    python -m tests.benchmarks.cost [--lakes 10000 100000 500000] [--check 2000000]
        [--output clicklake/cost/measured.json]

Requests: two days of the simulated shop through the real handler. Refreshes: each is a run of the job in a process
and a JVM of its own, from process start to end, through an emulator that counts what it is asked. For each size of
lake: all its events at once, from packed objects, then a day more, as the requests of browsers bring it. With --check
the job also runs on so many events of tests.benchmarks.refresh, to hold the line through the others against; without it
the check that was measured last stays, with its date.
"""

import argparse
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from statistics import linear_regression
from typing import Any
from urllib.request import urlopen

from clicklake.cost.refresh_time import measured
from clicklake.local.places import ROOT
from clicklake.local.twin import shop_event
from clicklake.shop import simulate
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients
from tests.benchmarks.refresh import Measured, RawFolder, end_session, make_lines, measure, put_raw, write_raw

LAKES = (10_000, 100_000, 500_000)
PACKED_LINES = 10_000
DAY_EVENTS, DAY_LINES = 5_760, 10
COUNTS_PATH = "/benchmark-counts"


# --- an emulator that counts


def serve() -> None:
    """Prints its port, then serves until its input ends."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from clicklake.local.emulator_server import RequestHandler, keep_table_versions, remember_moto_modules
    from clicklake.local.http_server import HttpServer

    keep_table_versions()
    remember_moto_modules()
    emulated, counts, lock = DomainDispatcherApplication(create_backend_app), Counter(), threading.Lock()

    def counted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == COUNTS_PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(counts).encode()]
        with lock:
            counts[billed_as(environ)] += 1
        return emulated(environ, start_response)

    server = HttpServer(counted, 0, "the emulator", RequestHandler)
    server.start()
    print(server.port, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


def billed_as(environ: dict[str, Any]) -> str:
    """How AWS bills the request: s3_puts (PUT, POST, LIST), s3_gets (GET, HEAD), s3_deletes (free), catalog."""
    if environ.get("HTTP_X_AMZ_TARGET", "").startswith("AWSGlue."):
        return "catalog"
    method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
    if method == "DELETE" or (method == "POST" and "delete" in query.split("&")):
        return "s3_deletes"
    is_list = method == "GET" and ("list-type=" in query or "prefix=" in query)
    return "s3_puts" if method in ("PUT", "POST") or is_list else "s3_gets"


@contextmanager
def counting_emulator() -> Iterator[Any]:
    from clicklake.local.emulator import Emulator

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.cost", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator"},
        start_new_session=True,
    )
    try:
        yield Emulator(process, int(process.stdout.readline()))
    finally:
        end_session(process)


def counts_of(emulator: Any) -> Counter[str]:
    with urlopen(f"{emulator.endpoint_url}{COUNTS_PATH}") as answer:
        return Counter(json.load(answer))


# --- requests


def measure_requests(days: int = 2) -> dict[str, float]:
    """Bytes of what a request leaves behind. An object's are a constant and so much an event, by linear regression."""
    s3, logs, answers = _MemoryS3(), [], 0
    settings = Settings("lake", hash_keys="1:" + "0f" * 32, allowed_origins=("https://shop.example",))
    now = [0.0]
    handle = make_handler(settings, Clients(s3, None), clock=lambda: now[0], write_log=logs.append)
    until = datetime(2026, 9, 10, tzinfo=timezone.utc)
    for number, request in enumerate(simulate("shop", 7, days, until=until)):
        now[0] = request.received_at_ms / 1000
        answers += len(handle(shop_event(request, str(number)), None)["body"])
    texts = [gzip.decompress(body) for body in s3.bodies]
    lines = [text.count(b"\n") for text in texts]
    size = linear_regression(lines, [len(body) for body in s3.bodies])
    return {
        "requests": len(logs),
        "events": sum(lines),
        "object_bytes": round(size.intercept, 1),
        "object_bytes_per_event": round(size.slope, 1),
        "line_bytes": round(sum(map(len, texts)) / sum(lines), 1),
        "log_line_bytes": round(sum(map(len, logs)) / len(logs), 1),
        "answer_bytes": round(answers / len(logs), 1),
    }


class _MemoryS3:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def put_object(self, *, Body: bytes, **_: Any) -> None:
        self.bodies.append(Body)


# --- refreshes


def write_lines(folder: Path, lines: Iterator[tuple[str, int, str]], lines_an_object: int, at: datetime | None) -> None:
    """Objects of `lines_an_object`, put when their lines were sent, or all in the hour of `at`."""
    raw = RawFolder(folder)
    while batch := list(islice(lines, lines_an_object)):
        put_ms = int(at.timestamp() * 1000) if at else max(received for _, received, _ in batch)
        raw.add([line for line, _, _ in batch], put_ms, raw.objects)


def run_point(emulator: Any, lake: Any, folder: Path, lake_events: int, threads: int, memory: str) -> dict[str, Any]:
    put_raw(emulator.client("s3"), lake.bucket, folder)
    before, bytes_before = counts_of(emulator), results_bytes(emulator, lake)
    taken = measure("spark", folder, threads, memory, lake.environment(), emulator._process.pid)
    spent = counts_of(emulator) - before
    point = point_of(lake_events, taken, spent, results_bytes(emulator, lake) - bytes_before)
    print(json.dumps(point), flush=True)
    return point


def point_of(lake_events: int, taken: Measured, spent: Counter[str], written_bytes: int) -> dict[str, Any]:
    """A run as it stands in measured.json."""
    report = taken.report
    return {
        "lake_events": lake_events,
        "events": report["lines_stored"],
        "objects": report["objects"],
        "seconds": round(taken.seconds, 1),
        "job_seconds": round(report["seconds"], 1),
        "cpu_seconds": round(taken.all_cpu, 1),
        "emulator_cpu_seconds": round(taken.cpu.get("emulator", 0), 1),
        "unused_core_seconds": round(taken.unused, 1),
        **{kind: spent[kind] for kind in ("s3_puts", "s3_gets", "s3_deletes", "catalog")},
        "raw_bytes": report["bytes"],
        "shuffle_bytes": report["shuffle_bytes"],
        "results_bytes": written_bytes,
    }


def results_bytes(emulator: Any, lake: Any) -> int:
    pages = emulator.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="results/")
    return sum(item["Size"] for page in pages for item in page.get("Contents", []))


def run(lakes: list[int], threads: int, memory: str) -> list[dict[str, Any]]:
    points = []
    for size in lakes:
        with tempfile.TemporaryDirectory(prefix="clicklake-cost-") as name, counting_emulator() as emulator:
            lake = emulator.create_lake()
            lines = make_lines(random.Random(7), size + DAY_EVENTS)
            for step, events in (("first", size), ("day", DAY_EVENTS)):
                folder = Path(name) / step
                folder.mkdir()
                is_day = step == "day"
                at = datetime.now(timezone.utc) - timedelta(seconds=5) if is_day else None
                write_lines(folder, islice(lines, events), DAY_LINES if is_day else PACKED_LINES, at)
                points.append(run_point(emulator, lake, folder, size if is_day else 0, threads, memory))
    return points


def measure_check(events: int, threads: int, memory: str) -> dict[str, Any]:
    """The job's side of tests.benchmarks.refresh."""
    with tempfile.TemporaryDirectory(prefix="clicklake-cost-") as name, counting_emulator() as emulator:
        folder, lake = Path(name), emulator.create_lake()
        write_raw(folder, events)
        put_raw(emulator.client("s3"), lake.bucket, folder)
        return check_of(measure("spark", folder, threads, memory, lake.environment(), emulator._process.pid))


def check_of(taken: Measured) -> dict[str, Any]:
    return {
        "measured_on": time.strftime("%Y-%m-%d"),
        "how": "python -m tests.benchmarks.refresh",
        "events": taken.report["lines_stored"],
        "cpu_seconds": round(taken.all_cpu),
    }


def record_of(
    threads: int, memory: str, ingest: dict[str, float], refreshes: list[dict[str, Any]], check: dict[str, Any]
) -> dict[str, Any]:
    """All that measured.json holds."""
    return {
        "measured_on": time.strftime("%Y-%m-%d"),
        "how": f"python -m tests.benchmarks.cost, {threads} threads, {memory} heap, a cold JVM a run",
        "ingest": ingest,
        "check": check,
        "refreshes": refreshes,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lakes", type=int, nargs="+", default=list(LAKES), help="events of each lake")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--memory", default="6g", help="the JVM's heap")
    arguments.add_argument("--check", type=int, metavar="EVENTS", help="measure the check anew, on so many events")
    arguments.add_argument("--output", type=Path, help="where to write the points")
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        serve()
        return
    ingest = measure_requests()
    print(json.dumps(ingest), flush=True)
    refreshes = run(chosen.lakes, chosen.threads, chosen.memory)
    check = measure_check(chosen.check, chosen.threads, chosen.memory) if chosen.check else measured()["check"]
    print(json.dumps(check), flush=True)
    record = record_of(chosen.threads, chosen.memory, ingest, refreshes, check)
    if chosen.output:
        chosen.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
