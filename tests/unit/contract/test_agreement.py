"""The decoder and the generated JSON Schema give the same verdict on every event.

hypothesis-jsonschema knows drafts up to 07. The schema uses only words that mean the same there (a test
holds that), so it is translated by renaming $defs; our own two keywords are put as draft 07 can say them.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from clicklake.contract.decode import decode_event
from clicklake.contract.event import Event
from clicklake.contract.limits import MAX_EVENT_BYTES
from clicklake.contract.reasons import Reason, Refusal
from tests.unit.contract.corpus import examples
from tests.unit.contract.validator import PLAIN_VALIDATORS, SCHEMAS, is_valid, read_exactly

SAME_IN_DRAFT_07 = {
    "$comment", "title", "description", "examples", "type", "enum", "const", "anyOf", "properties",
    "required",
    "additionalProperties", "propertyNames", "maxProperties", "items", "maxItems", "minLength", "maxLength",
    "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "$ref",
}  # fmt: skip
TRANSLATED = {"$schema", "$defs", "x-decimal-places", "x-max-own-properties", "x-pii"}

# A sixteenth has four decimals and is exact in binary: every multiple of it is money.
SIXTEENTH = 0.0625

# Making an event from the schema takes ten times as long as damaging an example: 1,000 cases in
# all here, 100,000 in the slow lane.
QUICK = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SLOW = settings(QUICK, derandomize=False, print_blob=True)


def _keywords(schema: Any) -> set[str]:
    """Every keyword in use; names of properties and definitions are not keywords, values are not schemas."""
    if isinstance(schema, list):
        return set().union(*map(_keywords, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            found |= set().union(*map(_keywords, value.values()))
        elif keyword not in ("enum", "const", "examples", "required", "type"):
            found |= _keywords(value)
    return found


def _draft_07(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_draft_07(part) for part in schema]
    if not isinstance(schema, dict):
        return schema.replace("#/$defs/", "#/definitions/") if isinstance(schema, str) else schema
    if "$ref" in schema:
        return {"$ref": _draft_07(schema["$ref"])}
    translated = {
        {"$defs": "definitions"}.get(word, word): _draft_07(value)
        for word, value in schema.items()
        if word in SAME_IN_DRAFT_07 - {"$comment", "title", "description", "examples"} or word == "$defs"
        or word not in TRANSLATED | SAME_IN_DRAFT_07
    }  # fmt: skip
    if "x-decimal-places" in schema:
        translated["multipleOf"] = SIXTEENTH
    if "x-max-own-properties" in schema:
        translated["maxProperties"] = schema["x-max-own-properties"]
    return translated


def _agreed(event: Any, accept_flat: bool) -> Event | Refusal:
    """The decoder's verdict, after it was found to be the schema's."""
    text = json.dumps(event)
    verdict = decode_event(text.encode(), accept_flat=accept_flat)
    if len(text) <= MAX_EVENT_BYTES:
        assert isinstance(verdict, Event) is is_valid(text, accept_flat=accept_flat), (verdict, text)
    return verdict


# Made once: preparing the strategy takes longer than a thousand draws from it.
valid_events = st.one_of([st.tuples(st.just(flat), from_schema(_draft_07(schema))) for flat, schema in SCHEMAS.items()])

SEEDS = [
    (example.accept_flat, json.loads(example.text))
    for example in examples("event", "flat", "segment")
    if example.detail not in {Reason.NOT_JSON, Reason.BAD_UTF8, Reason.TOO_LARGE, Reason.TOO_DEEP}
    and b"999" not in example.text
]
NAMES = sorted({name for schema in SCHEMAS[True]["$defs"].values() for name in schema["properties"]})
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 203),
    st.sampled_from([2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63, 10**12, 10**21, 10**40, -1, 10_000, 10_001]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**6), 10**6).map(lambda n: n / 10**4),
    st.integers(-(10**6), 10**6).map(lambda n: n / 10**5),
    st.integers(-(10**17), 10**17).map(lambda n: n / 10**4),
    st.integers(0, 300).map(float),
    st.sampled_from([0.1 + 0.2, -0.0, 1e-5, 1e22, 999999999999.9999, 5e-324, 1.7e308, 1e12]),
    st.text(max_size=70),
    st.text("0123456789.-+eE \n", max_size=20),
    st.text("aZ09._:-\n", max_size=70),
    st.sampled_from(["", "0", "-0", "-0.00", "12.3400000", "1" * 12, "1" * 13, "0.00001", "\ud800", "a\0", "EUR"]),
    st.sampled_from([64, 65, 256, 257, 1024, 1025, 2048, 2049, 8192, 8193]).map(lambda length: "é" * length),
    st.sampled_from(["granted", "track", "page", "mobile", "view", "Product Viewed", "purchase", "flat", "DE"]),
    st.just([]),
    st.just({}),
    st.sampled_from([20, 21, 28, 29]).map(lambda size: {f"k{n}": n for n in range(size)}),
    st.sampled_from([200, 201]).map(lambda size: [{}] * size),
)


@st.composite
def damaged_events(draw: st.DrawFn) -> tuple[bool, Any]:
    """An example with one to four values replaced, removed or added anywhere in it."""
    flat, event = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_containers(event))
        value = copy.deepcopy(draw(VALUES))
        if not places:
            event = value
            continue
        place = draw(st.sampled_from(places))
        if isinstance(place, list):
            place.insert(0, value) if not place or draw(st.booleans()) else place.__setitem__(0, value)
        else:
            keys = [*place, draw(st.sampled_from(NAMES)), draw(st.text(max_size=3))]
            key = draw(st.sampled_from(keys))
            if draw(st.integers(0, 4)) == 0:
                place.pop(key, None)
            else:
                place[key] = value
    return flat, event


def _containers(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _containers(part)


@pytest.mark.parametrize("flat", SCHEMAS)
def test_the_schema_uses_only_words_that_mean_the_same_in_draft_07(flat: bool) -> None:
    assert _keywords(SCHEMAS[flat]) <= SAME_IN_DRAFT_07 | TRANSLATED


@given(valid_events)
@settings(QUICK, max_examples=200)
def test_an_event_valid_by_the_schema_is_accepted(case: tuple[bool, Any]) -> None:
    flat, event = case
    assert isinstance(_agreed(event, flat), Event)


@given(damaged_events())
@settings(QUICK, max_examples=600)
def test_decoder_and_schema_agree_on_a_damaged_event(case: tuple[bool, Any]) -> None:
    flat, event = case
    _agreed(event, flat)


@given(damaged_events())
@settings(QUICK, max_examples=200)
def test_a_validator_without_our_keywords_differs_only_by_their_two_rules(case: tuple[bool, Any]) -> None:
    flat, event = case
    verdict = _agreed(event, flat)
    text = json.dumps(event)
    if isinstance(verdict, Event):
        assert PLAIN_VALIDATORS[flat].is_valid(json.loads(text))
    elif PLAIN_VALIDATORS[flat].is_valid(read_exactly(text)) and len(text) <= MAX_EVENT_BYTES:
        assert verdict.reason in (Reason.TOO_MANY_DECIMALS, Reason.TOO_MANY_PROPS)


@pytest.mark.slow
@given(valid_events)
@settings(SLOW, max_examples=20_000)
def test_20000_events_valid_by_the_schema_are_accepted(case: tuple[bool, Any]) -> None:
    flat, event = case
    assert isinstance(_agreed(event, flat), Event)


@pytest.mark.slow
@given(damaged_events())
@settings(SLOW, max_examples=80_000)
def test_decoder_and_schema_agree_on_80000_damaged_events(case: tuple[bool, Any]) -> None:
    flat, event = case
    _agreed(event, flat)
