"""What a campaign works on: an emulator, the job behind a proxy, lakes, and the judge of what is in them."""

import gzip
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from clicklake.cli.verify import compare, recompute_lake
from clicklake.local import emulator as emulators
from clicklake.local.emulator import Emulator
from clicklake.local.job_process import Job, running_job
from clicklake.local.places import TwinError
from clicklake.local.sql import Engine, connect
from clicklake.paths import RAW_PREFIX, STATE_PREFIX
from clicklake.verify.lake import Bucket
from glue_jobs.arguments import Settings
from glue_jobs.tables import TABLES
from tests.faults.function import Function
from tests.faults.proxy import Proxy, Request, Rule
from tests.spark.golden_days import all_lines
from tests.spark.lakes import SmallLake

LEASE_SECONDS = 10.0
NOTHING = "nothing"


@dataclass(frozen=True)
class Verdict:
    """What is in a lake, beside what was acknowledged: `lost` events are not there, `repeated` ones twice.

    `is_equal` is None where the tables were compared with nothing.
    """

    lost: int
    repeated: int
    is_balanced: bool
    is_equal: bool | None = None

    @property
    def is_good(self) -> bool:
        return not self.lost and not self.repeated and self.is_balanced and self.is_equal is not False


@dataclass(frozen=True)
class Result:
    """One seed of a kind. `struck` tells where the fault did, or NOTHING; `ended` how the disturbed run ended."""

    kind: str
    seed: int
    struck: str
    ended: str
    verdict: Verdict
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        # A fault that never came proves nothing.
        return self.struck != NOTHING and self.verdict.is_good


