"""The default sixty days look like a shop: figures that a careless change would move."""

import ast
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

import clicklake.shop
from clicklake.contract.reasons import Reason
from clicklake.shop import Delivery, deliveries, live, simulate
from clicklake.shop.journeys import IDLE_MS
from clicklake.shop.requests import Edge
from clicklake.shop.visitors import Bot

from .conftest import DAYS, UNTIL, Shop, shop_until

END_MS = int(UNTIL.timestamp() * 1000)
NOVEMBER = UNTIL.replace(month=11, day=21)
JULY = UNTIL.replace(month=7, day=25)
START_MS = END_MS - DAYS * 86_400_000


def test_about_90_000_events_come_in_at_most_8_000_requests(shop: Shop):
    events = sum(len(delivery.events) + len(delivery.rubbish) for delivery in shop.deliveries)
    assert 80_000 < events < 96_000
    assert 6_500 < len(shop.deliveries) <= 8_000


def test_a_busier_season_keeps_to_8_000_requests_and_2_to_3_percent():
    shop = shop_until(NOVEMBER)
    assert len(shop.deliveries) <= 8_000
    assert 0.02 < shop.share("purchase") < 0.03


def test_requests_come_in_order_of_their_arrival_within_the_window(shop: Shop):
    arrivals = [delivery.request.received_at_ms for delivery in shop.deliveries]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= START_MS
    assert arrivals[-1] <= END_MS
    assert len({arrival // 86_400_000 for arrival in arrivals}) == DAYS


def test_sessions_convert_like_a_shops(shop: Shop):
    assert 0.6 < shop.share("view_item") < 0.72
    assert 0.08 < shop.share("add_to_cart") < 0.12
    assert 0.04 < shop.share("begin_checkout") < 0.065
    assert 0.02 < shop.share("purchase") < 0.03


def test_four_to_five_sessions_in_ten_bounce(shop: Shop):
    def bounces(session: list) -> bool:
        pages = sum(event.event_type == "page_view" for event in session)
        engaged: dict[str, int] = defaultdict(int)
        for event in session:
            spent = event.props.get("engaged_ms", 0)
            engaged[event.page.page_view_id] = max(engaged[event.page.page_view_id], spent)
        return pages == 1 and sum(engaged.values()) < 10_000

    assert 0.38 < mean(map(bounces, shop.sessions)) < 0.5


def test_180_orders_of_about_110_euros_are_made_in_several_currencies(shop: Shop):
    events = [event for delivery in shop.sent for event in delivery.events]
    orders = {event.order.order_id: event.order for event in events if event.event_type == "purchase"}
    assert 150 < len(orders) < sum(event.event_type == "purchase" for event in events)
    in_euros = [order.value_cents / 100 for order in orders.values() if order.currency == "EUR"]
    assert 80 < mean(in_euros) < 150
    assert len({order.currency for order in orders.values()}) >= 5
    assert sum(bool(order.coupon) for order in orders.values()) > 20


def test_some_orders_are_sent_back_in_part_or_whole_and_some_cancelled(shop: Shop):
    refunds = {e.refund.refund_id: e.refund for d in shop.sent for e in d.events if e.refund}
    kinds = Counter(refund_id.rsplit("-", 1)[-1] for refund_id in refunds)
    assert 10 < len(refunds) < 50
    assert {"cancel", "whole", "part"} <= set(kinds)
    assert any(refund.told_cents is None for refund in refunds.values())


def test_visitors_come_back_over_weeks(shop: Shop):
    days: dict[str, set[int]] = defaultdict(set)
    for delivery in shop.sent:
        days[delivery.visitor.key] |= {event.happened_at_ms // 86_400_000 for event in delivery.events}
    spans = [max(seen) - min(seen) for seen in days.values()]
    assert 0.15 < sum(span >= 1 for span in spans) / len(spans) < 0.4
    assert sum(span >= 14 for span in spans) > 100


def test_there_are_late_phones_and_wrong_clocks(shop: Shop):
    late = [d for d in shop.sent if d.held_ms > 2 * 3_600_000]
    assert 200 < len(late) < 0.15 * len(shop.sent)
    assert sum(delivery.held_ms > 86_400_000 for delivery in late) > 100
    skewed = {d.visitor.key: d.visitor for d in shop.sent if abs(d.visitor.clock_ahead_ms) > 300_000}
    assert len(skewed) < 400
    assert any(abs(visitor.clock_ahead_ms) > 86_000_000 for visitor in skewed.values())


@pytest.mark.parametrize("until", [UNTIL, JULY, NOVEMBER])
def test_any_sixty_days_have_200_late_bridges_100_skewed_clocks_and_50_shared_devices(until: datetime):
    """A bridge: without the late delivery its visitor had two sessions, with it there is one."""
    by_visitor: dict[str, list[Delivery]] = defaultdict(list)
    users: dict[str, set[str]] = defaultdict(set)
    skewed: set[str] = set()
    for delivery in shop_until(until).sent:
        visitor = delivery.visitor
        if visitor.analytics == "granted" and not visitor.is_bot:
            by_visitor[visitor.key].append(delivery)
        if delivery.request.user:
            users[visitor.key].add(delivery.request.user)
        if abs(visitor.clock_ahead_ms) > 300_000:
            skewed.add(visitor.key)
    assert sum(_bridges(of_visitor) for of_visitor in by_visitor.values()) >= 200
    assert len(skewed) >= 100
    assert sum(len(subs) > 1 for subs in users.values()) >= 50


def _bridges(deliveries: list[Delivery]) -> int:
    found = 0
    received: list[int] = []
    for delivery in sorted(deliveries, key=lambda each: each.request.received_at_ms):
        late = [event.happened_at_ms for event in delivery.events]
        known = {moment for moment in received if late and late[0] - IDLE_MS <= moment <= late[-1] + IDLE_MS}
        before, after = _runs(known), _runs(known | set(late))
        found += delivery.held_ms > 3_600_000 and after < before
        received += late
    return found


def _runs(moments: set[int]) -> int:
    ordered = sorted(moments)
    return bool(ordered) + sum(later - earlier > IDLE_MS for earlier, later in pairwise(ordered))


def test_bots_declare_themselves_or_look_like_people_or_read_the_whole_catalogue(shop: Shop):
    bots = Counter(delivery.visitor.bot for delivery in shop.sent for _ in delivery.events)
    assert all(bots[kind] > 200 for kind in Bot)
    assert sum(bots[kind] for kind in Bot) < 0.06 * bots.total()


def test_consent_is_withdrawn_in_the_middle_and_nothing_is_told_of_them_after(shop: Shop):
    withdrawn = {
        delivery.visitor.key
        for delivery in shop.sent
        for event in delivery.events
        if event.analytics == "denied" and delivery.visitor.analytics == "granted"
    }
    assert len(withdrawn) > 10


def test_one_person_is_seen_on_several_devices(shop: Shop):
    devices: dict[str, set[str]] = defaultdict(set)
    for delivery in shop.sent:
        if delivery.request.user:
            devices[delivery.request.user].add(delivery.visitor.key)
    assert sum(len(keys) > 1 for keys in devices.values()) > 20


def test_repeats_and_rubbish_are_there_and_small(shop: Shop):
    events = sum(len(delivery.events) for delivery in shop.deliveries)
    repeated = sum(len(delivery.events) for delivery in shop.deliveries if delivery.attempt > 1)
    assert 0.005 < repeated / events < 0.02
    kinds = Counter(piece.kind for delivery in shop.sent for piece in delivery.rubbish)
    assert len(kinds) > 15
    reasons = {piece.reason for delivery in shop.sent for piece in delivery.rubbish}
    # The gateway alone can spoil base64, and a body that is too large leaves no line.
    assert {str(reason) for reason in Reason} - reasons <= {"bad_base64", "bad_utf8", "too_deep"}
    assert 0.001 < kinds.total() / events < 0.01


def test_consent_is_refused_by_some(shop: Shop):
    visitors = {delivery.visitor.key: delivery.visitor for delivery in shop.sent}
    answers = Counter(visitor.analytics for visitor in visitors.values())
    assert 0.06 < answers["denied"] / len(visitors) < 0.16
    assert 0.01 < answers["unknown"] / len(visitors) < 0.06


def test_the_evening_is_busier_than_the_night_and_the_sale_busier_than_other_days(shop: Shop):
    german = [d.events[0].happened_at_ms for d in shop.sent if d.visitor.country.code == "DE" and d.events]
    hours = Counter((moment // 3_600_000 + 1) % 24 for moment in german)
    assert hours[20] > 5 * hours[4]
    days = Counter(moment // 86_400_000 for moment in german)
    # The third Thursday of February 2026 and the three days after.
    sale = [days[20_503 + number] for number in range(4)]
    assert mean(sale) > 1.2 * mean(days.values())


def test_the_same_arguments_give_the_same_requests_in_another_process():
    script = (
        "from datetime import UTC, datetime; from hashlib import sha256; from clicklake.shop import simulate\n"
        "requests = simulate(days=2, until=datetime(2026, 3, 1, tzinfo=UTC), visitors=0.1)\n"
        "print(sha256(repr(list(requests)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(clicklake.shop.__file__).parents[2],
        ).stdout.strip()
        for seed in ("1", "2")
    }
    here = sha256(repr(list(simulate(days=2, until=UNTIL, visitors=0.1))).encode()).hexdigest()
    assert digests == {here}


def test_another_seed_gives_other_events():
    def ids(seed: int) -> set[str]:
        sent = deliveries(seed, 2, until=UNTIL, visitors=0.1)
        return {event.event_id for delivery in sent for event in delivery.events}

    assert ids(1)
    assert not ids(1) & ids(2)


def test_twice_the_visitors_send_about_twice_the_events():
    def events(visitors: float) -> int:
        return sum(len(d.events) for d in deliveries(days=4, until=UNTIL, visitors=visitors))

    assert 1.5 < events(0.6) / events(0.3) < 2.6


def test_live_requests_go_on_from_the_start_in_order():
    requests = live(start=UNTIL, speed=0.5, edge=Edge("s3cret"))
    received = [next(requests).received_at_ms for _ in range(300)]
    assert received == sorted(received)
    assert END_MS <= received[0] < END_MS + 6 * 3_600_000


def test_live_sends_a_visit_in_several_requests():
    requests = live(start=UNTIL, speed=1)
    bodies = [next(requests).body for _ in range(300)]
    envelopes = [json.loads(body) for body in bodies if body.endswith(b"]}") and b'"events":[' in body]
    assert 1.5 < mean(len(envelope["events"]) for envelope in envelopes) < 7


def test_an_unknown_profile_and_a_time_without_zone_are_refused_by_name():
    with pytest.raises(ValueError, match="shop, plain"):
        simulate("fancy", until=UNTIL)
    with pytest.raises(ValueError, match="time zone"):
        simulate(until=UNTIL.replace(tzinfo=None))


def test_the_shop_knows_nothing_of_those_who_receive():
    for path in Path(clicklake.shop.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("glue_jobs", "lambdas") for name in names), path.name
