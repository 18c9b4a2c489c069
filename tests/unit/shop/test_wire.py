"""What is sent can be read by the contract, and the faults are the faults they claim to be."""

import json
import zlib
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.event import Event
from clicklake.contract.limits import MAX_EVENT_BYTES, MAX_EVENTS, MAX_REQUEST_BYTES
from clicklake.contract.reasons import Refusal
from clicklake.contract.requests import CONTENT_KINDS, split_body
from clicklake.shop import Delivery, Edge, Faults, deliveries
from clicklake.shop.requests import EVENTS_PATH, USER_EVENTS_PATH
from clicklake.shop.wire import MAX_BEACON_BYTES

from .conftest import UNTIL, Shop


def lines_of(delivery: Delivery) -> list[bytes]:
    """The lines the contract finds in a request; raises zlib.error for a damaged gzip."""
    body = delivery.request.body
    if body.startswith(b"\x1f\x8b"):
        body = zlib.decompress(body, 47)
    split = split_body(body, CONTENT_KINDS[delivery.request.headers["content-type"].split(";")[0]])
    if split.refusal:
        raise ValueError(split.refusal.reason)
    return [bytes(line) for line in split.events]


def value_of(event: Event) -> Decimal:
    """What the items add up to: prices are after the item's discount, the order's own comes off."""
    goods = sum(Decimal(item.price) * (item.qty or 1) for item in event.items)
    return goods - Decimal(event.discount or 0)


def is_noise(delivery: Delivery) -> bool:
    return any(piece.kind == "noise" for piece in delivery.rubbish)


def test_every_event_decodes_and_every_piece_of_rubbish_is_refused(shop: Shop):
    for delivery in shop.deliveries[::5]:
        if is_noise(delivery):
            continue
        lines = lines_of(delivery)
        assert len(lines) == len(delivery.events) + len(delivery.rubbish)
        read = [decode_event(line, accept_flat=False) for line in lines]
        sound, refused = read[: len(delivery.events)], read[len(delivery.events) :]
        assert [event.event_id for event in sound] == [event.event_id for event in delivery.events]
        assert [event.event_type for event in sound] == [event.event_type for event in delivery.events]
        assert all(isinstance(event, Refusal) for event in refused)
        assert [str(event.reason) for event in refused] == [piece.reason for piece in delivery.rubbish]


def test_the_contract_reads_the_money_that_was_spent(shop: Shop):
    checked = 0
    for delivery in shop.sent:
        for place, event in enumerate(delivery.events):
            if event.event_type == "purchase":
                read = decode_event(lines_of(delivery)[place], accept_flat=False)
                told = [float(money) for money in (read.value or value_of(read), read.tax, read.shipping)]
                order = event.order
                assert told == [c / 100 for c in (order.value_cents, order.tax_cents, order.shipping_cents)]
                assert value_of(read) == Decimal(order.value_cents) / 100
                assert [item.qty for item in read.items] == [line.qty for line in order.lines]
                checked += 1
    assert checked >= 150


def test_noise_cannot_be_read_at_all(shop: Shop):
    noise = [delivery for delivery in shop.deliveries if is_noise(delivery)]
    assert noise
    for delivery in noise:
        with pytest.raises((ValueError, zlib.error)):
            lines_of(delivery)


def test_requests_keep_the_contracts_limits(shop: Shop):
    for delivery in shop.deliveries:
        request = delivery.request
        assert len(request.body) < MAX_REQUEST_BYTES
        assert len(delivery.events) + len(delivery.rubbish) <= MAX_EVENTS
        if request.headers["content-type"].startswith("text/plain"):
            assert len(request.body) <= MAX_BEACON_BYTES + 2_000
    largest = max(shop.deliveries, key=lambda delivery: len(delivery.request.body))
    assert max(map(len, lines_of(largest)[: len(largest.events)])) < MAX_EVENT_BYTES


def test_every_content_type_is_used(shop: Shop):
    kinds = Counter(d.request.headers["content-type"] for d in shop.deliveries)
    assert set(kinds) == {
        "text/plain;charset=UTF-8", "application/json", "application/x-ndjson", "application/octet-stream",
    }  # fmt: skip
    assert min(kinds.values()) > 100


def test_a_retried_batch_has_the_same_events_a_new_sent_at_and_arrives_later(shop: Shop):
    tries: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in shop.deliveries:
        if delivery.events:
            tries[delivery.events[0].event_id].append(delivery)
    repeated = [found for found in tries.values() if len(found) > 1]
    assert len(repeated) > 40
    for first, second, *_ in repeated:
        assert first.events == second.events
        assert (first.attempt, second.attempt) == (1, 2)
        assert first.request.received_at_ms < second.request.received_at_ms
        assert first.request.body != second.request.body


def test_events_of_a_signed_in_person_go_by_the_route_for_users_and_no_others(shop: Shop):
    seen = Counter()
    for delivery in shop.deliveries:
        people = {event.person.sub if event.person else None for event in delivery.events}
        assert people <= {delivery.request.user}
        assert delivery.request.path == (USER_EVENTS_PATH if delivery.request.user else EVENTS_PATH)
        seen[delivery.request.path] += 1
    assert 0.05 < seen[USER_EVENTS_PATH] / seen.total() < 0.25


def test_nothing_is_kept_and_sent_later_without_consent(shop: Shop):
    ids: dict[str, set[str]] = defaultdict(set)
    for delivery in shop.sent:
        if delivery.visitor.analytics == "granted" or not delivery.events or delivery.rubbish:
            continue
        last = delivery.events[-1].happened_at_ms
        assert delivery.request.received_at_ms - last < 30_000
        ids[delivery.visitor.key] |= {json.loads(line)["anonymous_id"] for line in lines_of(delivery)}
        assert delivery.visitor.anonymous_id not in ids[delivery.visitor.key]
    assert max(map(len, ids.values())) > 1


def test_a_wrong_clock_is_wrong_in_ts_and_sent_at_alike(shop: Shop):
    stamps = 0
    for delivery in shop.sent:
        if abs(delivery.visitor.clock_ahead_ms) > 3_600_000 and not delivery.rubbish:
            for line, event in zip(lines_of(delivery), delivery.events, strict=True):
                read = decode_event(line, accept_flat=False)
                assert read.ts - event.happened_at_ms == delivery.visitor.clock_ahead_ms
                if delivery.request.headers["content-type"] == "application/x-ndjson":
                    sent_at = read.sent_at - delivery.visitor.clock_ahead_ms
                    assert 0 < delivery.request.received_at_ms - sent_at < 30_000
                    stamps += 1
    assert stamps > 20


def test_the_edge_tells_the_country_and_proves_itself():
    request = next(deliveries(days=1, until=UNTIL, visitors=0.1, edge=Edge("s3cret"))).request
    assert request.headers["x-clicklake-edge-secret"] == "s3cret"
    assert len(request.headers["cloudfront-viewer-country"]) == 2
    assert all(name == name.lower() for name in request.headers)


def test_a_road_without_faults_delivers_each_visit_once_and_soon():
    perfect = Faults(lost_answers=0, rubbish=0, noise=0, unsent_tabs=0, offline_visits=0, tunnels=0)
    received = list(deliveries(days=3, until=UNTIL, visitors=0.3, faults=perfect))
    assert received
    assert not any(delivery.rubbish or delivery.attempt > 1 for delivery in received)
    ids = [event.event_id for delivery in received for event in delivery.events]
    assert len(ids) == len(set(ids))
    assert all(d.request.received_at_ms - d.events[-1].happened_at_ms < 30_000 for d in received)
