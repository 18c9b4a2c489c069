"""The scheduled job: raw objects to tables. Commands: refresh, rebuild (from events), reparse (from raw).

spark-submit glue_jobs/refresh_lake.py --lake_bucket NAME [--command rebuild] ...
"""

import csv
import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from functools import partial
from importlib.resources import files
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from clicklake import endpoints
from clicklake.paths import LISTING_OVERLAP
from glue_jobs.arguments import ArgumentsError, Settings, read_arguments
from glue_jobs.arrivals import EVENT_KEY, Outcome, judge
from glue_jobs.derive import (
    REACH_DAYS,
    Days,
    add_sessions,
    collect_days,
    rebuild_all,
    touched_sessions,
    write_daily,
    write_events,
    write_identity,
    write_orders,
    write_restatements,
    write_sessions,
    write_visitor_days,
)
from glue_jobs.lake import Lake, on_days, settle
from glue_jobs.lease import Journal, Lease, read_journal, write_journal
from glue_jobs.packs import join_packs, read_manifests
from glue_jobs.raw_objects import OBJECT_END, RawObject, list_raw_objects, object_date, read_lines
from glue_jobs.runtime import at_once, few, is_small, start_session, tune
from glue_jobs.tables import TABLES
from glue_jobs.transforms.enrich import add_country_names
from glue_jobs.transforms.parse import parse
from glue_jobs.transforms.place_in_time import place_in_time
from glue_jobs.transforms.quality import may_be_repeated, repeated_events, uncovered_lines

# So many small runs leave files that take longer to read than to compact.
RUNS_A_COMPACTION = 8
Clock = Callable[[], datetime]


class LedgerBroken(RuntimeError):
    """Lines without exactly one outcome, or events stored twice. The run is undone by the next one."""


class ObjectsMissing(RuntimeError):
    """Objects that a second reading needs could not be fetched. The lake is as it was."""


class RunsLost(RuntimeError):
    """The table refresh_runs was lost and others were not: nothing tells what has been read. The lake is as it was."""


@dataclass
class RunReport:
    """What a run did. `is_changed` is False where there was nothing to do and nothing was committed."""

    run_id: str
    command: str
    is_changed: bool = False
    objects: int = 0
    objects_failed: int = 0
    bytes: int = 0
    lines: int = 0
    lines_lost: int = 0
    lines_quarantined: int = 0
    lines_stored: int = 0
    lines_duplicate: int = 0
    restated: int = 0
    seconds: float = 0.0
    snapshots: dict[str, int] = field(default_factory=dict)

    def sentence(self) -> str:
        if not self.is_changed and self.objects_failed:
            return f"{self.objects_failed} raw objects could not be fetched; the next run tries them again."
        if not self.is_changed:
            return "Nothing new: no raw object has arrived since the last run, and nothing was changed."
        if self.command == "rebuild":
            return f"Rebuilt every derived table from events in {self.seconds:.1f} s."
        text = (
            f"{self.lines:,} lines of {self.objects:,} objects: {self.lines_stored:,} stored, "
            f"{self.lines_duplicate:,} repeated, {self.lines_quarantined:,} refused, {self.lines_lost:,} lost "
            f"in damaged objects ({self.seconds:.1f} s)."
        )
        if self.restated:
            text += f" {self.restated:,} published numbers changed: see restatements."
        if self.objects_failed:
            text += f" {self.objects_failed:,} objects could not be fetched; the next run tries them again."
        return text


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def refresh(
    spark: SparkSession, settings: Settings, clock: Clock = utc_now, say: Callable[[str], None] = print
) -> RunReport:
    """Carries out settings.command, alone: a run that is at work is waited for. Safe to repeat after any end.

    Raises LedgerBroken, LeaseLost, and whatever S3, Glue or Spark raise; the lake is then as the journal
    says, or is made so by the next run.
    """
    run = Run(spark, settings, clock, say)
    with run.lease:
        if settings.correlation_id:
            say(f"run {run.run_id}, asked for by {settings.correlation_id}")
        run.prepare()
        report = {"refresh": run.refresh, "rebuild": run.rebuild, "reparse": run.reparse}[settings.command]()
        if report.is_changed:
            run.tidy()
    say(report.sentence())
    return report


@dataclass(frozen=True)
class Copies:
    """Copies of events that are read again, in objects that are not: which objects, and (object, line) of each."""

    objects: list[RawObject]
    lines: DataFrame


