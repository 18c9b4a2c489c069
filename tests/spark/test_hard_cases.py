"""Lines and objects that once were wrong, or would have stopped every run."""

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from tests.spark.lakes import SmallLake, line, ms

NOON = "2026-09-07T12:00:00"
AT = ms(NOON)
GRANTED = {"analytics": "granted", "marketing": "granted"}


@pytest.fixture(scope="module")
def lake(new_lake) -> SmallLake:
    """Two runs, since much of what a run does depends on what it finds."""
    lake = new_lake()
    item = {"product_id": "p1", "price": "10.5", "qty": 2}
    lake.put(
        [
            line("summed", "v1", NOON, "purchase", order_id="o1", items=[item], discount="1"),
            line("no-money", "v1", AT + 1, "purchase", order_id="o2"),
            line("valued", "v1", AT + 2, "purchase", order_id="o3", value="30"),
            line("all-back", None, AT + 3, "refund", order_id="o3"),
            line("long", "v2", NOON, page_url="https://shop.example/?utm_source=" + "x" * 7_800),
            line("referred", "v3", NOON, page_url=None, referrer="https://www.google.de/"),
            line("old", "v4", -62_135_596_800_000, sent_at=-62_135_596_800_000, received_at=AT),
            line("nanoseconds", "v5", 1_790_000_000_000_000_000, sent_at=AT, received_at=AT),
            line("greatest", "v5", 2**63 - 1, sent_at=AT, received_at=2**62),
            line("anonymous", None, NOON, "purchase", order_id="o4", value="5"),
            line("before-midnight", "v6", "2026-09-07T23:55:00", page_view_id="p1"),
            line("left", "v6", "2026-09-08T23:45:00", "page_leave", page_view_id="p1"),
            line("in-dollars", "v7", AT, "purchase", order_id="o5", value="100", currency="USD"),
            line("told-without", "v7", AT + 5_000, "refund", order_id="o5", value="30"),
            line("below-nothing", "v7", AT + 9_000, "purchase", order_id="o6", value="-5"),
            line("from-server", None, AT, "purchase", order_id="o7", value="7", origin="server", consent=GRANTED),
            line("at-home", "v8", NOON, page_url="http://localhost:1/a", referrer="http://localhost:1/"),
            line("spaced", "v9", NOON, page_url="https://shop.example/?utm_source=%20news%20&utm_medium=+EMail+"),
            line("shouted", "v9", "2026-09-08T12:00:00", page_url="https://shop.example/?UTM_Source=news&GCLID=1"),
            line("pageless", "v11", NOON, "click", props={"engaged_ms": 20_000}),
            line("numbers", "v10", NOON, page_title=5, device={"type": True}, value=5.5),
            line("numbers", "v10", NOON, page_title=5, props={"scroll_pct": "deep"}),
            line("deep", "v10", NOON, props={"scroll_pct": "deep"}, position=1),
            line("two", "v10", NOON, items=[{"product_id": "p1", "qty": "two"}], position=2),
            line("no-number", "v10", NOON, value=float("nan"), position=5),
            line("perhaps", "v10", NOON, verdict="perhaps", position=3),
            line("placeless", "v10", NOON, position="first"),
            json.dumps(line("torn", "v10", NOON, page_title="?", position=4)).encode().replace(b"?", b"\xff"),
            b'{"page_title": "' + b"x" * (1 << 20) + b'"}',
            line("after-midnight", "v6", "2026-09-09T00:05:00", page_view_id="p2"),
        ],
        "first",
    )
    lake.run(reconcile=False)
    again = line("old", "v4", -62_135_596_800_000, sent_at=-62_135_596_800_000, received_at=AT, ingest_id="a" * 32)
    lake.put([again], "second")
    # Foreign keys: a day without an hour, a number that is no count of lines.
    lake.put_bytes("raw/year=2026/month=09/day=07/copy.ndjson", _text(again) + _text(again))
    lake.put_bytes("raw/year=2026/month=13/day=01/hour=05/copy.ndjson", _text(again))
    lake.put_bytes("raw/events-export-20260907123000.ndjson.gz", _text(again))
    lake.put_bytes("raw/year=2026/month=09/day=07/hour=12/events-torn-3.ndjson.gz", b"")
    lake.put(
        [
            line(
                "anonymous",
                None,
                AT + 60_000,
                "purchase",
                order_id="o4",
                value="5",
                user_id="1.anna",
                ingest_id="b" * 32,
            ),
            line("late", "v6", "2026-09-07T23:50:00", "click"),
        ],
        "third",
    )
    lake.run()
    return lake


def _text(raw_line: dict) -> bytes:
    return json.dumps(raw_line).encode() + b"\n"


def test_the_account_balances_and_each_line_has_one_outcome(lake):
    lake.assert_every_line_has_one_outcome()
    lost = lake.rows("ingested_objects", "lines_lost", "object")
    assert [(n, key.rsplit("/", 1)[-1]) for n, key in lost if n] == [(3, "events-torn-3.ndjson.gz")]