class FaultLake(SmallLake):
    """A lake whose tables are read by DuckDB: the judge shares no engine with the job."""

    def __init__(self, emulator: Emulator, lake: emulators.Lake) -> None:
        settings = Settings(lake.bucket, lake.database, shop_hosts=("shop.example",), lease_seconds=LEASE_SECONDS)
        super().__init__(spark=None, s3=emulator.client("s3"), settings=settings)
        self._glue = emulator.client("glue")
        self._endpoints = lake.endpoints()
        self._kept: tuple[dict[str, bytes], set[str], list[dict[str, Any]]] | None = None

    @cached_property
    def _engine(self) -> Engine:
        return connect(self._endpoints, self.settings.database)

    def close(self) -> None:
        if "_engine" in self.__dict__:
            self._engine.close()

    def arguments(self, **changes: Any) -> list[str]:
        settings = replace(self.settings, **changes)
        return [
            *("--lake_bucket", settings.lake_bucket, "--database", settings.database),
            *("--shop_hosts", ",".join(settings.shop_hosts), "--lease_seconds", str(settings.lease_seconds)),
        ]

    # --- raw

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def put_now(self, lines: list[Any], name: str) -> str:
        """One raw object in the hour of now, where the next run looks."""
        return self.put(lines, name, f"{self.now():%Y-%m-%dT%H:%M:%S}")

    def raw_keys(self) -> set[str]:
        return set(self._keys(RAW_PREFIX))

    def raw_lines(self, keys: Iterable[str]) -> Iterator[tuple[str, int, bytes]]:
        """(object, line, text) of all that can be read of these objects, by a reader of its own."""
        for key in keys:
            for number, text in enumerate(_whole_lines(self._body(key)), 1):
                yield key, number, text

    def acknowledged_ids(self) -> set[str]:
        """Ids of the accepted lines in raw, but for those that the job refuses with a reason."""
        refused = {(row["object"], row["line"]) for row in self._rows("quarantine", ["object", "line"])}
        ids = set()
        for key, number, text in self.raw_lines(self.raw_keys()):
            try:
                raw_line = json.loads(text)
            except ValueError:
                continue
            if raw_line.get("verdict") == "accepted" and (key, number) not in refused:
                ids.add(raw_line["event_id"])
        return ids

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.settings.lake_bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _body(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.settings.lake_bucket, Key=key)["Body"].read()

    # --- going back: tables are files that stay and a pointer to the newest, so old pointers bring all back

    def remember(self) -> None:
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=self.settings.database)
        fields = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
        tables = [{f: t[f] for f in fields if f in t} for page in pages for t in page["TableList"]]
        states = {key: self._body(key) for key in self._keys(STATE_PREFIX)}
        self._kept = states, self.raw_keys(), tables

    def go_back(self) -> None:
        states, raw, tables = self._kept
        bucket = self.settings.lake_bucket
        for key in {*self.raw_keys(), *self._keys(STATE_PREFIX)} - raw - states.keys():
            self.s3.delete_object(Bucket=bucket, Key=key)
        for key, body in states.items():
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        for table in tables:
            self._glue.update_table(DatabaseName=self.settings.database, TableInput=table)

    # --- judging

    def compared_rows(self, table: str) -> list[str]:
        columns = [c for c in TABLES[table].column_names if c not in TABLES[table].volatile]
        return sorted(json.dumps(row, default=str) for row in self._rows(table, columns))

    def _rows(self, table: str, columns: list[str]) -> list[dict[str, Any]]:
        return self._engine.query(f"select {', '.join(columns)} from {table}").to_pylist()

    def is_as_defined(self) -> bool:
        """Whether all tables are those that a second reading of the definitions makes of raw."""
        objects = Bucket(self._endpoints, self.settings.lake_bucket).open(self.raw_keys())
        checks = compare(self._engine, recompute_lake(self.settings, objects))
        return all(check.is_sound for check in checks if check.part == "tables")

    def refused(self) -> list[tuple[str, str]]:
        """Text and reason of each line in quarantine, in order."""
        return sorted((row["raw_line"], row["reason"]) for row in self._rows("quarantine", ["raw_line", "reason"]))

    def judge(self, acknowledged: set[str]) -> Verdict:
        """`acknowledged` are the ids that must be stored."""
        [verdict] = self.judge_each({"": acknowledged})
        return verdict

    def judge_each(self, acknowledged: dict[str, set[str]]) -> list[Verdict]:
        """A verdict for each prefix of ids and those with it that must be stored. Tables are compared elsewhere."""
        rows = self._rows("events", ["event_id", "ts_date"])
        stored = Counter((row["event_id"], row["ts_date"]) for row in rows)
        ids = {event_id for event_id, _ in stored}
        is_balanced = self._is_balanced()
        return [
            Verdict(
                lost=len(each - ids),
                repeated=sum(copies - 1 for (event_id, _), copies in stored.items() if event_id.startswith(prefix)),
                is_balanced=is_balanced,
            )
            for prefix, each in acknowledged.items()
        ]

    def _is_balanced(self) -> bool:
        """Each line of each object has exactly one outcome, and the last run's account says the same."""
        objects = self._rows("ingested_objects", ["object", "lines", "lines_lost"])
        expected = Counter(
            (row["object"], number) for row in objects for number in range(1, row["lines"] - row["lines_lost"] + 1)
        )
        counts = {}
        outcomes: Counter[tuple[str, int]] = Counter()
        for table in ("events", "repeats", "quarantine"):
            rows = self._rows(table, ["object", "line"])
            counts[table] = len(rows)
            outcomes.update((row["object"], row["line"]) for row in rows)
        runs = self._engine.query("select * from refresh_runs order by completed_at").to_pylist()
        last = runs[-1]
        account = (last["total_lines"], last["total_lost"], last["total_stored"], last["total_duplicate"])
        recounted = (
            sum(row["lines"] for row in objects),
            sum(row["lines_lost"] for row in objects),
            counts["events"],
            counts["repeats"],
        )
        read_by_runs = sum(run["lines"] for run in runs)
        return (
            outcomes == expected
            and account == recounted
            and read_by_runs == last["total_lines"]
            and last["total_quarantined"] == counts["quarantine"]
            and {row["object"] for row in objects} == self.raw_keys()
            and len(objects) == len({row["object"] for row in objects})
        )


class Process:
    """The job in a process of its own, its JVM with it, behind a proxy of its own."""

    def __init__(self, lake: emulators.Lake, log: Path) -> None:
        self._stack = ExitStack()
        self.proxy = self._stack.enter_context(Proxy(lake.endpoint_url).serving())
        self.job: Job = self._stack.enter_context(running_job(replace(lake, endpoint_url=self.proxy.url), log))

    def close(self) -> None:
        self._stack.close()


