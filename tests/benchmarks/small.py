"""A small refresh on a laptop: in a process of its own, then one after the other in a JVM that stays.

    python -m tests.benchmarks.small [--events 10000] [--runs 8] [--requests]

The processes are those of `clicklake refresh` and of `clicklake up`, against the emulator; each run reads one new
object. Told are the seconds of each run, a process's first from its start, and whose CPU time they were: planning is
the threads that Python calls, with Spark's scheduler and listeners; tasks are the executor's; Iceberg is its own
pools. With --requests a proxy counts what S3 and Glue are asked, and the seconds are the proxy's as well.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from clicklake.local import emulator
from clicklake.local.job_process import running_job
from clicklake.paths import raw_key, read_raw_key
from tests.benchmarks.refresh import SHOP_HOST, pids, read_stat, write_raw
from tests.faults.proxy import Proxy

KINDS = {
    "Executor task": "tasks",
    "C1 Compiler": "compilers",
    "C2 Compiler": "compilers",
    "VM Thread": "garbage collector",
    "GC Thread": "garbage collector",
    "iceberg-": "Iceberg",
}
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: int) -> Counter[str]:
    """CPU seconds so far of the job's Python process and of its JVM, by KINDS; what is none of them is planning."""
    seconds: Counter[str] = Counter()
    for pid in pids():
        stat = read_stat(pid)
        if stat is None or stat.group != process:
            continue
        if stat.name != "java":
            seconds["Python"] += stat.cpu_ticks / TICKS
            continue
        rest = stat.cpu_ticks
        for thread in pids(f"/proc/{pid}/task"):
            its = read_stat(thread, f"/proc/{pid}/task")
            kind = its and next((kind for name, kind in KINDS.items() if its.name.startswith(name)), None)
            if kind:
                seconds[kind] += its.cpu_ticks / TICKS
                rest -= its.cpu_ticks
        seconds["planning"] += rest / TICKS
    return seconds


def bodies(events: int, runs: int) -> Iterator[tuple[int, bytes]]:
    """The lines and the gzipped body of `runs` objects, each of some `events` events later than the one before."""
    with tempfile.TemporaryDirectory() as name:
        write_raw(Path(name), events * runs, lines_an_object=events)
        for path in sorted(Path(name).rglob("*.gz"), key=lambda path: path.name)[:runs]:
            yield read_raw_key(path.name).lines, path.read_bytes()


def put(s3: Any, bucket: str, number: int, lines: int, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key=raw_key(f"{number:032x}", lines, datetime.now(timezone.utc)), Body=body)


def run(events: int, runs: int, is_counted: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, emulator.running() as server, ExitStack() as stack:
        lake, s3 = server.create_lake(), server.client("s3")
        proxy = stack.enter_context(Proxy(lake.endpoint_url).serving()) if is_counted else None
        if proxy:
            lake = replace(lake, endpoint_url=proxy.url)
        arguments = ["--lake_bucket", lake.bucket, "--database", lake.database, "--shop_hosts", SHOP_HOST]
        objects = list(enumerate(bodies(events, runs)))
        for stays, its in ((False, objects[:1]), (True, objects[1:])):
            before: Counter[str] = Counter()
            kind = "first of a JVM that stays" if stays else "a process of its own"
            started = time.monotonic()
            with running_job(lake, Path(folder) / "job.log", stays) as job:
                for number, (lines, body) in its:
                    put(s3, lake.bucket, number, lines, body)
                    report = job.run(arguments)
                    seconds = time.monotonic() - started
                    now = cpu_seconds(job.pid)
                    spent = ", ".join(f"{whose} {cpu:.1f}" for whose, cpu in (now - before).most_common())
                    print(f"{kind}: {seconds:5.1f} s for {report['lines']:,} lines  (CPU: {spent})", flush=True)
                    before, kind = now, "warm"
                    if proxy:
                        asked = Counter(request.operation for request in proxy.seen)
                        told = ", ".join(f"{name} {count}" for name, count in asked.most_common())
                        print(f"      {asked.total():,} requests: {told}", flush=True)
                        proxy.clear()
                    started = time.monotonic()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=10_000)
    arguments.add_argument("--runs", type=int, default=8)
    arguments.add_argument("--requests", action="store_true", help="count what S3 and Glue are asked")
    chosen = arguments.parse_args()
    run(chosen.events, chosen.runs, chosen.requests)


if __name__ == "__main__":
    main()
