"""A run killed after any of its commits is made good by the next one."""

import threading
from datetime import datetime, timedelta

import pytest
from py4j.protocol import Py4JJavaError

from glue_jobs.lake import ForeignCommit, Lake
from glue_jobs.tables import RESTATEMENTS
from tests.spark.golden_days import all_lines
from tests.spark.lakes import SmallLake


class Killed(BaseException):
    """Stands for a killed driver: nothing after it is done."""


def commit_points(monkeypatch, die_after: int | None) -> list[str]:
    """Counts the commits of a run; after the given number the driver is gone."""
    commits: list[str] = []
    for method in ("append", "overwrite", "_merge"):
        original = getattr(Lake, method)

        def commit(self, table, *args, original=original, **kwargs):
            original(self, table, *args, **kwargs)
            commits.append(table)
            if len(commits) == die_after:
                raise Killed

        monkeypatch.setattr(Lake, method, commit)
    return commits


def two_halves(lake: SmallLake) -> None:
    lines = all_lines()
    half = len(lines) // 2
    lake.put(lines[:half], "first", "2026-09-07T10:00:00")
    lake.run()
    lake.put(lines[half:], "second", "2026-09-13T10:00:00")


def test_every_so_many_runs_compact_small_files_and_may_be_killed_while_they_do(new_lake, in_one_go, monkeypatch):
    lake = new_lake()
    monkeypatch.setattr("glue_jobs.refresh_lake.RUNS_A_COMPACTION", 2)
    monkeypatch.setattr("glue_jobs.lake.SMALL_FILES", 2)
    compact = Lake.compact

    def compact_and_die(self, table, **options):
        if table == "refresh_runs":
            raise Killed
        return compact(self, table, **options)

    lines = all_lines()
    compacted = []
    for number in range(4):
        lake.put(lines[number::4], f"part{number}", f"2026-09-{7 + number:02}T10:00:00")
        told: list[str] = []
        with monkeypatch.context() as patch:
            if number == 1:
                patch.setattr(Lake, "compact", compact_and_die)
            try:
                lake.run(say=told.append)
            except Killed:
                told.append("killed")
        compacted.append(told[-1] == "killed" or any("compacted" in text for text in told))
        if number == 2:
            assert lake.table("refresh_runs.data_files").count() == 1
            assert {row.file_count for row in lake.table("events.partitions").collect()} == {1}
    assert compacted == [False, True, True, False], "the second run was killed while it did, so the third did"
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]
    assert not lake.run().is_changed


def test_killed_after_one_commit_after_the_other_the_lake_is_whole_in_the_end(new_lake, in_one_go):
    lake = new_lake()
    two_halves(lake)
    killed_after = []
    # After every other one; the slow test below has all of them.
    for die_after in range(2, 40, 2):
        with pytest.MonkeyPatch.context() as patch:
            commits = commit_points(patch, die_after)
            try:
                lake.run()
                break
            except Killed:
                killed_after.append(commits[-1])
    assert len(killed_after) >= 6
    assert killed_after[-1] == "refresh_runs", "begin with the other half: the run's own row is to be among them"
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


@pytest.mark.slow
@pytest.mark.parametrize("die_after", range(1, 15))
def test_killed_after_a_commit_the_next_run_makes_it_good(new_lake, in_one_go, die_after):
    lake = new_lake()
    two_halves(lake)
    with pytest.MonkeyPatch.context() as patch:
        commits = commit_points(patch, die_after)
        with pytest.raises(Killed):
            lake.run()
    lake.run()
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1], f"killed after {commits[-1]}"


def test_two_runs_released_together_give_the_same_tables(new_lake, in_one_go):
    lake = new_lake(lease_seconds=20.0)
    lake.put(all_lines(), "all")
    barrier = threading.Barrier(2)
    reports = []

    def run() -> None:
        barrier.wait()
        reports.append(lake.run())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.is_changed for report in reports) == [False, True]
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


def another_runs_lake(lake: SmallLake, run_id: str = "lost") -> Lake:
    """The tables as a run sees them that has lost its lease and does not know it."""
    # A session of its own: what it knows of the tables is as old as when it first looked.
    return Lake(lake.spark.newSession(), lake.settings.database, run_id, datetime(2026, 9, 7))


def test_a_commit_that_lands_after_another_run_is_taken_back_by_the_next(in_one_go):
    lake, prints = in_one_go
    another_runs_lake(lake).append("events", lake.table("events").limit(5))
    assert lake.prints() != prints
    assert not lake.run().is_changed
    assert lake.prints() == prints
    lake.assert_every_line_has_one_outcome()


def test_rows_of_a_table_that_no_run_wrote_are_taken_back_once(in_one_go):
    lake, _ = in_one_go
    assert "restatements" not in lake.table("refresh_runs").first().snapshots
    lost = another_runs_lake(lake)
    lost.append("restatements", lake.spark.range(3).selectExpr(*(f"null as {c}" for c in RESTATEMENTS.column_names)))
    lake.run()
    assert lake.table("restatements").count() == 0
    before = another_runs_lake(lake).snapshots()
    lake.run()
    assert another_runs_lake(lake).snapshots() == before


@pytest.mark.parametrize("knows_the_last", [True, False])
def test_a_run_is_not_completed_when_another_was_since_it_began(in_one_go, knows_the_last):
    lake, _ = in_one_go
    before = lake.table("refresh_runs").collect()
    run = before[0]
    last = max(row.completed_at for row in before) if knows_the_last else None
    held_up, other = another_runs_lake(lake), another_runs_lake(lake, "other")
    began_with = held_up.snapshot("refresh_runs")
    assert other.snapshot("refresh_runs") == began_with
    other.complete({**run.asDict(), "run_id": "other"}, last)
    with pytest.raises(Py4JJavaError, match="ValidationException"):
        held_up.complete({**run.asDict(), "run_id": "held up"}, last)
    after = another_runs_lake(lake)
    runs = sorted(row.run_id for row in after.read("refresh_runs").collect())
    assert runs == sorted([*(row.run_id for row in before), "other"])
    after.go_back("refresh_runs", began_with)


def test_the_rows_of_older_runs_are_not_read_to_complete_one(in_one_go):
    lake, _ = in_one_go
    run = lake.table("refresh_runs").first().asDict()
    writer = another_runs_lake(lake)
    began_with, last = writer.snapshot("refresh_runs"), run["completed_at"]
    writer.complete({**run, "run_id": "old", "completed_at": last - timedelta(hours=2)}, last)
    old = writer.read("refresh_runs").where("run_id = 'old'").select("_file").first()._file
    lake.s3.delete_object(Bucket=lake.settings.lake_bucket, Key=old.split("/", 3)[3])
    with pytest.raises(Py4JJavaError, match=r"NotFound|NoSuchKey|does not exist"):
        writer.complete({**run, "run_id": "reads all"}, None)
    writer.complete({**run, "run_id": "new"}, last)
    writer.go_back("refresh_runs", began_with)


@pytest.mark.slow
def test_a_run_that_meets_the_commit_of_another_does_not_complete_and_is_made_good(new_lake, in_one_go):
    lake = new_lake()
    two_halves(lake)
    lost = another_runs_lake(lake)
    append = Lake.append

    def append_after_the_lost_one(self, table, rows, *days):
        if table == "ingested_objects":
            append(lost, "ingested_objects", lake.table("ingested_objects"))
        append(self, table, rows, *days)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lake, "append", append_after_the_lost_one)
        with pytest.raises(ForeignCommit):
            lake.run()
    lake.run()
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]