def test_orders_take_their_value_from_items_and_refunds_what_remains(lake):
    orders = {row[0]: row[1:] for row in lake.rows("orders", "order_id", "value", "refunded", "is_cancelled")}
    assert orders["o1"] == (Decimal("20"), Decimal("0"), False)
    assert "o2" not in orders
    assert orders["o3"] == (Decimal("30"), Decimal("30"), True)
    assert orders["o5"] == (Decimal("100"), Decimal("30"), False)
    assert orders["o6"] == (Decimal("0"), Decimal("0"), False)


def test_a_copy_with_a_verified_user_names_an_event_without_visitor(lake):
    assert ("o4", "1.anna") in lake.rows("orders", "order_id", "user_id")


def test_numbers_out_of_range_are_refused(lake):
    reasons = {row[0]: row[1:] for row in lake.rows("quarantine", "raw_line", "reason", "field")}
    assert {("type_drift", "received_at"), ("type_drift", "ts")} <= set(reasons.values())


def test_lines_of_wrong_types_are_refused_and_leave_what_shares_their_place(lake):
    refused = {row[0]: row[1] for row in lake.rows("quarantine", "position", "reason") if row[0]}
    assert refused == {1: "type_drift", 2: "type_drift", 3: "type_drift", 4: "not_utf8", 5: "type_drift"}
    assert sorted(row[0] for row in lake.rows("quarantine", "reason", "position") if row[1] == 0) == [
        "line_too_long", "not_json", "type_drift", "type_drift", "type_drift",
    ]  # fmt: skip
    assert ("numbers", "5") in lake.rows("events", "event_id", "page_title")


def test_consent_decides_and_not_the_visitor(lake):
    assert ("o7", True, None) in lake.rows("orders", "order_id", "is_consented", "visitor_id")


def test_a_clock_in_the_year_1_is_corrected_and_its_repeats_are_known(lake):
    [(event_date, ts_date)] = [r[1:] for r in lake.rows("events", "event_id", "event_date", "ts_date") if r[0] == "old"]
    assert (event_date, ts_date) == (date(2026, 9, 7), date(1, 1, 1))
    assert sum(1 for row in lake.rows("repeats", "event_id") if row[0] == "old") == 5


def test_an_object_has_the_hour_of_its_key_and_a_foreign_one_none(lake):
    hours = {row[0].removeprefix("raw/"): row[1] for row in lake.rows("ingested_objects", "object", "object_hour")}
    assert {hour for key, hour in hours.items() if "events-first" in key} == {datetime(2026, 9, 7, 12)}
    assert [hour for key, hour in hours.items() if key.endswith("copy.ndjson")] == [None, None]


def test_a_referrer_counts_where_the_page_is_missing(lake):
    assert ("v3", "google") in lake.rows("sessions", "visitor_id", "source")


def test_the_definitions_say_the_same(lake):
    lake.assert_like_the_oracle()


def test_a_page_opened_again_the_next_night_and_a_late_start_of_a_bot(new_lake):
    lake = new_lake()
    lake.put(
        [
            line("evening", "v1", "2026-09-17T23:50:00", page_view_id="a"),
            line("night", "v1", "2026-09-18T00:10:00", page_view_id="b"),
            line("reopened", "v1", "2026-09-19T00:05:00", "page_ping", page_view_id="b", props={"engaged_ms": 5_000}),
            line("onward", "v1", "2026-09-19T00:06:00", page_view_id="c"),
            *(
                line(f"crawled{n:02}", "v2", ms("2026-09-08T00:00:00") + n * 500, page_view_id=f"{n}")
                for n in range(12)
            ),
        ],
        "first",
    )
    lake.run()
    # Of these days the evening's is not read.
    lake.put([line("later", "v1", "2026-09-20T12:00:00")], "second")
    lake.run()
    lake.put([line("crawled", "v2", ms("2026-09-08T00:00:00") - 500)], "third")
    lake.run()
    lake.assert_like_the_oracle()
    prints = lake.prints()
    lake.run(command="rebuild")
    assert lake.prints() == prints


def test_a_clock_that_was_ahead_hides_neither_objects_nor_runs(new_lake):
    lake, said = new_lake(), []
    now = datetime.now(timezone.utc)
    key = f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}"
    for number, hours in enumerate((3, 0, 0)):
        lake.put([line(f"e{number}", "v1", key)], f"part{number}", key)
        lake.run(lambda hours=hours: now + timedelta(hours=hours), reconcile=False, say=said.append)
    assert len(lake.rows("events", "event_id")) == 3
    assert not [text for text in said if "took back" in text]
    assert lake.run(lambda: now, reconcile=False).is_changed is False


def test_late_events_and_a_rebuild_give_the_same_tables(lake):
    prints = lake.prints()
    assert all(row[0] is not None for row in lake.rows("sessions", "started_at"))
    lake.run(command="rebuild")
    assert lake.prints() == prints
