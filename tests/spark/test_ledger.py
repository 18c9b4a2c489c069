"""What is lost or counted twice is noticed, and the run that did it is undone."""

import pytest

from glue_jobs.lake import Lake
from glue_jobs.refresh_lake import LedgerBroken
from glue_jobs.transforms.quality import may_be_repeated, repeated_events, uncovered_lines
from tests.spark.lakes import SmallLake, line

NOON = "2026-09-07T12:00:00"


@pytest.mark.parametrize(
    ("events", "repeats", "quarantine", "found"),
    [
        ([("a", 1), ("a", 2)], [("a", 3)], [("b", 1)], []),
        ([("a", 1), ("a", 2)], [], [("b", 1)], [("a", 2, 2)]),
        ([("a", 1), ("a", 2), ("a", 2)], [("a", 3)], [("b", 1)], [("a", 4, 3)]),
        ([("a", 1), ("a", 1), ("a", 2)], [], [("b", 1)], [("a", 3, 2)]),
        ([("a", 1), ("a", 2)], [("a", 3), ("b", 1)], [("b", 1)], [("b", 2, 1)]),
        ([], [], [], [("a", 0, 0), ("b", 0, 0)]),
    ],
)
def test_each_line_has_one_outcome(spark, events, repeats, quarantine, found):
    objects = spark.createDataFrame([("a", 4, 1), ("b", 1, 0)], "object string, lines int, lines_lost int")
    outcomes = [spark.createDataFrame(rows, "object string, line int") for rows in (events, repeats, quarantine)]
    rows = uncovered_lines(objects, *outcomes).collect()
    assert sorted((row.object, row.outcomes, row.lines_with_outcome) for row in rows) == found


@pytest.mark.parametrize(("days", "is_repeated"), [((7, 7), True), ((7, 8), False)])
def test_no_event_is_stored_twice(spark, days, is_repeated):
    rows = [("e1", f"2026-09-{day:02}") for day in days] + [("e2", "2026-09-07")]
    events = spark.createDataFrame(rows, "event_id string, ts_date string")
    assert may_be_repeated(events).count() == repeated_events(events).count() == is_repeated


@pytest.mark.slow
@pytest.mark.parametrize("again", [True, False])
def test_a_run_that_breaks_the_ledger_is_undone(new_lake, monkeypatch, again):
    lake: SmallLake = new_lake()
    lake.put([line("e1", "v", NOON), line("e2", "v", NOON)], "first")
    append = Lake.append

    def append_wrongly(self, table, rows, *days):
        if table == "events":
            rows = rows.unionByName(rows.where("event_id = 'e1'")) if again else rows.where("event_id = 'e1'")
        append(self, table, rows, *days)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append", append_wrongly)
        with pytest.raises(LedgerBroken, match="exactly one outcome"):
            lake.run(reconcile=False)
    assert lake.run(reconcile=False).lines_stored == 2
    assert lake.rows("events", "event_id") == [("e1",), ("e2",)]
