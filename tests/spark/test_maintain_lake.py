"""Upkeep changes no row, keeps what runs name, and may be killed anywhere; packs give what raw objects gave."""

import gzip
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from pyspark.sql.types import StructType

from clicklake.paths import PROCESSED_PREFIX, RAW_PREFIX
from glue_jobs.lake import Lake
from glue_jobs.lease import Journal, Lease, read_journal, write_journal
from glue_jobs.maintain_lake import UpkeepReport, maintain
from glue_jobs.packs import join_packs, read_manifests
from glue_jobs.raw_objects import RawObject, list_raw_objects, read_lines
from glue_jobs.refresh_lake import Run
from glue_jobs.tables import TABLES
from tests.spark.golden_days import all_lines, put_all
from tests.spark.lakes import SmallLake

DAYS = (date(2026, 9, 7), date(2026, 9, 8))
A_MONTH_LATER = timedelta(days=30)


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def upkeep(
    lake: SmallLake, say: Callable[[str], None] = lambda _: None, later: timedelta = A_MONTH_LATER
) -> UpkeepReport:
    return maintain(lake.spark, lake.settings, clock=lambda: utc_now() + later, say=say)


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake of three tables, so that a test need not make, tidy and read fourteen."""
    for name in set(TABLES) - {"visitor_days", "ingested_objects", "refresh_runs"}:
        monkeypatch.delitem(TABLES, name)


class Rows:
    """Writes rows as runs do, a commit each."""

    def __init__(self, lake: SmallLake) -> None:
        self.spark, self.database = lake.spark, lake.settings.database
        self.writer = Lake(self.spark, self.database, "test", datetime(2026, 9, 9))
        self.writer.create_missing_tables()

    def frame(self, table: str, *rows: dict):
        schema = ", ".join(f"{c.name} {c.type}" for c in TABLES[table].columns)
        return self.spark.createDataFrame([[row.get(c) for c in TABLES[table].column_names] for row in rows], schema)

    def append(self, table: str, *rows: dict) -> None:
        self.writer.append(table, self.frame(table, *rows))

    def complete_run(self, run_id: str, completed_at: datetime | None = None) -> dict[str, int]:
        """A row of refresh_runs; gives the snapshots it names."""
        snapshots = {t: s for t, s in self.writer.snapshots().items() if s is not None and t != "refresh_runs"}
        at = (completed_at or utc_now()).replace(tzinfo=None)
        self.append("refresh_runs", {"run_id": run_id, "completed_at": at, "snapshots": snapshots})
        return snapshots


def write_history(rows: Rows) -> tuple[dict[str, int], dict[str, int]]:
    """Two runs' worth of small files and deleted rows; gives the snapshots that each of the runs names."""
    for number in range(4):
        visits = [{"event_date": day, "visitor_id": f"v{number}", "active_events": number} for day in DAYS]
        rows.append("visitor_days", *visits)
    first = rows.complete_run("first")
    changed = {"event_date": DAYS[0], "visitor_id": "v1", "active_events": 100}
    gone = rows.frame("visitor_days", {"event_date": DAYS[1], "visitor_id": "v2"})
    rows.writer.merge("visitor_days", rows.frame("visitor_days", changed), gone=gone)
    return first, rows.complete_run("second")


def all_rows(lake: SmallLake) -> dict[str, list]:
    return {table: lake.rows(table) for table in TABLES if table != "refresh_runs"}


def files(lake: SmallLake, table: str, kind: str = "data_files") -> int:
    return lake.table(f"{table}.{kind}").count()


