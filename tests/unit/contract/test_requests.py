import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.contract import usual
from clicklake.contract.decode import decode_event
from clicklake.contract.event import Event
from clicklake.contract.json_text import _ESCAPES, repair_escapes
from clicklake.contract.limits import MAX_EVENT_BYTES, MAX_EVENTS
from clicklake.contract.reasons import Reason, Refusal
from clicklake.contract.requests import ContentKind, split_body

EVENT = b'{"event_type": "login"}'


def verdicts(body: bytes, kind: ContentKind = ContentKind.JSON) -> list[str]:
    events = [decode_event(event, accept_flat=False) for event in split_body(body, kind).events]
    return ["accepted" if isinstance(event, Event) else event.reason for event in events]


def test_the_envelope_tells_when_it_was_sent() -> None:
    body = split_body(b'{"sent_at": "2026-05-01T12:00:00Z", "events": [{}]}', ContentKind.JSON)
    assert body.sent_at == 1777636800000
    assert split_body(b'{"sent_at": "x", "events": [{}]}', ContentKind.JSON).sent_at is None
    assert split_body(b'{"sentAt": 1777636800, "batch": [{}]}', ContentKind.JSON).sent_at == 1777636800000


def test_a_broken_line_costs_only_itself() -> None:
    body = EVENT + b'\n{"event_type": "logi\n' + EVENT + b"\n\xff\n[]\n"
    assert verdicts(body, ContentKind.NDJSON) == [
        "accepted",
        Reason.NOT_JSON,
        "accepted",
        Reason.BAD_UTF8,
        Reason.NOT_AN_OBJECT,
    ]


@pytest.mark.parametrize("form", [b"[%b]", b'{"sent_at": 5, "events": [%b]}'], ids=["array", "envelope"])
def test_a_bad_element_costs_only_itself(form: bytes) -> None:
    deep = b'{"event_type": "login", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    hostile = [EVENT, b"5", deep, b'{"page_title": "\\ud800"}', b'{"event_type": "\\u0000"}', b"{}", EVENT]
    assert verdicts(form % b", ".join(hostile)) == [
        "accepted",
        Reason.NOT_AN_OBJECT,
        Reason.TOO_DEEP,
        Reason.MISSING_EVENT_TYPE,
        Reason.UNKNOWN_EVENT_TYPE,
        Reason.MISSING_EVENT_TYPE,
        "accepted",
    ]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"events":[', b"[{"], ids=str)
def test_a_hundred_thousand_brackets_are_refused(opening: bytes) -> None:
    body = split_body(opening * 100_000, ContentKind.ANY)
    assert len(body.events) <= 1
    for event in body.events:
        assert isinstance(decode_event(event, accept_flat=False), Refusal)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"0," * 2_000_000 + b"0]",
        b'{"events":[' + b"{}," * 1_000_000 + b"{}]}",
        b"[" + b"{}," * 1_000_000 + b"{}]",
    ],
    ids=["numbers", "envelope", "objects"],
)
def test_millions_of_crumbs_take_little_memory(body: bytes) -> None:
    tracemalloc.start()
    events = split_body(body, ContentKind.JSON).events
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(events) == MAX_EVENTS + 1
    assert peak < 3 * len(body)


def test_what_is_too_much_to_look_through_is_refused_as_a_whole() -> None:
    body = b"[[" + b"{}," * 1_000_000 + b"{}]]"
    assert split_body(body, ContentKind.JSON).refusal == Refusal(Reason.TOO_DEEP)


def test_the_slow_way_splits_like_the_fast_one() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    for members in (
        [b"1"],
        [b"{}", b'"a,]"', b"[1, 2]", b"[[3]]", b'{"a": {"b": [4, 5]}}'],
        [b"[[]]", b"[]"],
    ):
        array = b"[ " + b" , ".join([*members, deep]) + b" ]"
        envelope = b'{"sent_at": 5, "x": [[1]], "events": %b}' % array
        for body, sent_at in ((array, None), (envelope, 5_000)):
            split = split_body(body, ContentKind.JSON)
            assert [bytes(event) for event in split.events] == [*members, deep]
            assert split.sent_at == sent_at
        leading = b"[%b]" % b", ".join([deep, *members])
        assert [bytes(e) for e in split_body(leading, ContentKind.JSON).events] == [deep, *members]


@pytest.mark.parametrize("kind", ContentKind)
def test_one_event_too_many_is_told_and_no_more(kind: ContentKind) -> None:
    array = json.dumps([{}] * 700).encode()
    body = array if kind is ContentKind.JSON else b"\n".join([EVENT] * 700)
    assert len(split_body(body, kind).events) == MAX_EVENTS + 1


def test_millions_of_blank_lines_are_no_events() -> None:
    body = split_body(EVENT + b"\n" * 2_000_000 + EVENT, ContentKind.NDJSON)
    assert [bytes(event) for event in body.events] == [EVENT, EVENT]


def test_a_line_of_millions_of_blanks_is_no_event() -> None:
    body = split_body(EVENT + b"\n" + b" \t" * 2_000_000 + b"\n" + EVENT, ContentKind.NDJSON)
    assert [bytes(event) for event in body.events] == [EVENT, EVENT]


