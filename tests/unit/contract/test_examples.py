import json

import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.event import Event
from clicklake.contract.names import CANONICAL, EVENT_TYPES, SEGMENT_ALIASES
from clicklake.contract.reasons import MEANING, Reason, Refusal
from clicklake.contract.requests import ContentKind, split_body
from tests.unit.contract.corpus import Example, examples
from tests.unit.contract.validator import is_valid

EVENTS = examples("event", "flat", "segment")
BODIES = examples("body")
KINDS = {".json": ContentKind.JSON, ".ndjson": ContentKind.NDJSON, ".txt": ContentKind.ANY}

# Refused before or beside the schema: the text cannot be read, or is too much of it.
TEXT_RULES = {Reason.NOT_JSON, Reason.BAD_UTF8, Reason.TOO_LARGE, Reason.TOO_DEEP}
INGEST_RULES = {Reason.BAD_GZIP, Reason.BAD_BASE64}


@pytest.mark.parametrize("example", EVENTS, ids=str)
def test_an_example_gets_the_verdict_its_name_states(example: Example) -> None:
    verdict = decode_event(example.text, accept_flat=example.accept_flat)
    if example.is_accepted:
        assert isinstance(verdict, Event), verdict
    else:
        assert isinstance(verdict, Refusal) and verdict.reason == example.detail, verdict


@pytest.mark.parametrize("example", EVENTS, ids=str)
def test_the_schema_agrees_with_an_example(example: Example) -> None:
    if not example.is_accepted and Reason(example.detail) in TEXT_RULES:
        pytest.skip("no rule of the schema")
    if b"1e999999999999" in example.text:
        pytest.skip("no validator can hold this number")
    assert is_valid(example.text, accept_flat=example.accept_flat) is example.is_accepted


@pytest.mark.parametrize("example", BODIES, ids=str)
def test_a_body_is_split_as_its_name_states(example: Example) -> None:
    body = split_body(example.text, KINDS[example.path.suffix])
    if example.is_accepted:
        assert body.refusal is None
        assert len(body.events) == int(example.detail)
    else:
        assert body.refusal == Refusal(Reason(example.detail))
        assert body.events == []


def test_every_event_type_alias_and_reason_has_an_example() -> None:
    sent = [json.loads(e.text) for e in EVENTS if e.is_accepted]
    assert {event.get("event_type") for event in sent} >= CANONICAL.keys()
    assert {event.get("event") for event in sent if event.get("type") == "track"} == SEGMENT_ALIASES.keys()
    accepted = [decode_event(e.text, accept_flat=e.accept_flat) for e in EVENTS if e.is_accepted]
    assert {event.event_type for event in accepted} == EVENT_TYPES.keys()
    assert {e.detail for e in EVENTS if not e.is_accepted} == {*Reason} - INGEST_RULES


def test_every_reason_is_explained() -> None:
    assert MEANING.keys() == {*Reason}