@pytest.mark.usefixtures("few_tables")
def test_upkeep_changes_no_row_keeps_what_runs_name_and_then_has_nothing_to_do(new_lake):
    lake = new_lake()
    rows = Rows(lake)
    first, second = write_history(rows)
    before = all_rows(lake)
    old_rows = lake.spark.read.option("snapshot-id", first["visitor_days"]).table(rows.writer.name("visitor_days"))
    old = sorted(map(tuple, old_rows.collect()))
    folder = "results/visitor_days"
    lake.put_bytes(f"{folder}/data/left-by-a-killed-run.parquet", b"x")
    lake.put_bytes(f"{folder}_of_others/data/not-ours.parquet", b"x")

    report = upkeep(lake)

    assert all_rows(lake) == before
    assert (files(lake, "visitor_days"), files(lake, "visitor_days", "delete_files")) == (1, 0), "one month"
    in_file = [row.event_date for row in lake.table("visitor_days").select("event_date").collect()]
    assert in_file == sorted(in_file)
    assert (report.tables_compacted, report.orphans_deleted) == (1, 1)
    assert report.snapshots_expired > 0
    kept = {row.snapshot_id for row in lake.table("visitor_days.snapshots").collect()}
    assert {first["visitor_days"], second["visitor_days"]} <= kept
    assert len(kept) == 3, "besides these two only the one that upkeep made"
    old_rows = lake.spark.read.option("snapshot-id", first["visitor_days"]).table(rows.writer.name("visitor_days"))
    assert sorted(map(tuple, old_rows.collect())) == old
    paths = {row.file_path for row in lake.table("visitor_days.all_files").select("file_path").collect()}
    assert in_folder(lake, f"{folder}/data/") == paths
    assert "Contents" in lake.s3.list_objects_v2(Bucket=lake.settings.lake_bucket, Prefix=f"{folder}_of_others/")

    snapshots = rows.writer.snapshots()
    again = upkeep(lake)
    assert "Nothing to do" in again.sentence()
    assert rows.writer.snapshots() == snapshots


def in_folder(lake: SmallLake, folder: str) -> set[str]:
    bucket = lake.settings.lake_bucket
    listed = lake.s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]
    return {f"s3://{bucket}/{item['Key']}" for item in listed}


class Killed(BaseException):
    """Stands for a killed driver: nothing after it is done."""


def run_until_commit(lake: SmallLake, number: int) -> bool:
    """Upkeep whose driver is gone before its so manieth commit; False if it has fewer."""
    commits = 0

    def count(self: Lake) -> None:
        nonlocal commits
        commits += 1
        if commits == number:
            raise Killed

    original = Lake.__init__

    def init(self, *arguments) -> None:
        original(self, *arguments)
        self.before_commit = lambda: count(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lake, "__init__", init)
        try:
            upkeep(lake)
        except Killed:
            return True
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("few_tables")
def test_upkeep_killed_before_each_commit_in_turn_leaves_the_rows_and_a_killed_refresh_stays_undone(new_lake):
    lake = new_lake()
    rows = Rows(lake)
    write_history(rows)
    before = all_rows(lake)
    # A refresh wrote one table and was killed.
    s3, bucket = lake.s3, lake.settings.lake_bucket
    write_journal(s3, bucket, Journal("killed", rows.writer.snapshots()), read_journal(s3, bucket))
    rows.append("visitor_days", {"event_date": DAYS[0], "visitor_id": "v9", "active_events": 1})

    kills = 0
    while run_until_commit(lake, number=kills + 1):
        kills += 1
        if kills > 1:  # before the first commit the killed refresh is not undone yet
            assert all_rows(lake) == before
    assert kills >= 5

    # What the next refresh begins with: nothing to go back to, although the journal's snapshots are gone.
    run = Run(lake.spark, lake.settings, utc_now, lambda _: None)
    with run.lease:
        run.prepare()
    assert all_rows(lake) == before
    assert read_journal(lake.s3, lake.settings.lake_bucket).run_id == "second"


@pytest.mark.slow
@pytest.mark.usefixtures("few_tables")
def test_upkeep_waits_for_the_run_at_work_and_then_compacts_what_it_wrote(new_lake):
    lake = new_lake()
    rows = Rows(lake)
    write_history(rows)
    is_waiting = threading.Event()
    reports = []
    at_work = Lease(lake.s3, lake.settings.lake_bucket, "at work", 5.0, lambda _: None)
    with at_work:
        said = lambda text: is_waiting.set() if "waiting" in text else None  # noqa: E731
        thread = threading.Thread(target=lambda: reports.append(upkeep(lake, said)))
        thread.start()
        assert is_waiting.wait(timeout=60)
        rows.append("visitor_days", {"event_date": DAYS[0], "visitor_id": "late", "active_events": 1})
        rows.complete_run("third")
        before = all_rows(lake)
    thread.join()
    assert reports[0].tables_compacted == 1
    assert all_rows(lake) == before
    assert files(lake, "visitor_days") == len({day.replace(day=1) for day in DAYS})


