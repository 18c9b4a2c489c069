"""Ingest, request bytes to object bytes with everything inside: events a second of one core's CPU time.

    python -m tests.benchmarks.ingest [--requests 1000] [--against DIR] [--profile] [--emulator]

S3 is a no-op here, so that the figure is the function's own; --emulator sends some requests through a real
(emulated) S3 beside it. Four loads: bodies of 1 and of 20 events as the SDK sends them (every id is new, in
every round; pages, products and browsers repeat as a shop's do), the simulated shop's own requests, and the
plain profile's, in the older flat form and without ids. The first round warms up; a new process's first
request is measured by itself.

A core that is shared or throttled gives a figure of its own in every run. So --against measures another
checkout (say, of the commit before) on the same requests, a round here and a round there in turn, and
prints the ratio. The split by stage is this checkout's, from the steps by themselves.
"""

import argparse
import base64
import cProfile
import gzip
import json
import math
import pickle
import pstats
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from clicklake.local import emulator
from clicklake.shop import ORIGIN, Edge, simulate
from lambdas.ingest.handler import Handler, make_handler
from lambdas.ingest.settings import SEARCH_PARAMETERS, Settings
from lambdas.ingest.store import Clients

ROOT = Path(__file__).resolve().parents[2]

RECEIVED_AT = 1_777_636_802_000
AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 "
    "Safari/537.36"
    for major in range(100, 140)
]
TYPES = [
    "page_view",
    "page_ping",
    "page_ping",
    "click",
    "view_item_list",
    "view_item",
    "add_to_cart",
    "page_leave",
]


class NoStore:
    """Takes every object, and writes none."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def put_object(self, **request: Any) -> None:
        self.bodies.append(request["Body"])


def make_batch(chance: random.Random, size: int) -> bytes:
    """One visitor's events, as the SDK sends them: some pages, each with several events."""
    visitor, session = f"{chance.getrandbits(128):032x}", f"{chance.getrandbits(64):016x}"
    at = RECEIVED_AT - 60_000
    events = []
    for number in range(size):
        if number % 5 == 0:
            product, page_view = chance.randrange(2000), f"{chance.getrandbits(64):016x}"
            campaign = f"?utm_source=news&utm_campaign=c{chance.randrange(20)}" if number == 0 else ""
        at += chance.randrange(200, 5000)
        event_type = TYPES[number % len(TYPES)] if size > 1 else "view_item"
        event: dict[str, Any] = {
            "event_id": f"{chance.getrandbits(128):032x}",
            "event_type": event_type,
            "ts": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z",
            "anonymous_id": visitor,
            "session_id": session,
            "page_view_id": page_view,
            "page_url": f"https://shop.example/products/item-{product}{campaign}",
            "page_title": f"Product {product} | The Computer Shop",
            "referrer": "https://www.google.com/",
            "device": {"type": "desktop"},
            "consent": {"analytics": "granted", "marketing": "granted"},
            "sdk": "clicklake-js/1.0.0",
            "contract_version": 1,
            "props": {"page_kind": "product", "engaged_ms": chance.randrange(60_000), "scroll_pct": 40},
        }
        if event_type in ("view_item", "add_to_cart"):
            event["items"] = [
                {"product_id": f"sku-{product}", "name": f"Product {product}", "category": "keyboards",
                 "price": product + 0.99, "qty": 1}
            ]  # fmt: skip
            event["currency"] = "EUR"
        events.append(event)
    return json.dumps({"sent_at": "2026-05-01T12:00:01.500Z", "events": events}, separators=(",", ":")).encode()


