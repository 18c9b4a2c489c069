"""Ingest, request bytes to object bytes with everything inside: events a second of one core's CPU time.

    python -m tests.benchmarks.ingest [--requests 3000] [--profile] [--emulator]

S3 is a no-op here, so that the figure is the function's own; --emulator sends some requests through a real
(emulated) S3 beside it. Events differ in every id, and repeat pages, products and browsers as a shop's do.
"""

import argparse
import cProfile
import gzip
import json
import pstats
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from clicklake.local import emulator
from lambdas.ingest.handler import Handler, make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients

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
    """Takes every object and keeps the last."""

    body = b""

    def put_object(self, **request: Any) -> None:
        self.body = request["Body"]


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
    return json.dumps(
        {"sent_at": "2026-05-01T12:00:01.500Z", "events": events}, separators=(",", ":")
    ).encode()


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


def handler_for(s3: Any, bucket: str = "lake") -> Handler:
    settings = Settings(
        lake_bucket=bucket,
        hash_keys="1:" + "0f" * 32,
        edge_secret="secret",
        allowed_origins=("https://shop.example",),
    )
    return make_handler(settings, Clients(s3, None), write_log=len)


def cpu_seconds(handle: Handler, requests: list[dict[str, Any]]) -> float:
    started = time.process_time()
    for request in requests:
        answer = handle(request, None)
        assert answer["statusCode"] == 202, answer
    return time.process_time() - started


def measure(size: int, requests: int, rounds: int = 5) -> None:
    sent = make_requests(requests, size)
    store = NoStore()
    handle = handler_for(store)
    cpu_seconds(handle, sent[: max(1, requests // 5)])
    seconds = sorted(cpu_seconds(handle, sent) for _ in range(rounds))
    best, middle = seconds[0], statistics.median(seconds)
    lines = gzip.decompress(store.body)
    print(
        f"{size:3d} events a body: {requests * size / middle:9,.0f} events/s per core "
        f"(best {requests * size / best:,.0f}), "
        f"{middle / requests * 1000:.3f} ms CPU a request, {len(sent[-1]['body']):,} bytes sent, "
        f"{len(lines):,} written, {len(store.body):,} gzipped"
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
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--requests", type=int, default=1000)
    arguments.add_argument("--profile", action="store_true", help="where the time goes, for 20-event bodies")
    arguments.add_argument("--emulator", action="store_true", help="also through an emulated S3")
    chosen = arguments.parse_args()
    if chosen.profile:
        sent = make_requests(chosen.requests, 20)
        handle = handler_for(NoStore())
        cpu_seconds(handle, sent[:100])
        profile(lambda: cpu_seconds(handle, sent))
        return
    for size in (1, 20):
        measure(size, chosen.requests)
    if chosen.emulator:
        for size in (1, 20):
            measure_emulator(size, min(chosen.requests, 300))


if __name__ == "__main__":
    main()
