"""Every number that was published and is another one now is in `restatements`, and nothing else is."""

from datetime import date
from decimal import Decimal

import pytest

from glue_jobs.refresh_lake import RunReport
from glue_jobs.tables import TABLES
from tests.spark.golden_days import GOLDEN
from tests.spark.lakes import SmallLake, line

DAILY = ("daily_traffic", "daily_orders", "daily_products", "daily_active")
WEEK = sorted(path.stem for path in GOLDEN.glob("raw/2026-*.ndjson"))


def numbers(lake: SmallLake) -> dict[tuple, Decimal]:
    """Every number of the daily tables: (day, table, metric, slice)."""
    found = {}
    for name in DAILY:
        key = [column for column in TABLES[name].key if column != "event_date"]
        for row in lake.table(name).collect():
            for metric, value in row.asDict().items():
                if isinstance(value, int | Decimal) and not isinstance(value, bool):
                    found[row.event_date, name, metric, " ".join(row[each] for each in key)] = Decimal(value)
    return found


def restated_by(lake: SmallLake, run: RunReport) -> dict[tuple, tuple]:
    """The old and the new value of each number that the run restated."""
    rows = lake.table("restatements").where(f"run_id = '{run.run_id}'").collect()
    restated = {(r.event_date, r.table_name, r.metric, r.slice): (r.old, r.new) for r in rows}
    assert len(rows) == len(restated) == run.restated
    return restated


def changes(today: date, before: dict[tuple, Decimal], after: dict[tuple, Decimal]) -> dict[tuple, tuple]:
    """The old and the new value of each number that was published and is another one now."""
    return {
        place: (before.get(place), after.get(place))
        for place in before.keys() | after.keys()
        if place[0] < today and before.get(place) != after.get(place)
    }


@pytest.fixture(scope="module")
def runs(new_lake) -> list[tuple[str, date | None, dict, dict, dict]]:
    """The golden week in three runs, then a rebuild: id, last day of the run before, numbers before and after,
    and the rows of restatements."""
    lake, told = new_lake(), []
    before, today = {}, None
    for part in (WEEK[:3], WEEK[3:5], WEEK[5:]):
        for day in part:
            lake.put((GOLDEN / f"raw/{day}.ndjson").read_text().splitlines(), day, f"{day}T23:00:00")
        run = lake.run()
        after = numbers(lake)
        restated = restated_by(lake, run)
        for name in ("daily_traffic", "daily_orders", "daily_active"):
            months = lake.table(name).selectExpr("trunc(event_date, 'month')").distinct().count()
            assert lake.table(f"{name}.files").count() == months, f"{name}: one file a month"
        told.append((today, before, after, restated))
        before, today = after, max(day for day, *_ in after)
    assert lake.run(command="rebuild").restated == 0
    return told


def test_the_first_run_restates_nothing(runs):
    today, before, after, restated = runs[0]
    assert today is None and not before and after and not restated


@pytest.mark.parametrize("number", [1, 2])
def test_a_run_lists_what_it_changed_of_days_that_were_over(runs, number):
    today, before, after, restated = runs[number]
    expected = changes(today, before, after)
    assert expected and restated == expected


def test_a_refund_writes_its_own_day_again_and_not_the_orders(new_lake):
    lake = new_lake()
    bought = {"order_id": "o1", "value": "30", "currency": "EUR", "items": [{"product_id": "p", "price": "30"}]}
    lake.put([line("bought", "v1", "2026-09-07T12:00:00", "purchase", **bought)], "bought")
    first = lake.run().run_id
    given_back = line("back", None, "2026-09-20T12:00:00", "refund", order_id="o1", value="30", origin="server")
    lake.put([given_back], "back", "2026-09-20T12:00:00")
    second = lake.run().run_id
    order_day, refund_day = date(2026, 9, 7), date(2026, 9, 20)
    written = {name: set(lake.rows(name, "event_date", "run_id")) for name in ("daily_products", "daily_traffic")}
    assert written == {
        "daily_products": {(order_day, first)},
        "daily_traffic": {(order_day, first), (refund_day, second)},
    }
    assert set(lake.rows("daily_orders", "event_date", "run_id")) == {(order_day, first), (refund_day, second)}
    # Among it that the days between, without any event, have their active visitors.
    lake.assert_like_the_oracle()


def test_a_last_day_that_loses_its_events_takes_the_quiet_days_before_it_along(new_lake):
    lake = new_lake()
    # When it was received is all that is known of it; an earlier copy of it is found later.
    timeless = {"ts": None, "sent_at": None}
    lake.put(
        [line("a", "v1", "2026-09-01T12:00:00"), line("b", "v2", "2026-09-20T12:00:00", **timeless)],
        "first",
    )
    lake.run()
    before = numbers(lake)
    lake.put([line("b", "v2", "2026-09-10T12:00:00", ingest_id="b" * 32, **timeless)], "second")
    run = lake.run()

    lake.assert_like_the_oracle()
    expected = changes(date(2026, 9, 20), before, numbers(lake))
    assert (date(2026, 9, 19), "daily_active", "visitors_30d", "") in expected
    assert restated_by(lake, run) == expected
    prints = lake.prints()
    assert lake.run(command="rebuild").restated == 0
    assert lake.prints() == prints