def make_request(body: bytes, agent: str, number: int) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /v1/events",
        "rawPath": "/v1/events",
        "headers": {
            "content-type": "application/json",
            "origin": "https://shop.example",
            "user-agent": agent,
            "x-clicklake-edge-secret": "secret",
            "cloudfront-viewer-country": "DE",
            "cloudfront-viewer-city": "Berlin",
        },
        "requestContext": {
            "http": {"method": "POST", "path": "/v1/events", "userAgent": agent},
            "requestId": f"request-{number}",
            "timeEpoch": RECEIVED_AT,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def make_requests(count: int, size: int) -> list[dict[str, Any]]:
    chance = random.Random(size)
    return [make_request(make_batch(chance, size), chance.choice(AGENTS), number) for number in range(count)]


def simulated_requests(profile: str, count: int) -> list[dict[str, Any]]:
    """The first requests of the simulated shop, as the gateway hands them over."""
    until = datetime(2026, 5, 1, tzinfo=timezone.utc)
    made = simulate(profile, days=60, until=until, edge=Edge(secret="secret"))
    return [_from_gateway(request, number) for number, request in enumerate(islice(made, count))]


def _from_gateway(request: Any, number: int) -> dict[str, Any]:
    is_text = request.headers["content-type"].startswith(("application/json", "text/"))
    context: dict[str, Any] = {
        "http": {"method": "POST", "path": request.path, "userAgent": request.headers.get("user-agent", "")},
        "requestId": f"request-{number}",
        "timeEpoch": request.received_at_ms,
    }
    if request.user is not None:
        context["authorizer"] = {"jwt": {"claims": {"sub": request.user}}}
    return {
        "version": "2.0",
        "routeKey": f"POST {request.path}",
        "rawPath": request.path,
        "headers": dict(request.headers),
        "requestContext": context,
        "body": (request.body if is_text else base64.b64encode(request.body)).decode("utf-8", "surrogateescape"),
        "isBase64Encoded": not is_text,
    }


def handler_for(s3: Any, bucket: str = "lake", is_flat: bool = False) -> Handler:
    settings = Settings(
        lake_bucket=bucket,
        hash_keys="1:" + "0f" * 32,
        edge_secret="secret",
        allowed_origins=("https://shop.example",),
        accept_flat=is_flat,
        collect_user_age=is_flat,
    )
    return make_handler(settings, Clients(s3, None), write_log=len)


@dataclass(frozen=True)
class Load:
    """Requests to measure with, other ones in every round, so that no id is met twice. They are pickled: another
    checkout is measured with the very same."""

    name: str
    rounds: list[list[dict[str, Any]]]
    is_flat: bool = False


def make_loads(requests: int, rounds: int) -> list[Load]:
    def cut(sent: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        return [sent[start : start + requests] for start in range(0, len(sent), requests)]

    # One more to warm up.
    count = requests * (rounds + 1)
    return [
        Load("1 event a body", cut(make_requests(count, 1))),
        Load("20 events a body", cut(make_requests(count, 20))),
        Load("simulated shop", cut(simulated_requests("shop", count))),
        Load("plain, flat form", cut(simulated_requests("plain", count)), is_flat=True),
    ]


def cpu_seconds(handle: Handler, requests: list[dict[str, Any]]) -> float:
    started = time.process_time()
    for request in requests:
        answer = handle(request, None)
        # A simulated tag's rubbish is answered with 400, and is part of the work.
        assert answer["statusCode"] in (202, 400), answer
    return time.process_time() - started


def stages(load: Load) -> dict[str, float]:
    """Microseconds an event by stage, each one's quickest round: a step over all requests, then the next.

    One step repeated has the caches for itself, so the sum is less than a request takes in all.
    """
    # Here, because another checkout, whose worker this file is too, may not have them.
    from clicklake.contract.reasons import Refusal
    from clicklake.contract.usual import read_events
    from clicklake.paths import raw_key
    from lambdas.ingest.answers import accepted
    from lambdas.ingest.identity import HashKeys, ingest_id
    from lambdas.ingest.lines import Batch, Rules, accepted_lines, encode_lines, rejected_line
    from lambdas.ingest.log import Told, log_line
    from lambdas.ingest.recent import RecentIds
    from lambdas.ingest.store import compress
    from lambdas.ingest.unpack import Body, read_body, read_call
    from lambdas.ingest.viewer import read_viewer

    keys = HashKeys.parse("1:" + "0f" * 32)
    rules = Rules(keys, frozenset(SEARCH_PARAMETERS), "denied", load.is_flat, load.is_flat)
    origins, midnight = frozenset({ORIGIN}), datetime.fromtimestamp(0, timezone.utc)
    recent = RecentIds()

    def receive(request: dict[str, Any]) -> tuple[Batch, Any]:
        call = read_call(request, origins)
        body = read_body(request, call.headers["content-type"])
        viewer = read_viewer(call.headers, call.user_agent, edge_secret="secret", server_key="")
        return Batch(ingest_id(call.request_id), call.received_at, viewer, None), body

    def make_lines(batch: Batch, split: Any) -> list[Any]:
        make_line = accepted_lines(batch, rules, split.sent_at)
        made = [(make_line(event, position), event) for position, event in enumerate(split.events)]
        return [
            rejected_line(line, event, batch, rules, position=position) if isinstance(line, Refusal) else line
            for position, (line, event) in enumerate(made)
        ]

    def tell(batch: Batch, lines: list[Any]) -> None:
        recent.among(ids := [line.event_id for line in lines if line.event_id], 0.0)
        recent.add(ids, 0.0)
        log_line(Told(batch.ingest_id), "Clicklake", 0)
        accepted(len(lines), [])
        raw_key(batch.ingest_id, len(lines), midnight)

    best: dict[str, float] = {}
    spent: dict[str, float] = {}

    def timed(name: str, step: Callable[..., Any], inputs: list[Any]) -> list[Any]:
        started = time.process_time()
        results = [step(*each) for each in inputs]
        spent[name] = time.process_time() - started
        return results

    for requests in load.rounds:
        calls = timed("headers, body, user agent", receive, [(request,) for request in requests])
        # A body that cannot be read is one line, without any of these steps.
        calls = [(batch, body) for batch, body in calls if isinstance(body, Body)]
        read = partial(read_events, accept_flat=load.is_flat)
        splits = timed("decode the body", read, [(body.content, body.kind) for _, body in calls])
        batches = [batch for batch, _ in calls]
        lines = timed("make lines, decode what is unusual", make_lines, list(zip(batches, splits, strict=True)))
        texts = timed("encode lines", encode_lines, [(each,) for each in lines])
        timed("gzip", compress, [(text,) for text in texts])
        timed("recent ids, key, log, answer", tell, list(zip(batches, lines, strict=True)))
        events = sum(map(len, lines))
        for name, seconds in spent.items():
            best[name] = min(best.get(name, math.inf), seconds / events * 1e6)
    return best


def tell_stages(loads: list[Load]) -> None:
    print("microseconds of CPU time an event, by stage, each by itself:")
    found = [stages(load) for load in loads]
    print(f"{'':36s}" + "".join(f"{load.name:>18s}" for load in loads))
    for name in found[0]:
        print(f"{name:36s}" + "".join(f"{spent[name]:18.2f}" for spent in found))
    print(f"{'all':36s}" + "".join(f"{sum(spent.values()):18.2f}" for spent in found))


class Worker:
    """A checkout's ingest in a process of its own."""

    def __init__(self, root: Path, loads: Path) -> None:
        # runpy leaves the import path alone: the code under measurement is the one of `root`.
        start = f"import runpy; runpy.run_path({str(Path(__file__).resolve())!r}, run_name='worker')"
        command = [sys.executable, "-c", start, str(loads)]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def round(self, load: int, number: int) -> dict[str, Any]:
        """CPU seconds, requests, events, and sent, written and gzipped bytes."""
        assert self._process.stdin and self._process.stdout
        print(load, number, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def work(loads_file: str) -> None:
    loads = [Load(*load) for load in pickle.loads(Path(loads_file).read_bytes())]
    stores = [NoStore() for _ in loads]
    handlers = [handler_for(store, is_flat=load.is_flat) for store, load in zip(stores, loads, strict=True)]
    for line in sys.stdin:
        load, number = map(int, line.split())
        requests, store = loads[load].rounds[number], stores[load]
        store.bodies.clear()
        seconds = cpu_seconds(handlers[load], requests)
        written = b"".join(map(gzip.decompress, store.bodies))
        result = {
            "seconds": seconds,
            "requests": len(requests),
            "events": written.count(b"\n"),
            "sent": sum(len(request["body"]) for request in requests),
            "written": len(written),
            "gzipped": sum(map(len, store.bodies)),
        }
        print(json.dumps(result), flush=True)


@contextmanager
def working(root: Path, loads: Path) -> Iterator[Worker]:
    worker = Worker(root, loads)
    try:
        yield worker
    finally:
        worker.close()


def measure(loads: list[Load], against: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loads_file = Path(folder) / "loads"
        # Plain tuples: the worker's Load is another class of the same name.
        loads_file.write_bytes(pickle.dumps([(load.name, load.rounds, load.is_flat) for load in loads]))
        with working(ROOT, loads_file) as ours, working(against or ROOT, loads_file) as theirs:
            for number, load in enumerate(loads):
                pairs = [
                    (ours.round(number, each), theirs.round(number, each) if against else None)
                    for each in range(len(load.rounds))
                ]
                _tell(load.name, [own for own, _ in pairs[1:]], [other for _, other in pairs[1:] if other])


def _tell(name: str, rounds: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    total = {key: sum(each[key] for each in rounds) for key in rounds[0]}
    requests = total["requests"]
    print(
        f"{name:17s} {_rates(rounds)}, {statistics.median(_milliseconds(rounds)):.3f} ms CPU a request of "
        f"{total['events'] / requests:.1f} events, {total['sent'] // requests:,} bytes sent, "
        f"{total['written'] // requests:,} written, {total['gzipped'] // requests:,} gzipped"
    )
    if others:
        # Neighbours disturb both of a pair alike, so the pairs' ratios are steadier than the ratio of the medians.
        ratios = sorted(other["seconds"] / own["seconds"] for own, other in zip(rounds, others, strict=True))
        print(
            f"{'':17s} {statistics.median(ratios):.2f} times as fast (pairs {ratios[0]:.2f} to {ratios[-1]:.2f}); "
            f"the other: {_rates(others)}, {statistics.median(_milliseconds(others)):.3f} ms"
        )


def _rates(rounds: list[dict[str, Any]]) -> str:
    rates = [each["events"] / each["seconds"] for each in rounds]
    return f"{statistics.median(rates):8,.0f} events/s per core (best {max(rates):,.0f})"


def _milliseconds(rounds: list[dict[str, Any]]) -> list[float]:
    return [each["seconds"] / each["requests"] * 1000 for each in rounds]


COLD = """
import json, sys, time
body = sys.stdin.read()
started = time.process_time()
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients
class NoStore:
    def put_object(self, **request): pass
settings = Settings("lake", "1:" + "0f" * 32, allowed_origins=("https://shop.example",))
handle = make_handler(settings, Clients(NoStore(), None), write_log=len)
spent = [time.process_time() - started]
for request in json.loads(body):
    started = time.process_time()
    assert handle(request, None)["statusCode"] == 202
    spent.append(time.process_time() - started)
print(json.dumps(spent))
"""


def tell_cold(processes: int) -> None:
    """Milliseconds of CPU time of a new process, without the clients of AWS: medians."""
    requests = make_requests(10, 20)
    found = []
    for _ in range(processes):
        command = [sys.executable, "-c", COLD]
        done = subprocess.run(command, cwd=ROOT, input=json.dumps(requests), capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    imports, first, second, *_, last = (statistics.median(spent) * 1000 for spent in zip(*found, strict=True))
    print(
        f"a new process, 20 events a body: {imports:.0f} ms to import, {first:.0f} ms the first request, "
        f"{second:.2f} ms the second, {last:.2f} ms the tenth"
    )


def measure_emulator(size: int, requests: int) -> None:
    """Wall clock with a real PUT each: bound by the emulator and its HTTP, not by the function."""
    with emulator.running() as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket="bench")
        handle = handler_for(s3, "bench")
        sent = make_requests(requests, size)
        started = time.perf_counter()
        cpu = cpu_seconds(handle, sent)
        wall = time.perf_counter() - started
    print(
        f"{size:3d} events a body, emulated S3: {wall / requests * 1000:.2f} ms a request, "
        f"{cpu / requests * 1000:.2f} of it CPU time here"
    )


def profile(act: Callable[[], object]) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(act)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=500, help="in a round")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--against", type=Path, help="another checkout, measured in turn with this one")
    arguments.add_argument("--profile", action="store_true", help="where the time goes, for 20-event bodies")
    arguments.add_argument("--emulator", action="store_true", help="also through an emulated S3")
    chosen = arguments.parse_args()
    if chosen.profile:
        sent = make_requests(chosen.requests, 20)
        handle = handler_for(NoStore())
        cpu_seconds(handle, sent[:100])
        profile(lambda: cpu_seconds(handle, sent))
        return
    loads = make_loads(chosen.requests, chosen.rounds)
    measure(loads, chosen.against)
    tell_cold(chosen.rounds)
    tell_stages(loads)
    if chosen.emulator:
        for size in (1, 20):
            measure_emulator(size, min(chosen.requests, 300))


if __name__ == "__main__":
    main()
elif __name__ == "worker":
    work(sys.argv[1])
