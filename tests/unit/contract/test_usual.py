"""The usual way to decode, and the rule for all events, of which it is a part."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clicklake.contract.decode import fill_event, read_text
from clicklake.contract.limits import MAX_EVENT_BYTES, MAX_EVENTS
from clicklake.contract.raw import DraftLine
from clicklake.contract.requests import ContentKind, split_body
from clicklake.contract.usual import split_usual_body, usual_line
from clicklake.contract.wire import WireEvent
from tests.unit.contract.corpus import Example, examples
from tests.unit.contract.test_agreement import QUICK, SLOW, VALUES, damaged_events

USUAL = {
    "event_type": "view_item",
    "event_id": "e-1",
    "ts": "2026-05-01T12:00:00.123Z",
    "page_url": "https://shop.example/p/1",
    "items": [{"product_id": "a", "price": 1.5, "qty": 2}, {"price": None}],
    "props": {"page_kind": "product", "engaged_ms": 5, "scroll_pct": 40},
    "consent": {"analytics": "granted"},
}
INSTANTS = st.one_of(
    VALUES,
    st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", fullmatch=True),
    st.text('0123456789-:.,TZ+ "\\\n٣', max_size=26),
    st.integers(-(10**30), 10**30),
)


def by_the_rule_for_all(text: bytes) -> dict[str, Any]:
    line = DraftLine()
    assert fill_event(line, text, accept_flat=False) is None
    return written(line)


def written(line: DraftLine) -> dict[str, Any]:
    line.is_test = bool(line.is_test)
    return json.loads(msgspec.json.encode(line))


def assert_read_alike(sent: bytes) -> bool:
    """Gives whether the event was usual."""
    text = read_text(sent)
    line = usual_line(text) if isinstance(text, bytes) else None
    if line is not None:
        assert written(line) == by_the_rule_for_all(text)
    return line is not None


def assert_split_alike(body: bytes, is_usual: bool = True) -> None:
    usual = split_usual_body(body, ContentKind.ANY)
    assert (usual is not None) == is_usual
    if usual is not None:
        split = split_body(body, ContentKind.ANY)
        assert usual.sent_at == split.sent_at
        assert list(map(written, usual.events)) == list(map(by_the_rule_for_all, map(bytes, split.events)))


@pytest.mark.parametrize("example", examples("event", "flat", "segment"), ids=str)
def test_an_example_is_read_alike(example: Example) -> None:
    assert_read_alike(example.text)


@given(damaged_events())
@hypothesis_settings(QUICK, max_examples=300)
def test_a_damaged_event_is_read_alike(case: tuple[bool, Any]) -> None:
    assert_read_alike(json.dumps({"event_id": "e-1"} | case[1] if isinstance(case[1], dict) else case[1]).encode())


@given(INSTANTS, INSTANTS)
@hypothesis_settings(QUICK, max_examples=500)
def test_an_instant_is_read_alike(ts: Any, sent_at: Any) -> None:
    assert_read_alike(json.dumps(USUAL | {"ts": ts, "sent_at": sent_at}).encode())


@pytest.mark.slow
@given(damaged_events())
@hypothesis_settings(SLOW, max_examples=20_000)
def test_20000_damaged_events_are_read_alike(case: tuple[bool, Any]) -> None:
    assert_read_alike(json.dumps({"event_id": "e-1"} | case[1] if isinstance(case[1], dict) else case[1]).encode())


@pytest.mark.parametrize(
    "changed", [{}, {"session_id": "s"}, {"value": 1.50, "tax": None}, {"event_type": "view"}, {"other": [[]]}]
)
def test_what_the_sdk_sends_is_usual(changed: dict[str, Any]) -> None:
    assert assert_read_alike(json.dumps(USUAL | changed).encode())


UNUSUAL = [
    {"event_id": None},
    {"page_title": ""},
    {"ts": 1.5},
    {"items": []},
    {"items": [{"qty": 2.0}]},
    {"value": "x"},
    {"props": {"own": "key"}},
    {"consent": {"analytics": "granted", "by": "banner"}},
    {"ecom": {"price": 1}},
]


@pytest.mark.parametrize("changed", UNUSUAL, ids=json.dumps)
def test_what_is_unusual_is_left_to_the_rule_for_all(changed: dict[str, Any]) -> None:
    assert usual_line(json.dumps(USUAL | changed).encode()) is None


@pytest.mark.parametrize("name", sorted(set(DraftLine.__struct_fields__) - set(WireEvent.__struct_fields__)))
def test_a_sender_sets_no_field_of_the_function(name: str) -> None:
    for value in ("accepted", 1, True, ["x"], {"country": "DE"}):
        assert usual_line(json.dumps(USUAL | {name: value}).encode()) is None


@pytest.mark.parametrize("twice", ['"ts": [], "ts": 5', '"props": 5, "props": {}', '"items": 5, "items": []'])
def test_a_repeated_key_is_usual_only_if_each_value_is(twice: str) -> None:
    text = json.dumps(USUAL)[:-1] + f", {twice}}}"
    assert usual_line(text.encode()) is None


@pytest.mark.parametrize(
    "twice", ['"ts": 4, "ts": 5', '"value": 1, "value": null', '"is_test": true, "is_test": false']
)
def test_of_a_repeated_key_the_last_value_counts(twice: str) -> None:
    assert assert_read_alike((json.dumps(USUAL)[:-1] + f", {twice}}}").encode())


EVENT = json.dumps(USUAL)


@pytest.mark.parametrize(
    "body",
    [
        f"[{EVENT},{EVENT}]",
        f"\ufeff [{EVENT}]\n",
        "[]",
        f'{{"events": [{EVENT}], "sent_at": "2026-05-01T12:00:01Z"}}',
        f'{{"sent_at": null, "sentAt": 1777636801, "events": [{EVENT}], "batch": null}}',
    ],
)
def test_a_usual_body_is_split_alike(body: str) -> None:
    assert_split_alike(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        EVENT,
        f'{{"batch": [{EVENT}]}}',
        f'{{"events": [{EVENT}], "batch": 5}}',
        f'{{"events": [{EVENT}], "other": 5}}',
        f"[{EVENT},{{}}]",
        f'[{EVENT[:-1]},"other":[[]]}}]',
        f'[{EVENT[:-1]},"value":{"[" * 10_000}{"]" * 10_000}}}]',
        f"[{EVENT}",
        f"[{EVENT}]{' ' * MAX_EVENT_BYTES}[]",
        f"[{','.join([json.dumps({'event_type': 'login', 'event_id': 'a'})] * (MAX_EVENTS + 1))}]",
    ],
    ids=lambda body: body[-20:],
)
def test_another_body_is_left_to_split_body(body: str) -> None:
    assert_split_alike(body.encode(), is_usual=False)


def test_a_body_of_lines_is_left_to_split_body() -> None:
    assert split_usual_body(f"[{EVENT}]".encode(), ContentKind.NDJSON) is None