class Run:
    """One run, from its lease to its row in refresh_runs."""

    def __init__(self, spark: SparkSession, settings: Settings, clock: Clock, say: Callable[[str], None]) -> None:
        self.spark, self.settings, self.clock, self.say = spark, settings, clock, say
        self.s3: Any = endpoints.client("s3")
        self.started_at = clock()
        self._start = self._last_step = time.monotonic()
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        self.lease = Lease(self.s3, settings.lake_bucket, self.run_id, settings.lease_seconds, say)
        written_at = self.started_at.replace(tzinfo=None)
        self.lake = Lake(spark, settings.database, self.run_id, written_at, self.lease.check)
        self.raw_line_schema = StructType.fromJson(_load_json("clicklake.contract", "generated/raw_line.spark.json"))
        self.report = RunReport(self.run_id, settings.command)
        self.last: Any = None
        self.journal: Journal | None = None
        self.before: dict[str, int | None] = {}

    # --- the three commands

    def refresh(self) -> RunReport:
        """Reads raw objects that no run has read, and writes what they change."""
        listed_until = self.clock()
        objects = self.new_objects(listed_until)
        if not objects:
            return self._finish()
        return self._ingest(objects, listed_until)

    def reparse(self) -> RunReport:
        """Reads the raw objects of a range of days again, with the copies of their events elsewhere."""
        first, last = self.settings.first_day, self.settings.last_day
        listed = list_raw_objects(self.s3, self.settings.lake_bucket, None, self.clock())
        chosen = self._with_packs(listed, lambda day: first <= day <= last)
        if not chosen:
            self.say(f"no raw object lies between {first} and {last}")
            return self._finish()
        return self._ingest(chosen, listed_until=None, copies=self._copies_elsewhere(chosen, listed))

    def rebuild(self) -> RunReport:
        """Derives every table from events again."""
        if self.last is None and self.lake.is_empty("events"):
            return self._finish()
        as_of = self.lake.bounds("events", "received_at")[1] if self.last is None else None
        self._begin()
        tune(self.spark, self.lake.total_bytes("events"))
        rebuild_all(self.lake, self.settings)
        self._restate(None, None)
        self.step(
            "derived sessions, orders, identity and daily tables from events, "
            f"{self.report.restated:,} published numbers changed"
        )
        return self._complete(listed_until=None, as_of=as_of, first_touched=None)

    # --- before and after

    def prepare(self) -> None:
        """Tables exist, and what a killed run left behind is undone."""
        self.lake.create_missing_tables()
        journal = self.journal = read_journal(self.s3, self.settings.lake_bucket)
        self.last = self._last_run()
        if self._has_lost_its_runs():
            if self.settings.command == "refresh":
                raise RunsLost(
                    "the table refresh_runs was lost, so nothing tells what has been read, and nothing was changed: "
                    "reparse all days, or rebuild where neither raw objects nor packs are left (docs/upkeep.md)"
                )
            # Whether the journal's run completed is not known: to undo it could take its events away.
            return
        # The journal is nearly always the last run's: then nothing has to be looked for.
        if journal is not None and (self.last is None or journal.run_id != self.last.run_id):
            completed = self.lake.read("refresh_runs").where(F.col("run_id") == F.lit(journal.run_id))
            if completed.isEmpty():
                undone = [t for t in TABLES if self.lake.go_back(t, journal.before.get(t))]
                if undone:
                    self.say(f"undid the unfinished run {journal.run_id} in {', '.join(undone)}")
                    self.last = self._last_run()
        if self.last is not None:
            named = self.last.snapshots
            strayed = [t for t in TABLES if t != "refresh_runs" and self.lake.restore(t, named.get(t))]
            if strayed:
                self.say(f"took back what a run without a lease did to {', '.join(strayed)}")
        self.step("tables are ready")

    def _has_lost_its_runs(self) -> bool:
        """True if refresh_runs was lost and made again, and another table was not."""
        if self.last is not None or self.journal is None or self.journal.before.get("refresh_runs") is None:
            return False
        written = self.lake.written_tables()
        return bool(written) and "refresh_runs" not in written

    def tidy(self) -> None:
        """Compacts small files every so many small runs. The run is complete, with or without it."""
        # Each run commits to refresh_runs once, and leaves a file there that is compacted with the others.
        if is_small(self.spark) and self.lake.commits_since_compaction("refresh_runs") >= RUNS_A_COMPACTION:
            steps = [partial(self.lake.compact, table, is_thorough=False) for table in self.lake.written_tables()]
            try:
                files = at_once(*steps)
            except Exception as error:  # noqa: BLE001 - the next small run tries again, and upkeep fails where it does
                self.say(f"small files were not compacted: {type(error).__name__}: {error}")
                return
            before, after = (sum(each) for each in zip(*files, strict=True))
            self.step(f"compacted {before:,} files into {after:,}")

    def _last_run(self) -> Any:
        """The row of the last completed run; None if there is none."""
        completed = self.lake.bounds("refresh_runs", "completed_at")
        if completed is None:
            return None
        # Each run has a file of its own: only the last one's is read.
        is_last = F.col("completed_at") == F.lit(completed[1]).cast("timestamp_ntz")
        return self.lake.read("refresh_runs").where(is_last).orderBy(F.col("run_id").desc()).first()

    def _begin(self) -> None:
        self.lease.check()
        self.before = self.lake.begin()
        write_journal(self.s3, self.settings.lake_bucket, Journal(self.run_id, self.before), self.journal)
        self.report.is_changed = True

    def step(self, text: str) -> None:
        now = time.monotonic()
        self.say(f"{now - self._start:6.1f} s  {text} ({now - self._last_step:.1f} s)")
        self._last_step = now

    @property
    def seconds(self) -> float:
        """Since the run began, waiting for another one included."""
        return time.monotonic() - self._start

    def _finish(self) -> RunReport:
        self.report.seconds = self.seconds
        return self.report

    # --- reading

    def new_objects(self, until: datetime) -> list[RawObject]:
        """The listed objects that no completed run has read."""
        since = None
        if self.last is not None and self.last.listed_until is not None and not self.settings.reconcile:
            # A clock that was ahead is no reason to look for nothing.
            since = min(self.last.listed_until.replace(tzinfo=timezone.utc), until) - LISTING_OVERLAP
        listed = list_raw_objects(self.s3, self.settings.lake_bucket, since, until)
        if listed and self.last is not None:
            ingested = self.lake.read("ingested_objects").where(on_days("object_date", {i.date for i in listed}))
            known = {row.object for row in ingested.select("object").toLocalIterator()}
            listed = [item for item in listed if item.key not in known]
        self.step(f"{len(listed):,} new raw objects")
        return listed

    def _with_packs(self, listed: list[RawObject], is_wanted: Callable[[date], bool]) -> list[RawObject]:
        """The objects of the days wanted: those listed, with their packed copies, and those only packs hold."""
        packed = read_manifests(self.s3, self.settings.lake_bucket, is_wanted)
        return join_packs([item for item in listed if is_wanted(item.date)], packed)

    def _copies_elsewhere(self, chosen: list[RawObject], listed: list[RawObject]) -> Copies:
        keys = self.spark.createDataFrame([(item.key,) for item in chosen], "object string")
        places = (
            self.lake.read("events")
            .select(*EVENT_KEY, "object", "line")
            .unionByName(self.lake.read("repeats").where("event_id is not null").select(*EVENT_KEY, "object", "line"))
        )
        concerned = places.join(few(keys), on="object", how="left_semi").select(*EVENT_KEY).distinct()
        copies = (
            places.join(concerned, on=EVENT_KEY, how="left_semi")
            .join(few(keys), on="object", how="left_anti")
            .select("object", "line")
            .collect()
        )
        days = {object_date(row.object) for row in copies}
        elsewhere = {item.key: item for item in self._with_packs(listed, days.__contains__)} if days else {}
        present = [row for row in copies if row.object in elsewhere]
        lines = self.spark.createDataFrame([(r.object, r.line) for r in present], "object string, line int")
        return Copies([elsewhere[key] for key in sorted({row.object for row in present})], lines)

    def _typed(self, lines: DataFrame) -> DataFrame:
        """Lines to typed rows with times, countries, and reasons where they are refused."""
        # As one constant: a frame made of Python rows would start a Python worker in every query that uses it.
        countries = self.spark.range(0, 1, 1, 1).select(
            F.inline(F.from_json(F.lit(_load_countries()), "array<struct<code:string,name:string,continent:string>>"))
        )
        settings = self.settings
        arrivals = parse(lines, self.raw_line_schema, settings.shop_currency)
        placed = place_in_time(arrivals, settings.shop_time_zone, settings.late_limit_days)
        return add_country_names(placed, few(countries))

    # --- writing

    def _ingest(
        self, objects: list[RawObject], listed_until: datetime | None, copies: Copies | None = None
    ) -> RunReport:
        """Reads the objects and commits what they change. With `copies` given, it is a second reading."""
        self._begin()
        tune(self.spark, sum(item.bytes for item in objects), self._usual_bytes(2 * REACH_DAYS + 1))
        bucket = self.settings.lake_bucket
        lines = read_lines(self.spark, bucket, objects, self.raw_line_schema)
        if copies is not None and copies.objects:
            again = read_lines(self.spark, bucket, copies.objects, self.raw_line_schema).where(F.col("line") > 0)
            lines = lines.unionByName(again.join(few(copies.lines), on=["object", "line"], how="left_semi"))
        arrivals = settle(self._typed(lines))
        ingested = settle(self._ingested_objects(arrivals))
        read = ingested.agg(
            F.count(F.lit(1)).alias("objects"),
            F.coalesce(F.sum("bytes"), F.lit(0)).alias("bytes"),
            F.coalesce(F.sum("lines"), F.lit(0)).alias("lines"),
            F.coalesce(F.sum("lines_lost"), F.lit(0)).alias("lines_lost"),
            F.max("max_received_at").alias("as_of"),
        ).first()
        self.report.objects, self.report.objects_failed = read.objects, len(objects) - read.objects
        self.report.bytes, self.report.lines, self.report.lines_lost = read.bytes, read.lines, read.lines_lost
        self.step(f"read {read.lines:,} lines of {read.objects:,} objects")
        covered = None
        if copies is not None:
            if self.report.objects_failed:
                raise ObjectsMissing(
                    f"{self.report.objects_failed} raw objects could not be fetched: nothing was changed, reparse again"
                )
            self.report.lines += copies.lines.count()
            covered = self._covered(objects, copies.lines)
        elif not read.objects:
            self.report.is_changed = False
            return self._finish()

        outcome = judge(self.lake, arrivals, covered)
        self.report.lines_stored = outcome.stored
        self.report.lines_duplicate, self.report.lines_quarantined = outcome.duplicates, outcome.quarantined
        self.step(
            f"{outcome.inserted:,} new events, {outcome.replaced:,} replaced by an earlier copy, "
            f"{outcome.duplicates:,} repeats, {outcome.quarantined:,} refused"
        )
        keep_account = partial(self._keep_account, outcome, ingested, covered)
        check_ledger = partial(self._check_ledger, ingested)
        first_touched = None
        if outcome.stored or outcome.renamed_count or covered is not None:
            days = self._derive(outcome, keep_account, check_ledger)
            first_touched = min(days.daily | days.persons, default=None)
        else:
            keep_account()
            check_ledger()
        if self.report.objects_failed:
            # What could not be fetched has to be listed again, so the listing counts as not done.
            listed_until = None
        return self._complete(listed_until, read.as_of, first_touched, outcome)

    def _derive(self, outcome: Outcome, keep_account: Callable[[], None], check_ledger: Callable[[], None]) -> Days:
        """Writes what the outcome changes, and keeps and checks the account meanwhile. Returns the days changed."""
        lake, settings = self.lake, self.settings
        sessioned = add_sessions(lake, outcome)
        of_events = set(sessioned.counted_days)
        if outcome.has_removed:
            of_events |= collect_days(outcome.removed, "event_date")
        touched = touched_sessions(sessioned, outcome)
        self.step("cut sessions")

        def from_events() -> list[Any]:
            write_events(lake, sessioned, outcome)
            return at_once(
                lambda: write_orders(lake, settings, sessioned, outcome, touched),
                lambda: write_identity(lake, settings, sessioned, outcome),
            )

        ((of_orders, of_revenue), of_persons), of_sessions, *_ = at_once(
            from_events,
            lambda: write_sessions(lake, settings, sessioned, touched),
            lambda: write_visitor_days(lake, sessioned, outcome, of_events),
            keep_account,
        )
        days = Days(of_events, of_sessions, of_orders, of_revenue, of_persons)
        self.step("events, sessions, orders, visitor days, identity; quarantine, repeats, objects")

        def daily() -> None:
            self._restate(days, write_daily(lake, settings, days, self._published_until))

        at_once(daily, check_ledger)
        self.step(f"daily tables of {len(days.daily)} days, {self.report.restated:,} published numbers changed")
        return days

    def _restate(self, days: Days | None, first_active: date | None) -> None:
        self.report.restated = write_restatements(self.lake, self.before, self._published_until, days, first_active)

    @property
    def _published_until(self) -> date | None:
        """The last day of the last completed run."""
        return self.last.today if self.last is not None else None

    def _usual_bytes(self, days: int) -> int:
        """Bytes of the stored events of `days` average days; 0 in an empty lake."""
        bounds = self.lake.bounds("daily_traffic", "event_date")
        if bounds is None:
            return 0
        first, last = bounds
        return self.lake.total_bytes("events") * days // max(days, (last - first).days + 1)

    def _ingested_objects(self, arrivals: DataFrame) -> DataFrame:
        """tables.INGESTED_OBJECTS of the objects that could be fetched."""
        is_end = (F.col("line") == 0) & F.col("raw_line").isNotNull()
        hour = F.col("object_date").cast("timestamp") + F.make_dt_interval(hours=F.col("end.hour"))
        lost = F.greatest(F.coalesce("end.promised", F.lit(0)) - F.col("end.found"), F.lit(0))
        return (
            arrivals.groupBy("object", "object_date")
            .agg(
                F.max(F.when(is_end, F.col("raw_line"))).alias("end"),
                F.max(F.when(is_end, F.col("fault"))).alias("error"),
                F.max("received_at").alias("max_received_at"),
            )
            .where(F.col("end").isNotNull())
            .withColumn("end", F.from_json("end", OBJECT_END))
            .select(
                "object",
                "object_date",
                hour.cast("timestamp_ntz").alias("object_hour"),
                "end.bytes",
                (F.col("end.found") + lost).alias("lines"),
                lost.alias("lines_lost"),
                "error",
                "max_received_at",
            )
        )

    def _covered(self, objects: list[RawObject], other_lines: DataFrame) -> DataFrame:
        """(object, line) of all that is read again."""
        keys = self.spark.createDataFrame([(item.key,) for item in objects], "object string")
        places = None
        for table in ("events", "repeats", "quarantine"):
            rows = self.lake.read(table).select("object", "line")
            rows = rows.join(few(keys), on="object", how="left_semi")
            places = rows if places is None else places.unionByName(rows)
        return settle(places.unionByName(other_lines).distinct())

    def _keep_account(self, outcome: Outcome, ingested: DataFrame, covered: DataFrame | None) -> None:
        """Quarantine, repeats and objects: with events they cover every line that was read."""
        rows = {"quarantine": outcome.quarantine, "repeats": outcome.repeats}
        for table, new in rows.items():
            if covered is None:
                if outcome.quarantined if table == "quarantine" else outcome.duplicates or outcome.replaced:
                    self.lake.append(table, new)
                continue
            key = list(TABLES[table].key)
            old = self.lake.read(table).join(covered, on=["object", "line"], how="left_semi").select(*key)
            self.lake.merge(table, new, gone=old.join(new, on=key, how="left_anti"))
        if covered is None:
            self.lake.append("ingested_objects", ingested)
        else:
            self.lake.merge("ingested_objects", ingested)

    def _complete(
        self,
        listed_until: datetime | None,
        as_of: datetime | None,
        first_touched: date | None,
        outcome: Outcome | None = None,
    ) -> RunReport:
        """Adds up the ledger, then commits the run's row: from then on the run counts as done."""
        report, last = self.report, self.last
        totals = self._totals(outcome)
        is_balanced = totals["lines"] == sum(v for k, v in totals.items() if k != "lines")
        if not is_balanced:
            raise LedgerBroken(f"the lake's ledger does not balance after run {self.run_id}: {totals}")
        bounds = self.lake.bounds("daily_traffic", "event_date")
        former_as_of = last.as_of if last is not None else None
        row = {
            "run_id": self.run_id,
            "command": self.settings.command,
            "started_at": self.started_at.replace(tzinfo=None),
            "completed_at": self._completed_at(),
            "listed_until": (
                listed_until.replace(tzinfo=None) if listed_until else last.listed_until if last is not None else None
            ),
            "as_of": max(filter(None, (as_of, former_as_of)), default=None),
            "today": bounds[1] if bounds else None,
            "first_touched": first_touched,
            "objects": report.objects,
            "objects_failed": report.objects_failed,
            "bytes": report.bytes,
            "lines": report.lines,
            "lines_lost": report.lines_lost,
            "lines_erased": 0,
            "lines_quarantined": report.lines_quarantined,
            "lines_stored": report.lines_stored,
            "lines_duplicate": report.lines_duplicate,
            **{f"total_{name}": value for name, value in totals.items()},
            "is_balanced": is_balanced,
            "snapshots": {
                table: snapshot
                for table, snapshot in self.lake.snapshots().items()
                if snapshot is not None and table != "refresh_runs"
            },
        }
        self.lake.complete(row, last.completed_at if last is not None else None)
        report.snapshots = row["snapshots"]
        self.step("completed the run")
        return self._finish()

    def _completed_at(self) -> datetime:
        """Now, or just after the last run where that one's clock was ahead: the last run is the one completed last."""
        now = self.clock().replace(tzinfo=None)
        return max(now, self.last.completed_at + timedelta(microseconds=1)) if self.last is not None else now

    def _check_ledger(self, ingested: DataFrame) -> None:
        """Raises LedgerBroken unless each line read has one outcome and no event is stored twice."""
        tables = [self.lake.read(table) for table in ("events", "repeats", "quarantine")]
        if self.settings.command == "refresh":
            # Nothing of a new object is older than the run; files tell by their statistics whose rows they hold.
            tables = [table.where(F.col("run_id") == F.lit(self.run_id)) for table in tables]
        objects = ingested.select("object")
        outcomes = [table.select("object", "line").join(objects, on="object", how="left_semi") for table in tables]
        written = tables[0].where(F.col("run_id") == F.lit(self.run_id))
        broken, suspects = uncovered_lines(ingested, *outcomes).limit(3), may_be_repeated(written).limit(1)
        told = [
            rows.select(F.lit(kind).alias("kind"), F.to_json(F.struct("*")).alias("row"))
            for kind, rows in (("lines", broken), ("events", suspects))
        ]
        found = told[0].unionByName(told[1]).collect()
        lines = [row.row for row in found if row.kind == "lines"]
        if lines:
            raise LedgerBroken(f"lines without exactly one outcome, for instance {', '.join(lines)}")
        if found:
            twice = repeated_events(written).limit(3).toJSON().collect()
            if twice:
                raise LedgerBroken(f"events stored more than once, for instance {', '.join(twice)}")

    def _totals(self, outcome: Outcome | None) -> dict[str, int]:
        """The ledger over all runs: added up from run to run; counted in the tables after other commands."""
        if self.settings.command == "refresh" and not self.settings.reconcile and outcome is not None:
            names = ("lines", "lost", "erased", "quarantined", "stored", "duplicate")
            before = {name: self.last[f"total_{name}"] if self.last is not None else 0 for name in names}
            return {
                "lines": before["lines"] + self.report.lines,
                "lost": before["lost"] + self.report.lines_lost,
                "erased": before["erased"],
                "quarantined": before["quarantined"] + self.report.lines_quarantined,
                "stored": before["stored"] + outcome.inserted,
                "duplicate": before["duplicate"] + outcome.duplicates + outcome.replaced,
            }
        sums = self.lake.read("ingested_objects").agg(F.sum("lines").alias("lines"), F.sum("lines_lost").alias("lost"))
        read = sums.first()
        outcomes = {
            "lost": read.lost or 0,
            "erased": 0,
            "quarantined": self.lake.read("quarantine").count(),
            "stored": self.lake.read("events").count(),
            "duplicate": self.lake.read("repeats").count(),
        }
        # Where the table of objects was lost, a line is known by its outcome alone.
        return {"lines": read.lines if read.lines is not None else sum(outcomes.values()), **outcomes}


def _load_json(package: str, name: str) -> Any:
    return json.loads(files(package).joinpath(name).read_text("utf-8"))


def _load_countries() -> str:
    """The table of countries as a JSON array of {code, name, continent}."""
    with files("glue_jobs").joinpath("reference/countries.csv").open(encoding="utf-8", newline="") as file:
        return json.dumps(list(csv.DictReader(file)))


def main(argv: list[str]) -> int:
    """Exit codes: 0 done (also where nothing was new), 2 wrong arguments; other faults raise."""
    try:
        settings = read_arguments(argv)
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    refresh(start_session(settings), settings)
    return 0


if __name__ == "__main__":
    # Whether Glue counts SystemExit(0) as success is documented nowhere.
    if code := main(sys.argv[1:]):
        sys.exit(code)
