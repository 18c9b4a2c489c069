"""The same raw lines give equal tables, in any order, repeated, copied or split."""

from datetime import date

import pytest

from glue_jobs import arrivals, refresh_lake, runtime
from glue_jobs.runtime import SMALL_DAYS_BYTES, SMALL_RUN_BYTES, is_small, tune
from tests.spark.golden_days import put_all


@pytest.mark.parametrize("seed", [*range(1, 4), *(pytest.param(n, marks=pytest.mark.slow) for n in range(4, 51))])
def test_order_repetition_and_splitting_do_not_matter(new_lake, in_one_go, seed):
    lake = new_lake()
    put_all(lake, seed, runs=2)
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


def test_the_ways_of_large_runs_give_the_same_tables(new_lake, in_one_go, monkeypatch):
    monkeypatch.setattr(runtime, "SMALL_RUN_BYTES", 0)
    monkeypatch.setattr(runtime, "PARTITION_BYTES", 4 << 10)
    monkeypatch.setattr(arrivals, "FEW_EVENTS", 0)
    monkeypatch.setattr("glue_jobs.lake.MAX_OPEN_DAYS", 1)
    lake = new_lake()
    put_all(lake, 1, runs=2)
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


def test_rebuild_and_reparse_give_the_same_tables(in_one_go, monkeypatch):
    lake, prints = in_one_go
    sizes = []
    monkeypatch.setattr(refresh_lake, "tune", lambda *told: sizes.append(told[1:]) or runtime.tune(*told))
    lake.run(command="rebuild")
    assert lake.prints() == prints
    lake.run(command="reparse", first_day=date(2026, 9, 8), last_day=date(2026, 9, 10))
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == prints
    (stored,), (read, around) = sizes
    assert 0 < around < stored, "the lake has more days than a run reads"
    assert 0 < read < runtime.SMALL_RUN_BYTES


def test_a_small_run_reads_little_and_lies_among_small_days(spark):
    tune(spark, SMALL_RUN_BYTES, SMALL_DAYS_BYTES)
    assert is_small(spark)
    for sizes in ((SMALL_RUN_BYTES + 1, 0), (1, SMALL_DAYS_BYTES + 1)):
        tune(spark, *sizes)
        assert not is_small(spark)


def test_a_second_refresh_changes_nothing_and_says_so(in_one_go):
    lake, _ = in_one_go
    before = {name: lake.table(name + ".snapshots").count() for name in ("events", "sessions", "refresh_runs")}
    report = lake.run()
    after = {name: lake.table(name + ".snapshots").count() for name in before}
    assert not report.is_changed and "Nothing new" in report.sentence()
    assert after == before
