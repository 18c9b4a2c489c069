import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.event import Event
from clicklake.shop import Request, simulate

from .conftest import UNTIL


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    return list(simulate("plain", days=4, until=UNTIL))


@pytest.fixture(scope="module")
def events(requests: list[Request]) -> list[dict]:
    return [event for request in requests for event in json.loads(request.body)]


def test_a_day_has_5_760_events_in_calls_of_20(requests: list[Request], events: list[dict]):
    assert len(events) == 4 * 5_760
    assert {len(json.loads(request.body)) for request in requests} == {20}


@pytest.mark.parametrize("events_per_day", [1_440, 86_400])
def test_the_volume_is_as_asked(events_per_day: int):
    calls = list(simulate("plain", days=1, until=UNTIL, events_per_day=events_per_day))
    assert len(calls) * 20 == events_per_day


def test_sixty_days_are_covered_from_end_to_end():
    calls = list(simulate("plain", days=60, until=UNTIL, events_per_day=1_440))
    first, last = (datetime.fromtimestamp(calls[place].received_at_ms / 1000, UTC) for place in (0, -1))
    assert first == UNTIL - timedelta(days=60) + timedelta(minutes=20)
    assert last == UNTIL


def test_types_pages_and_ages_have_the_promised_shares(events: list[dict]):
    types = Counter(event["event_type"] for event in events)
    pages = Counter(event["user_action"] for event in events)
    shares = [types[name] / len(events) for name in ("click", "search", "purchase")]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.02)
    shares = [pages[name] / len(events) for name in ("home", "product", "cart", "other")]
    assert shares == pytest.approx([0.2, 0.4, 0.2, 0.2], abs=0.02)
    ages = [event["user_age"] for event in events]
    assert 34 < mean(ages) < 36
    assert min(ages) >= 16
    assert max(ages) <= 80


def test_events_come_from_45_countries_or_more_by_population(events: list[dict]):
    countries = Counter(event["location"] for event in events)
    assert len(countries) >= 45
    assert {country for country, _ in countries.most_common(3)} == {"IN", "CN", "US"}


def test_every_event_is_of_the_flat_form_and_happened_before_it_was_received(requests: list[Request]):
    for request in requests[::20]:
        for event in json.loads(request.body):
            read = decode_event(json.dumps(event).encode(), accept_flat=True)
            assert isinstance(read, Event)
            assert read.is_flat
            assert request.received_at_ms - 301_000 < read.ts <= request.received_at_ms


def test_no_two_events_are_alike_in_every_field(events: list[dict]):
    # The form has no event id: alike is the same.
    assert len({json.dumps(event) for event in events}) == len(events)


def test_calls_come_in_order_of_their_arrival(requests: list[Request]):
    arrivals = [request.received_at_ms for request in requests]
    assert arrivals == sorted(arrivals)
