"""The weekly job: keeps the lake quick and small. No row of any table is changed by it, and no raw object deleted.

spark-submit glue_jobs/maintain_lake.py --lake_bucket NAME [--keep_days 7] ...
"""

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from clicklake import endpoints
from clicklake.paths import LISTING_OVERLAP
from glue_jobs.arguments import ArgumentsError, Settings, read_arguments
from glue_jobs.lake import Snapshot, on_days
from glue_jobs.lease import Journal, write_journal
from glue_jobs.packs import make_pack, plan_packs, read_manifests
from glue_jobs.raw_objects import list_raw_objects
from glue_jobs.refresh_lake import Clock, Run, utc_now
from glue_jobs.runtime import start_session, tune
from glue_jobs.tables import TABLES

# Their snapshots stay however old they are: a report may still be read from the last but one.
RUNS_KEPT = 2
# A commit writes its files minutes before it names them; what nothing has named for so long never will be.
ORPHAN_DAYS = 3


@dataclass
class UpkeepReport:
    """What was done. Files before and after are those that were compacted, not all that there are."""

    run_id: str
    tables_compacted: int = 0
    files_before: int = 0
    files_after: int = 0
    manifests_compacted: int = 0
    snapshots_expired: int = 0
    orphans_deleted: int = 0
    packs: int = 0
    objects_packed: int = 0
    bytes_packed: int = 0
    seconds: float = 0.0

    def sentence(self) -> str:
        done = []
        if self.tables_compacted:
            done.append(
                f"compacted {self.files_before:,} files of {self.tables_compacted} tables into {self.files_after:,}"
            )
        if self.manifests_compacted:
            done.append(f"rewrote {self.manifests_compacted:,} manifests")
        if self.snapshots_expired:
            done.append(f"expired {self.snapshots_expired:,} snapshots")
        if self.orphans_deleted:
            done.append(f"deleted {self.orphans_deleted:,} files that no table names")
        if self.packs:
            size = f"{self.bytes_packed / 1e6:,.1f} MB"
            done.append(f"packed {self.objects_packed:,} raw objects ({size}) into {self.packs:,} packs")
        if not done:
            return f"Nothing to do: the lake is in good order ({self.seconds:.1f} s)."
        text = ", ".join(done)
        return f"{text[0].upper()}{text[1:]} ({self.seconds:.1f} s)."


def maintain(
    spark: SparkSession, settings: Settings, clock: Clock = utc_now, say: Callable[[str], None] = print
) -> UpkeepReport:
    """Compacts, expires, tidies and packs, alone: a refresh that is at work is waited for. Safe to repeat
    after any end: every commit leaves the rows as they are, so there is nothing to undo.

    Raises LeaseLost, NotEvolvable, and whatever S3, Glue or Spark raise.
    """
    run = Run(spark, settings, clock, say)
    with run.lease:
        run.prepare()
        upkeep = Upkeep(run)
        if run.last is not None:
            upkeep.close_journal()
            upkeep.compact()
            upkeep.expire()
            upkeep.remove_orphans()
            upkeep.pack()
    upkeep.report.seconds = run.seconds
    say(upkeep.report.sentence())
    return upkeep.report