@pytest.mark.slow
def test_refreshes_go_on_beside_upkeep_killed_at_commits(new_lake, in_one_go):
    lake = new_lake()
    lines = all_lines()
    for number in range(5):
        lake.put(lines[number::5], f"part{number}", f"2026-09-{7 + number:02}T10:00:00")
        lake.run()
        run_until_commit(lake, number=4 * number + 2)
    upkeep(lake)
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]
    assert not lake.run().is_changed


# --- packs


def damaged_objects(lake: SmallLake) -> None:
    """Good objects and every kind of damage, of two days and of none."""
    lake.put(['{"a": 1}', '{"a": 2}'], "good", "2026-09-07T10:00:00")
    lake.put(["not json", b"\xff\xfe not utf-8", ""], "odd-lines", "2026-09-07T11:00:00")
    whole = gzip.compress(b"".join(b'{"line": %d}\n' % n for n in range(2000)), 1)
    prefix = "raw/year=2026/month=09/day=08/hour=05/"
    lake.put_bytes(f"{prefix}events-truncated-2000.ndjson.gz", whole[: len(whole) // 2])
    lake.put_bytes(f"{prefix}events-broken-2000.ndjson.gz", whole[:500] + b"\x00" * 40 + whole[540:])
    lake.put_bytes(f"{prefix}events-empty-3.ndjson.gz", b"")
    lake.put_bytes(f"{prefix}events-two-members-4.ndjson.gz", gzip.compress(b"1\n2\n") + gzip.compress(b"3\n4\n"))
    lake.put_bytes(f"{prefix}events-rubbish-behind-2.ndjson.gz", gzip.compress(b"1\n2\n") + b"rubbish")
    lake.put_bytes("raw/somebody's own.txt", b"plain\ntext without an end")


def read_all(lake: SmallLake, objects: list[RawObject]) -> list[tuple]:
    rows = read_lines(lake.spark, lake.settings.lake_bucket, objects, StructType()).drop("parsed").collect()
    return sorted(map(tuple, rows), key=repr)


def in_raw(lake: SmallLake) -> dict[str, str]:
    listed = list_raw_objects(lake.s3, lake.settings.lake_bucket, None, utc_now())
    return {item.key: item.etag for item in listed}


def with_packs(lake: SmallLake) -> list[RawObject]:
    listed = list_raw_objects(lake.s3, lake.settings.lake_bucket, None, utc_now())
    return join_packs(listed, read_manifests(lake.s3, lake.settings.lake_bucket, lambda _: True))


def empty(lake: SmallLake, prefix: str, end: str = "") -> None:
    """What lifecycle rules, or an accident, do."""
    for page in lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.settings.lake_bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if item["Key"].endswith(end):
                lake.s3.delete_object(Bucket=lake.settings.lake_bucket, Key=item["Key"])


@pytest.mark.usefixtures("few_tables")
def test_a_pack_gives_the_lines_and_faults_of_its_objects_when_raw_has_lost_them(new_lake):
    lake = new_lake()
    rows = Rows(lake)
    damaged_objects(lake)
    listed = list_raw_objects(lake.s3, lake.settings.lake_bucket, None, utc_now())
    lines = read_all(lake, listed)
    rows.append("ingested_objects", *({"object": o.key, "object_date": o.date, "lines": 1} for o in listed))
    rows.complete_run("first")
    lake.put(["not read yet"], "new", "2026-09-08T09:00:00")
    lake.put(["of a day that is open"], "open", f"{utc_now() + A_MONTH_LATER:%Y-%m-%dT%H:00:00}")
    raw = in_raw(lake)

    said: list[str] = []
    report = upkeep(lake, said.append)

    assert (report.packs, report.objects_packed) == (3, len(listed))
    assert any("1 that no refresh has read" in text for text in said)
    assert in_raw(lake) == raw, "nothing under raw/ is deleted or changed"
    packed = {item.key for item in with_packs(lake) if item.packed is not None}
    assert packed == {item.key for item in listed}

    empty(lake, RAW_PREFIX)
    assert read_all(lake, with_packs(lake)) == lines

    # A pack whose bytes are not what they were: raw/ is asked, and says that it has lost the object.
    for item in with_packs(lake):
        lake.put_bytes(item.packed.pack, b"\x00" * 100_000)
    faults = {row[4] for row in read_all(lake, [i for i in with_packs(lake) if i.bytes])}
    assert faults == {"not fetched: NoSuchKey"}


@pytest.mark.slow
@pytest.mark.usefixtures("few_tables")
def test_a_pack_without_a_manifest_is_made_again_and_any_fault_of_a_pack_is_made_good_by_raw(new_lake):
    lake = new_lake()
    rows = Rows(lake)
    damaged_objects(lake)
    listed = list_raw_objects(lake.s3, lake.settings.lake_bucket, None, utc_now())
    lines = read_all(lake, listed)
    rows.append("ingested_objects", *({"object": o.key, "object_date": o.date, "lines": 1} for o in listed))
    rows.complete_run("first")
    upkeep(lake)
    packs = {item.packed.pack for item in with_packs(lake)}

    empty(lake, PROCESSED_PREFIX, ".manifest.json")  # as killed before the manifests
    assert all(item.packed is None for item in with_packs(lake))
    assert upkeep(lake).packs == len(packs)
    objects = with_packs(lake)
    assert {item.packed.pack for item in objects} == packs, "made again, a pack is the same object"

    empty(lake, PROCESSED_PREFIX, ".ndjson.gz")
    assert read_all(lake, objects) == lines
    # A foreign object written anew: what raw/ has now is read.
    lake.put_bytes("raw/somebody's own.txt", b"plain\ntext without an END")
    changed = [item for item in with_packs(lake) if item.packed is None]
    assert [item.key for item in changed] == ["raw/somebody's own.txt"]


@pytest.mark.slow
def test_the_golden_week_is_the_same_from_raw_objects_and_from_packs_alone(new_lake, in_one_go, running_emulator):
    lake = new_lake()
    put_all(lake, 3, runs=3)
    raw = in_raw(lake)
    upkeep(lake)
    assert in_raw(lake) == raw
    assert lake.prints() == in_one_go[1]
    week = {"command": "reparse", "first_day": date(2026, 9, 7), "last_day": date(2026, 9, 13)}

    lake.run(**week)  # packs and raw objects
    assert lake.prints() == in_one_go[1]

    empty(lake, RAW_PREFIX)
    lake.run(**{**week, "first_day": date(2026, 9, 9)})  # packs, with copies of events in packs of other days
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]
    assert not lake.run().is_changed

    # Every table is lost.
    bucket, database = lake.settings.lake_bucket, f"{lake.settings.database}_again"
    location = {"Name": database, "LocationUri": f"s3://{bucket}/results/again"}
    running_emulator.client("glue").create_database(DatabaseInput=location)
    anew = SmallLake(lake.spark, lake.s3, replace(lake.settings, database=database))
    anew.run(**{**week, "first_day": date(1970, 1, 1)})
    anew.assert_every_line_has_one_outcome()
    assert anew.prints() == in_one_go[1]


@pytest.mark.slow
def test_copies_of_raw_objects_and_packs_give_the_same_tables_elsewhere(new_lake, in_one_go):
    lost, elsewhere = new_lake(), new_lake()
    put_all(lost, 3, runs=2)
    upkeep(lost)
    here = lost.settings.lake_bucket
    for prefix in (RAW_PREFIX, PROCESSED_PREFIX):
        for page in lost.s3.get_paginator("list_objects_v2").paginate(Bucket=here, Prefix=prefix):
            for item in page["Contents"]:
                source = {"Bucket": here, "Key": item["Key"]}
                lost.s3.copy_object(Bucket=elsewhere.settings.lake_bucket, Key=item["Key"], CopySource=source)
    empty(lost, "")

    elsewhere.run(command="reparse", first_day=date(1970, 1, 1), last_day=utc_now().date())
    elsewhere.assert_every_line_has_one_outcome()
    assert elsewhere.prints() == in_one_go[1]
