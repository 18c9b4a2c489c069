"""What the simulated shop notes is what its requests become; and a lake that lies is found out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clicklake.local.twin import SHOP_ENVIRONMENT, shop_event
from clicklake.shop import Edge, simulate
from clicklake.shop.truth import TrueEvent, Truth, cut, read_truth, write_truth
from clicklake.verify.checks import Check, LakeSide
from clicklake.verify.oracle import recompute
from clicklake.verify.raw_objects import open_object
from clicklake.verify.truth import check_truth
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients

from .lakes import MINUTE, REFERENCE, RULES, lake_of

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "the edge's"


@dataclass(frozen=True)
class Shop:
    """A few days of the shop: the truth, and a lake with exactly what was sent."""

    truth: Truth
    lake: LakeSide


class _Store:
    """S3 in memory: put_object alone is needed."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> None:
        self.objects[Key] = Body


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("truth")
    with write_truth(folder) as writer:
        requests = list(simulate(days=6, until=UNTIL, visitors=0.4, edge=Edge(SECRET), truth=writer))
    store, now = _Store(), [0.0]
    environment = {
        **SHOP_ENVIRONMENT, "LAKE_BUCKET": "lake", "HASH_KEY_PARAMETER": "keys", "EDGE_SECRET_PARAMETER": "edge",
    }  # fmt: skip
    secrets = {"keys": "1:" + "0f" * 32, "edge": SECRET}
    settings = Settings.from_environment(environment, secrets.__getitem__)
    handle = make_handler(settings, Clients(store, None), clock=lambda: now[0], write_log=lambda _: None)
    for number, request in enumerate(requests):
        now[0] = request.received_at_ms / 1000
        handle(shop_event(request, f"test:{number}"), None)
    objects = [open_object(key, body) for key, body in store.objects.items()]
    return Shop(read_truth(folder), lake_of(recompute(objects, RULES, REFERENCE)))


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
