"""What a refresh costs as the lake grows older, and as the same lines come in more objects.

    python -m tests.benchmarks.growth [--days 4 40 400] [--objects 100 10000] [--rounds 3]

One JVM that stays, with the laptop's settings, against the emulator; files are told apart by a proxy before it.

- older: the same batch (10,000 events of the last day, 50 that are three days late, 20 first sign-ins of visitors of
  the day before) is refreshed into lakes of so many days, each of 500 events. Told are the data files of tables that
  were read, their bytes, and the seconds of the middle round.
- objects: the same 100,000 lines are refreshed into an empty lake out of so many raw objects.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

from clicklake import endpoints
from clicklake.local import emulator
from clicklake.local.spark import laptop_settings, prepare
from glue_jobs.arguments import Settings
from glue_jobs.refresh_lake import utc_now
from glue_jobs.runtime import start_session
from tests.faults.proxy import Proxy
from tests.spark.lakes import SmallLake, line

LAST_DAY = date(2026, 9, 7)
VISITORS_A_DAY = 100
PAGES = ("page_view", "view_item", "page_ping", "add_to_cart", "page_leave")
BATCH_EVENTS, LATE, SIGN_INS = 10_000, 50, 20


def day_lines(day: date, visitors: int, name: str) -> Iterator[dict]:
    """A visit of five events by each visitor; every other one comes again the next day."""
    for number in range(visitors):
        seconds = number * 80_000 // visitors
        at = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
        visitor = f"v{day.toordinal() if number % 2 else day.toordinal() // 2 * 2}-{number}"
        for place, event_type in enumerate(PAGES):
            event_id = f"{name}-{day}-{number}-{place}"
            moment = (at + timedelta(seconds=40 * place)).isoformat()
            item = {"items": [{"product_id": f"p{number % 50}", "price": "9.90", "qty": 1}]} if place in (1, 3) else {}
            yield line(event_id, visitor, moment, event_type, page_view_id=event_id[:-2], **item)


def batch_lines(number: int) -> Iterator[dict]:
    """10,000 new events of the last day, 50 that come three days late, 20 sign-ins."""
    yield from day_lines(LAST_DAY, BATCH_EVENTS // len(PAGES), f"b{number}")
    received = int(datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 23).timestamp() * 1000)
    for late, base in enumerate(list(day_lines(LAST_DAY - timedelta(days=3), VISITORS_A_DAY, "d"))[: LATE * 5 : 5]):
        moved = {"event_id": f"late{number}-{late}", "ingest_id": f"late{number}-{late}", "event_type": "search"}
        yield base | moved | {"ts": base["ts"] + 60_000, "sent_at": received, "received_at": received}
    before = list(day_lines(LAST_DAY - timedelta(days=1), VISITORS_A_DAY, "d"))
    for signed, base in enumerate(before[number * SIGN_INS * 5 : (number + 1) * SIGN_INS * 5 : 5]):
        user = {"user_id": f"1.user{number}-{signed}", "event_type": "login"}
        ids = {"event_id": f"sign{number}-{signed}", "ingest_id": f"sign{number}-{signed}"}
        yield base | ids | user | {"ts": base["ts"] + 90_000}


class Bench:
    def __init__(self, spark: SparkSession, running: emulator.Emulator, proxy: Proxy) -> None:
        self.spark, self.running, self.proxy, self.lakes = spark, running, proxy, 0

    def new_lake(self) -> SmallLake:
        self.lakes += 1
        bucket, database = f"growth-{self.lakes}", f"growth_{self.lakes}"
        self.running.create_lake(bucket, database)
        return SmallLake(self.spark, endpoints.client("s3"), Settings(bucket, database, shop_hosts=("shop.example",)))

    def refresh(self, lake: SmallLake) -> tuple[float, int, int]:
        """Seconds of a refresh, data files of tables that it read, and their bytes."""
        self.proxy.clear()
        started = time.monotonic()
        # As on a schedule: not everything under raw/ is listed, and the ledger is added up, not counted.
        report = lake.run(reconcile=False)
        seconds = time.monotonic() - started
        assert report.lines_stored, "nothing was read"
        read = {r.name for r in self.proxy.seen if r.operation == "GET" and "/data/" in r.name}
        written = {r.name for r in self.proxy.seen if r.operation in ("PUT", "POST") and "/data/" in r.name}
        sizes = self._sizes(lake)
        return seconds, len(read - written), sum(sizes.get(name, 0) for name in read - written)

    def _sizes(self, lake: SmallLake) -> dict[str, int]:
        pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.settings.lake_bucket, Prefix="results/")
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


def measure_older(bench: Bench, spans: list[int], rounds: int) -> None:
    print(f"{BATCH_EVENTS:,} events, {LATE} late, {SIGN_INS} sign-ins, into a lake of so many days:")
    first: tuple[float, float, float] | None = None
    for span in spans:
        lake = bench.new_lake()
        # As it grew: the oldest days first, by small runs of the day before.
        for start in reversed(range(0, span, 50)):
            days = [LAST_DAY - timedelta(days=1 + back) for back in range(start, min(span, start + 50))]
            lake.put((each for day in days for each in day_lines(day, VISITORS_A_DAY, "d")), f"base{start}")
            lake.run(lambda: utc_now() - timedelta(days=1))
        told = []
        for number in range(rounds):
            now = utc_now().replace(tzinfo=None)
            lake.put(batch_lines(number), f"batch{number}", now.isoformat())
            told.append(bench.refresh(lake))
        seconds, read, size = (statistics.median(each) for each in zip(*told, strict=True))
        first = first or (seconds, read, size)
        ratios = ", ".join(f"x{now / then:.2f}" for now, then in zip((seconds, read, size), first, strict=True))
        print(f"  {span:4} days: {seconds:6.1f} s, {read:5.0f} files, {size / 1e6:6.2f} MB read ({ratios})", flush=True)


def measure_objects(bench: Bench, counts: list[int]) -> None:
    lines = [each for number in range(10) for each in batch_lines(number)][:100_000]
    print(f"{len(lines):,} lines into an empty lake, out of so many raw objects:")
    first: float | None = None
    for count in counts:
        lake = bench.new_lake()
        size = -(-len(lines) // count)
        for number in range(count):
            at = f"{LAST_DAY}T{number * 24 // count:02}:00:00"
            lake.put(lines[number * size : (number + 1) * size], f"o{number}", at)
        seconds, *_ = bench.refresh(lake)
        first = first or seconds
        print(f"  {count:6,} objects: {seconds:6.1f} s (x{seconds / first:.2f})", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--days", type=int, nargs="*", default=[4, 40, 400])
    arguments.add_argument("--objects", type=int, nargs="*", default=[100, 10_000])
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, emulator.running() as running:
        running.create_lake().enter()
        with Proxy(os.environ["AWS_ENDPOINT_URL"]).serving() as proxy:
            os.environ["AWS_ENDPOINT_URL"] = proxy.url
            prepare()
            settings = laptop_settings(Path(folder))
            spark = start_session(Settings(lake_bucket=emulator.BUCKET), settings)
            bench = Bench(spark, running, proxy)
            lake = bench.new_lake()  # warms up
            lake.put(batch_lines(0), "warm")
            lake.run()
            measure_older(bench, chosen.days, chosen.rounds)
            measure_objects(bench, chosen.objects)
            spark.stop()


if __name__ == "__main__":
    main()
