"""The usual way to decode, and the rule for all events, of which it is a part."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clicklake.contract.decode import _decode_usual, _decode_usual_flat, _fill_with_any, _Refused, decode_event
from clicklake.contract.event import Event
from clicklake.contract.json_text import repair_escapes
from clicklake.contract.reasons import Refusal
from tests.unit.contract.corpus import Example, examples
from tests.unit.contract.test_agreement import QUICK, SLOW, VALUES, damaged_events

USUAL = {
    "event_type": "view_item",
    "event_id": "e-1",
    "ts": "2026-05-01T12:00:00.123Z",
    "page_url": "https://shop.example/p/1",
    "items": [{"product_id": "a", "price": 1.5, "qty": 2.0}],
    "props": {"page_kind": "product", "engaged_ms": 5, "scroll_pct": 40.0},
    "consent": {"analytics": "granted"},
}
INSTANTS = st.one_of(
    VALUES,
    st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", fullmatch=True),
    st.text('0123456789-:.,TZ+ "\\\n٣', max_size=26),
    st.integers(-(10**30), 10**30),
)


def by_the_rule_for_all(text: bytes, accept_flat: bool) -> Event | Refusal:
    event = Event(event_type="")
    try:
        _fill_with_any(event, repair_escapes(text), accept_flat)
    except _Refused as refused:
        return refused.refusal
    return event


def assert_read_alike(text: bytes, accept_flat: bool) -> None:
    verdict = decode_event(text, accept_flat=accept_flat)
    if isinstance(verdict, Event):
        assert verdict == by_the_rule_for_all(text, accept_flat)


@pytest.mark.parametrize("example", examples("event", "flat", "segment"), ids=str)
def test_an_example_is_read_alike(example: Example) -> None:
    assert_read_alike(example.text, example.accept_flat)


@given(damaged_events())
@hypothesis_settings(QUICK, max_examples=300)
def test_a_damaged_event_is_read_alike(case: tuple[bool, Any]) -> None:
    flat, event = case
    assert_read_alike(json.dumps(event).encode(), flat)


@given(INSTANTS, INSTANTS, st.booleans())
@hypothesis_settings(QUICK, max_examples=500)
def test_an_instant_is_read_alike(ts: Any, timestamp: Any, flat: bool) -> None:
    assert_read_alike(json.dumps(USUAL | {"ts": ts, "timestamp": timestamp}).encode(), flat)


@pytest.mark.slow
@given(damaged_events())
@hypothesis_settings(SLOW, max_examples=20_000)
def test_20000_damaged_events_are_read_alike(case: tuple[bool, Any]) -> None:
    flat, event = case
    assert_read_alike(json.dumps(event).encode(), flat)


@pytest.mark.parametrize("decode", [_decode_usual, _decode_usual_flat])
def test_what_the_sdk_sends_is_usual(decode: Any) -> None:
    assert decode(json.dumps(USUAL).encode()).event_type == "view_item"


@pytest.mark.parametrize("twice", ['"ts": [], "ts": 5', '"props": 5, "props": {}', '"items": 5, "items": []'])
def test_of_a_repeated_key_the_usual_way_takes_no_more_than_the_rule_for_all(twice: str) -> None:
    text = b'{"event_type": "login", %b}' % twice.encode()
    expected = by_the_rule_for_all(text, False) if "ts" in twice else None
    verdict = decode_event(text, accept_flat=False)
    assert verdict == expected if expected else isinstance(verdict, Refusal)