@pytest.mark.parametrize("name", ["events", "batch"])
@pytest.mark.parametrize("list_", [b"[]", b"[%b, %b]" % (EVENT, EVENT)])
@pytest.mark.parametrize("more", [b"", b', "x": ' + b"[" * 5_000 + b"]" * 5_000], ids=["shallow", "deep"])
def test_an_event_stays_one_whatever_keys_of_its_own_it_has(name: str, list_: bytes, more: bytes) -> None:
    event = b'{"event_type": "page_view", "%b": %b%b}' % (name.encode(), list_, more)
    assert verdicts(event) == [Reason.TOO_DEEP if more else "accepted"]


def test_an_empty_envelope_that_has_to_be_read_slowly_does_not_vanish() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    assert verdicts(b'{"events": [], "x": %b, "event_type": "login"}' % deep) == [Reason.TOO_DEEP]


@pytest.mark.parametrize("batch", [b'"b1"', b"7", b"{}", b"[5]", b"[" * 5_000 + b"]" * 5_000], ids=lambda b: b[:4])
def test_batch_is_another_name_of_events_only_where_there_are_none(batch: bytes) -> None:
    assert verdicts(b'{"batch": %b, "events": [%b, %b]}' % (batch, EVENT, EVENT)) == ["accepted", "accepted"]
    assert verdicts(b'{"events": null, "batch": [%b]}' % EVENT) == ["accepted"]


DEEP = b'{"event_type": "login", "x": %b}' % (b"[" * 5_000 + b"]" * 5_000)
BAD_LINES = {
    "nested": (DEEP, Reason.TOO_DEEP),
    "noise": (b"garbage", Reason.NOT_JSON),
    "a list": (b"[1]", Reason.NOT_AN_OBJECT),
    "an open list": (b"[", Reason.NOT_JSON),
    "half a line": (b'{"event_type": "logi', Reason.NOT_JSON),
    "half a line, to a comma": (b'{"event_type": "login",', Reason.NOT_JSON),
    "crumbs": (b"[" + b"0," * 200_000 + b"0]", Reason.TOO_LARGE),
    "no UTF-8": (b"\xff", Reason.BAD_UTF8),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("kind", [ContentKind.ANY, ContentKind.NDJSON])
@pytest.mark.parametrize("position", [0, 5, 10])
def test_a_bad_line_costs_only_itself_wherever_it_stands(name: str, kind: ContentKind, position: int) -> None:
    line, reason = BAD_LINES[name]
    lines = [EVENT] * 10
    lines.insert(position, line)
    assert verdicts(b"\r\n".join(lines), kind) == ["accepted"] * position + [reason] + ["accepted"] * (10 - position)


PRETTY = [
    b'{\n"event_type": "login",\n"items": [\n{"product_id": "a"},\n{"product_id": "b"}\n],\n"device":\n{}\n}',
    b'[\n{"event_type": "login"},\n{"event_type": "login"}\n]',
    b'[{"event_type": "login"}\n,{"event_type": "login"}\n]',
    b'{"sent_at": 5, "events": [\n{"event_type": "login"},\n{"event_type": "login"}\n]}',
    b'{"events": [%b, {"event_type": "login"}\n, {"event_type": "login"}]}' % DEEP,
    b"[\n%b,\n{}\n]" % DEEP,
]


@pytest.mark.parametrize("body", PRETTY, ids=lambda body: body[:12])
def test_json_of_several_lines_is_one_text(body: bytes) -> None:
    assert verdicts(body, ContentKind.ANY) == verdicts(body, ContentKind.JSON)
    assert split_body(body[:-1], ContentKind.ANY) == split_body(body[:-1], ContentKind.JSON)


@given(st.recursive(st.one_of(st.none(), st.text(max_size=3)), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
@settings(derandomize=True, database=None)
def test_no_json_of_several_lines_is_taken_for_lines(value: Any) -> None:
    for indent in (0, 2):
        body = json.dumps(value, indent=indent).encode()
        split = [list(map(bytes, split_body(body, kind).events)) for kind in (ContentKind.ANY, ContentKind.JSON)]
        assert split[0] == split[1]


def test_a_body_too_large_to_be_usual_is_not_looked_through_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usual, "repair_escapes", pytest.fail)
    assert usual.split_usual_body(b"\\" * (MAX_EVENT_BYTES + 1), ContentKind.ANY) is None


def test_millions_of_escapes_are_passed_over_in_one_go() -> None:
    body = b"\\" * 1_000_000 + rb"\n\ud83d\ude00\u0041" * 1_000_000 + rb"\ud800"
    assert sum(1 for _ in _ESCAPES.finditer(body)) == 2
    assert repair_escapes(body) == body[:-6] + rb"\ufffd"


@given(
    st.lists(st.sampled_from([rb"\ud83d", rb"\uDE00", rb"\u0000", rb"\u00e4", rb"\\", rb"\n", b"u0000", b"d8", b"a"]))
)
@settings(derandomize=True, database=None)
def test_only_lone_surrogates_and_nul_are_repaired(parts: list[bytes]) -> None:
    text = b'"%b"' % b"".join(parts)
    meant = json.loads(text).replace("\0", "\ufffd")
    assert json.loads(repair_escapes(text)) == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in meant)