class Driver:
    """Runs the job in one process after the other: where one is killed, the next takes its place.

    A JVM's first run takes twice as long as the later ones. So from the second kill on another process waits
    that has had its first run, on a lake of its own, while the campaign went on.
    """

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self._logs = (world.folder / f"{name}-{number}.log" for number in count(1))
        self._process: Process | None = None
        self._waiting: Future[Process] | None = None
        self._pool = ThreadPoolExecutor(1)
        self._is_killed = False
        self._kills = 0

    def run(self, lake: FaultLake, *rules: Rule, page_size: int | None = None, **changes: Any) -> str:
        """One refresh under these faults: "succeeded", "killed", or "failed" with the error.

        `page_size` is the length of the listings' pages, if not what it always is.
        """
        self._is_killed = False
        process = self._process = self._process or self._next()
        process.proxy.plan(*rules)
        process.proxy.page_size = page_size
        try:
            process.job.run(lake.arguments(**changes))
        except TwinError as error:
            if not self._is_killed:
                return f"failed: {str(error).partition('(')[2].partition(':')[0]}"
            process.close()
            self._process = None
            self._kills += 1
            return "killed"
        return "succeeded"

    def _next(self) -> Process:
        process = self._waiting.result() if self._waiting else self._start()
        if self._kills > 1:
            self._waiting = self._pool.submit(self._start_warm, self._world.new_lake())
        return process

    def _start(self) -> Process:
        return Process(self._world.lake, next(self._logs))

    def _start_warm(self, lake: FaultLake) -> Process:
        process = self._start()
        lake.put_now(all_lines()[:20], "first")
        process.job.run(lake.arguments())
        return process

    @property
    def proxy(self) -> Proxy:
        """The one before the process that ran last."""
        return self._process.proxy

    @property
    def is_warm(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        """Python, JVM and all: for a rule's `before` or `after`."""
        self._is_killed = True
        os.killpg(self._process.job.pid, signal.SIGKILL)

    def close(self) -> None:
        if self._waiting is not None:
            self._waiting.result().close()
        self._pool.shutdown()
        if self._process is not None:
            self._process.close()


@dataclass
class World:
    """`half` is a lake in which a run has read the first half of the golden week; `whole` are the prints of a
    lake that has read all of it undisturbed, and `requests` what the second run asked for."""

    emulator: Emulator
    lake: emulators.Lake
    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    whole: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)
    compaction: Function | None = None

    @cached_property
    def driver(self) -> Driver:
        return self._new_driver("driver")

    @cached_property
    def other_driver(self) -> Driver:
        return self._new_driver("other")

    def _new_driver(self, name: str) -> Driver:
        driver = Driver(self, name)
        self.stack.callback(driver.close)
        return driver

    def new_lake(self) -> FaultLake:
        number = next(self.numbers)
        lake = FaultLake(self.emulator, self.emulator.create_lake(f"lake-{number}", f"lake_{number}"))
        self.stack.callback(lake.close)
        return lake

    def new_half(self) -> FaultLake:
        """A lake in which a run has read the first half of the golden week."""
        lake = self.new_lake()
        first, _ = halves()
        lake.put(first, "first-half", "2026-09-07T12:00:00")
        self.must_succeed(self.driver.run(lake))
        return lake

    @cached_property
    def half(self) -> FaultLake:
        lake = self.new_half()
        _, second = halves()
        lake.remember()
        for number, part in enumerate(deal(second, random.Random(0))):
            lake.put_now(part, f"n{number}")
        self.must_succeed(self.driver.run(lake))
        self.requests = self.driver.proxy.seen
        self.whole = lake.prints()
        return lake

    def is_whole(self, lake: FaultLake) -> bool:
        return lake.prints() == self.whole

    def must_succeed(self, ended: str) -> None:
        if ended != "succeeded":
            raise RuntimeError(f"an undisturbed run {ended}")


def seeded(kind: str, seed: int) -> random.Random:
    return random.Random(f"{kind} {seed}")


def halves() -> tuple[list[str], list[str]]:
    """The lines of the golden week."""
    lines = all_lines()
    return lines[: len(lines) // 2], lines[len(lines) // 2 :]


def deal(lines: list[str], rng: random.Random, parts: int = 10) -> list[list[str]]:
    """The lines in so many parts, in any order."""
    lines = rng.sample(lines, len(lines))
    return [lines[number::parts] for number in range(parts)]


def _whole_lines(body: bytes) -> list[bytes]:
    try:
        return gzip.decompress(body).splitlines()
    except (OSError, EOFError):
        return []


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A campaign's world; nothing of it is left at the end."""
    with emulators.running() as emulator:
        lake = emulator.create_lake()
        with patch.dict(os.environ, lake.environment()), ExitStack() as stack:
            yield World(emulator, lake, folder, stack=stack)
