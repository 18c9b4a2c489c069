"""What hardly ever happens, in several runs: after each the lake is what a second reading says."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.spark.lakes import SmallLake, line, ms

BERLIN = ZoneInfo("Europe/Berlin")
MOST = "999999999999.9999"
DAY_MS = 86_400_000


def berlin(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


def walk(name: str, visitor: str, first: int, last: int, step_minutes: int = 29) -> Iterator[dict]:
    """An event every so many minutes, the last one at `last`."""
    for number, at in enumerate((*range(first, last, step_minutes * 60_000), last)):
        yield line(f"{name}-{number}", visitor, at, "click")


def run(lake: SmallLake, lines: list[dict], name: str) -> None:
    lake.put(lines, name)
    lake.run()
    lake.assert_like_the_oracle()


@pytest.fixture(scope="module")
def lake(new_lake) -> SmallLake:
    """A shop in Berlin, three runs."""
    lake = new_lake(shop_time_zone="Europe/Berlin")
    too_much = [{"product_id": "p1", "price": "999999999999", "qty": 10_000}]
    shirts = [{"product_id": "p2", "name": f"Shirt {colour}", "price": "5"} for colour in ("red", "blue")]
    pages = [line(f"fast-{n}", "bot", ms("2026-03-05T12:00:00") + 500 * n, page_view_id=f"f{n}") for n in range(10)]
    leave = {"page_view_id": "f4", "user_id": "1.anna"}
    summer = [*walk("spring", "v-spring", berlin("2026-03-28T23:50:00"), berlin("2026-03-30T00:15:00"))]
    at = lambda text: int(datetime.fromisoformat(f"2026-03-{text}+00:00").timestamp() * 1000)  # noqa: E731
    moved = line("bridge", "v-long", at("12T11:50"), "click", received_at=at("14T20:00"), sent_at=at("14T20:00"))
    run(
        lake,
        [
            line("test-first", "v-test", "2026-03-01T12:00:00", is_test=True),
            line("test-last", "v-test", "2026-04-20T12:00:00", is_test=True),
            *(
                line(f"most-{n}", None, ms("2026-03-03T12:00:00") + n, "purchase", order_id=f"m{n}", value=MOST)
                for n in range(101)
            ),
            line("too-much", "v1", "2026-03-03T12:00:00", "purchase", order_id="o1", value="10", items=too_much),
            line("too-much-too", "v1", "2026-03-03T12:00:01", "view_item", items=too_much),
            line("honest", "v1", "2026-03-03T12:01:00", "purchase", order_id="o2", items=[{**too_much[0], "qty": 1}]),
            line("again", "v2", "2026-03-04T12:00:00"),
            line("bought", "v2", "2026-03-04T12:01:00", "purchase", order_id="o3", value="7"),
            *pages,
            line("leave", "bot", "2026-03-05T15:00:00", "page_leave", **leave),
            *summer,
            line("spring-buys", "v-spring", berlin("2026-03-30T00:20:00"), "purchase", order_id="o4", items=shirts),
            *(
                line(f"long-page-{n}", "v3", ms("2026-03-06T12:00:00") + n, page_view_id=f"l{n}",
                     props={"engaged_ms": 2**53 - 1})
                for n in range(3)
            ),
            line("twice", "v4", "2026-03-06T12:00:00", page_url="https://s.example/?utm_source=news?utm_medium=email"),
            line("blank", "v5", "2026-03-06T12:00:00", page_url="https://s.example/?utm_source=a&utm_medium=email%C2%A0"),
            line("empty", "v6", "2026-03-06T12:00:00", page_url="https://s.example/?utm_source=&utm_source=x"),
            line("fragment", "v7", "2026-03-06T12:00:00", page_url="https://s.example/#?gclid=1"),
            line("org", "v8", "2026-03-06T12:00:00", referrer="https://google.org/"),
            line("nowhere", "v9", "2026-03-06T12:00:00", page_url=None),
            line("somewhere", "v9", "2026-03-06T12:01:00", page_url="https://shop.example/b"),
            line("named", "v10", "2026-03-06T12:01:00", "purchase", order_id="event:1", value="3"),
            *walk("long", "v-long", ms("2026-03-11T12:00:00"), at("12T11:30")),
            moved,
            *walk("longer", "v-long", at("12T12:15"), at("13T12:05")),
            *walk("longest", "v-long", at("13T12:20"), at("14T10:00")),
        ],
        "first",
    )  # fmt: skip
    run(
        lake,
        [
            line("again", "v2", "2026-03-12T12:00:00"),
            line("buys-late", "bot", "2026-03-05T12:05:00", "purchase", order_id="o5", value="9"),
            # Touches no day but the one on which the session of the shortest day began.
            line("late", "v11", berlin("2026-03-28T10:00:00")),
        ],
        "second",
    )
    earlier = {"received_at": at("13T20:00"), "sent_at": at("13T20:00"), "ingest_id": "c" * 32}
    later = berlin("2026-03-28T23:45:00")
    run(
        lake,
        [
            line("bridge", "v-elsewhere", at("12T11:50"), "click", **earlier),
            # Its session begins anew, so its order has another one.
            line("sooner", "v-spring", later, page_url="https://shop.example/?utm_source=news&utm_medium=email"),
        ],
        "third",
    )
    return lake


def test_a_days_money_is_whole_however_much_is_claimed(lake):
    days = {row[:2]: row[2] for row in lake.rows("daily_orders", "event_date", "dimension", "net_revenue", "value")}
    told = days[datetime(2026, 3, 3).date(), "total"]
    assert told == 101 * Decimal(MOST) + 999_999_999_999
    refused = {row[:2] for row in lake.rows("quarantine", "reason", "field", "position")}
    assert refused == {("type_drift", "items")}


def test_an_event_id_on_another_day_begins_another_session(lake):
    sessions = [row[1] for row in lake.rows("sessions", "visitor_id", "session_id") if row[0] == "v2"]
    assert len(sessions) == len(set(sessions)) == 2
    totals = [row[1] for row in lake.rows("daily_orders", "dimension", "orders", "event_date") if row[0] == "total"]
    assert sum(totals) == 102 + 1 + 1 + 1 + 1


def test_who_signed_in_does_not_depend_on_what_the_visit_behaves_like(lake):
    assert ("bot", "1.anna") in [row[:2] for row in lake.rows("identity", "visitor_id", "person_id")]


def test_an_order_late_in_a_session_of_a_short_day_has_its_channel(lake):
    [session] = [
        row[1:] for row in lake.rows("sessions", "visitor_id", "session_date", "channel") if row[0] == "v-spring"
    ]
    assert session == (datetime(2026, 3, 28).date(), "Email")
    told = {row[0]: row[1] for row in lake.rows("daily_orders", "value", "orders", "event_date", "dimension")}
    assert told["Email"] >= 1


def test_a_page_is_in_the_foreground_for_a_day_at_most(lake):
    assert ("v3", 3 * DAY_MS) in lake.rows("sessions", "visitor_id", "engaged_ms")


def test_a_rebuild_gives_the_same_tables(lake):
    before = lake.prints()
    lake.run(command="rebuild")
    assert lake.prints() == before
