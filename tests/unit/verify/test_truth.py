"""What the simulated shop notes is what its requests become; and a lake that lies is found out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clicklake.shop import simulate
from clicklake.shop.truth import TrueEvent, cut, write_truth
from clicklake.verify.checks import Check, LakeSide
from clicklake.verify.truth import check_truth

from .conftest import UNTIL, Shop
from .lakes import MINUTE

HIDDEN_BOTS = "events of visits like a bot's"


def wrong(checks: list[Check]) -> set[str]:
    return {check.name for check in checks if not check.is_sound}


def test_every_number_of_the_lake_is_the_truth_or_differs_for_a_stated_reason(shop: Shop):
    checks = check_truth(shop.truth, shop.lake)
    assert wrong(checks) == set(), [check for check in checks if not check.is_sound]
    names = {check.name for check in checks}
    assert {
        "lines received",
        "orders",
        "net_revenue EUR",
        "sessions",
        "funnel purchase",
        "visitors",
        "persons",
    } <= names


def test_consent_refused_is_exactly_the_stated_difference(shop: Shop):
    [events] = [check for check in check_truth(shop.truth, shop.lake) if check.name == "events without consent"]
    arrived = {line.event_id for line in shop.truth.lines if line.event_id}
    refused = sum(event.analytics == "denied" and event.event_id in arrived for event in shop.truth.events)
    assert refused > 100
    assert events.expected == f"{refused:,}"


def _column(lake: LakeSide, table: str, column: str, change: Callable[[list], list]) -> LakeSide:
    columns = lake.tables[table]
    return replace(lake, tables={**lake.tables, table: {**columns, column: change(list(columns[column]))}})


def _without_last(lake: LakeSide, table: str) -> LakeSide:
    columns = {name: list(values)[:-1] for name, values in lake.tables[table].items()}
    return replace(lake, tables={**lake.tables, table: columns})


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda lake: _without_last(lake, "events"), "events stored"),
        (lambda lake: _without_last(lake, "sessions"), "sessions"),
        (lambda lake: _without_last(lake, "orders"), "orders"),
        (lambda lake: _column(lake, "events", "occurred_at", lambda told: [told[0] + 1, *told[1:]]), "times of events"),
        (lambda lake: _column(lake, "events", "is_bot", lambda told: [not told[0], *told[1:]]), "events of bots"),
        (lambda lake: _column(lake, "events", "set_aside_session_id", lambda told: ["x"] * len(told)), HIDDEN_BOTS),
        (lambda lake: _column(lake, "events", "set_aside_session_id", lambda told: [None] * len(told)), HIDDEN_BOTS),
        (lambda lake: _column(lake, "sessions", "funnel_step", lambda told: [4] * len(told)), "funnel purchase"),
        (lambda lake: _column(lake, "sessions", "channel", lambda told: ["Audio"] * len(told)), "sessions by Audio"),
        (lambda lake: _column(lake, "orders", "tax", lambda told: [each and each + 1 for each in told]), "tax EUR"),
        (lambda lake: _column(lake, "visitor_days", "visitor_id", lambda told: ["x", *told[1:]]), "visitors"),
        (lambda lake: _column(lake, "events", "user_id", lambda told: ["1.x"] * len(told)), "customers who signed in"),
        (lambda lake: _column(lake, "quarantine", "reason", lambda told: ["other", *told[1:]]), "refused as other"),
    ],
)  # fmt: skip
def test_a_lake_that_lies_is_found_out(shop: Shop, spoil: Callable[[LakeSide], LakeSide], found: str):
    assert found in wrong(check_truth(shop.truth, spoil(shop.lake)))


def test_the_truth_is_read_as_it_was_written(shop: Shop):
    truth = shop.truth
    events = {event.event_id for event in truth.events}
    assert len(events) == len(truth.events)
    assert {line.event_id for line in truth.lines if line.event_id} <= events
    assert {order.event_id for order in truth.orders} <= events
    firsts = {session.first_event_id for visit in truth.visits for session in visit.sessions}
    assert firsts <= events
    assert {visit.bot for visit in truth.visits} >= {"", "declared"}
    assert all(person.visits > 0 for person in truth.people)
    assert all(line.reason for line in truth.lines if line.malformed)


def test_the_same_seed_writes_the_same_files(tmp_path: Path):
    bodies = []
    for name in ("one", "two"):
        with write_truth(tmp_path / name) as writer:
            assert len(list(simulate(days=1, until=UNTIL, visitors=0.1, truth=writer)))
        bodies.append({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()})
    assert bodies[0] == bodies[1]
    assert set(bodies[0]) == {
        f"{kind}.ndjson.gz" for kind in ("visits", "events", "lines", "orders", "refunds", "people")
    }


def test_half_an_hour_of_nothing_ends_a_true_session_and_closing_a_page_begins_none():
    def event(number: int, minutes: float, kind: str = "click") -> TrueEvent:
        return TrueEvent(str(number), "v/0", "a", int(minutes * MINUTE), kind)

    told = [event(0, 0), event(1, 30), event(2, 60.1, "page_leave"), event(3, 61, "view_item"), event(4, 62)]
    assert [(session.first_event_id, session.events, session.funnel) for session in cut(told)] == [
        ("0", 2, 0),
        ("3", 2, 1),
    ]