class Upkeep:
    """The steps of one upkeep, in order."""

    def __init__(self, run: Run) -> None:
        self.run, self.lake, self.settings = run, run.lake, run.settings
        self.report = UpkeepReport(run.run_id)

    def close_journal(self) -> None:
        """A killed refresh has been undone by now; from here on nobody may go back to the snapshots before it."""
        former = self.run.journal
        if former is None or former.run_id != self.run.last.run_id:
            self.lake.before_commit()
            closed = Journal(self.run.last.run_id, self.lake.snapshots())
            write_journal(self.run.s3, self.settings.lake_bucket, closed, former)

    def compact(self) -> None:
        tune(self.run.spark, sum(self.lake.total_bytes(table) for table in TABLES))
        report = self.report
        for table in self.lake.written_tables():
            before, after = self.lake.compact(table)
            report.tables_compacted += before > 0
            report.files_before += before
            report.files_after += after
            report.manifests_compacted += self.lake.compact_manifests(table)
        self.run.step(f"compacted {report.files_before:,} files into {report.files_after:,}")

    def expire(self) -> None:
        before = self.run.clock() - timedelta(days=self.settings.keep_days)
        named = self._named_snapshots(before)
        for table in self.lake.written_tables():
            expired = choose_expired(self.lake.history(table), named, before)
            if expired:
                self.lake.expire(table, expired)
                self.report.snapshots_expired += len(expired)
        self.run.step(f"expired {self.report.snapshots_expired:,} snapshots")

    def remove_orphans(self) -> None:
        before = self.run.clock() - timedelta(days=ORPHAN_DAYS)
        for table in TABLES:
            self.report.orphans_deleted += self.lake.remove_orphans(table, before)
        self.run.step(f"deleted {self.report.orphans_deleted:,} files that no table names")

    def pack(self) -> None:
        """Packs the objects of closed days that have been read and lie in no pack yet."""
        s3, bucket = self.run.s3, self.settings.lake_bucket
        now = self.run.clock()
        last = last_closed_day(now)
        listed = [item for item in list_raw_objects(s3, bucket, None, now) if item.date <= last]
        packed = read_manifests(s3, bucket, {item.date for item in listed}.__contains__)
        waiting = [item for item in listed if item.key not in packed]
        plans = plan_packs(waiting, self._read_objects({item.date for item in waiting}))
        if plans:
            # By the workers: a day of a large shop is more than the driver's memory holds.
            made = (
                self.run.spark.sparkContext.parallelize(plans, len(plans))
                .map(lambda plan: make_pack(endpoints.client("s3"), bucket, plan))
                .collect()
            )
            self.report.packs = sum(objects > 0 for objects, _ in made)
            self.report.objects_packed = sum(objects for objects, _ in made)
            self.report.bytes_packed = sum(size for _, size in made)
        unread = len(waiting) - sum(len(plan.objects) for plan in plans)
        left = f"; {unread:,} that no refresh has read wait" if unread else ""
        self.run.step(f"packed {self.report.objects_packed:,} raw objects{left}")

    def _named_snapshots(self, since: datetime) -> set[int]:
        """The snapshots that runs completed since then name, and those that the last RUNS_KEPT name."""
        runs = self.lake.read("refresh_runs").select("run_id", "completed_at", "snapshots")
        is_recent = F.col("completed_at") >= F.lit(since.replace(tzinfo=None)).cast("timestamp_ntz")
        latest = runs.orderBy(F.col("completed_at").desc(), F.col("run_id").desc()).limit(RUNS_KEPT)
        return {
            snapshot
            for row in runs.where(is_recent).unionByName(latest).collect()
            for snapshot in row.snapshots.values()
        }

    def _read_objects(self, days: Collection[date]) -> dict[str, tuple[int, str | None]]:
        rows = self.lake.read("ingested_objects").where(on_days("object_date", days))
        return {row.object: (row.lines, row.error) for row in rows.select("object", "lines", "error").toLocalIterator()}


def choose_expired(history: Iterable[Snapshot], named: Collection[int], before: datetime) -> list[int]:
    """The snapshots committed before then that no branch, tag or run names."""
    return [s.id for s in history if s.committed_at < before and not s.is_named and s.id not in named]


def last_closed_day(now: datetime) -> date:
    """The last UTC day whose raw objects a refresh looks for no more; keys without a day count as closed."""
    return (now.astimezone(timezone.utc) - LISTING_OVERLAP).date() - timedelta(days=1)


def main(argv: list[str]) -> int:
    """Exit codes: 0 done (also where nothing was to do), 2 wrong arguments; other faults raise."""
    try:
        settings = read_arguments(argv)
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    maintain(start_session(settings), settings)
    return 0


if __name__ == "__main__":
    # Whether Glue counts SystemExit(0) as success is documented nowhere.
    if code := main(sys.argv[1:]):
        sys.exit(code)
