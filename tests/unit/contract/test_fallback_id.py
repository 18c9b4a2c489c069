import hashlib
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.contract.fallback_id import _canonical, _canonical_if_plain, fallback_event_id
from clicklake.contract.json_text import repair_escapes

KEY = b"key"


def of(text: str | bytes) -> str:
    return fallback_event_id(text if isinstance(text, bytes) else text.encode(), KEY)


def test_it_is_the_keyed_hash_of_the_canonical_json_without_sent_at() -> None:
    expected = hmac.new(KEY, b'{"a":1,"b":[true,null],"c":"\xc3\xa9"}', hashlib.sha256).hexdigest()
    assert of('{"c":"\\u00e9", "sent_at":"now", "b":[true,null], "a":1.0}') == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2}', '{ "b": 2.0, "a": 1e0 }'),
        ('{"a":1,"sent_at":1}', '{"a":1,"sent_at":2}'),
        ('{"a":1,"sentAt":1}', '{"a":1}'),
        ('{"a":9007199254740993}', '{"a":9007199254740992}'),
        ('{"a":-0}', '{"a":0}'),
        ('{"a":"\\ud800"}', '{"a":"\\ufffd"}'),
    ],
)
def test_equal_content_has_one_id(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1}', '{"a":2}'),
        ('{"a":1}', '{"a":"1"}'),
        ('{"a":{"sent_at":1}}', '{"a":{"sent_at":2}}'),
        ('{"a":1e999}', '{"a":1e998}'),
    ],
)
def test_different_content_has_different_ids(one: str, other: str) -> None:
    assert of(one) != of(other)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"\xff",
        b"5",
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"\\udc00":"\\ud800\\ud800"}',
        b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"a":"\\u0000"}',
    ],
    ids=range(11),
)
def test_whatever_came_has_an_id(text: bytes) -> None:
    assert len(of(text)) == 64
    assert fallback_event_id(text, b"other key") != of(text)


PLAIN_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), PLAIN_VALUES), st.booleans())
@settings(derandomize=True, deadline=None, database=None, max_examples=1_000)
def test_the_quick_way_gives_the_same_canonical_json(event: dict, is_ascii: bool) -> None:
    text = json.dumps(event, ensure_ascii=is_ascii).encode()
    quick = _canonical_if_plain(repair_escapes(text))
    assert quick is None or quick == _canonical(repair_escapes(text))


def test_the_quick_way_is_taken_for_plain_events() -> None:
    text = b'{"b": 1767225600, "a": "\\"\\\\\\/\\b\\f\\n\\r\\t\x7f", "c": [true, {"z": null, "Z": -0}]}'
    assert _canonical_if_plain(text) == _canonical(text) is not None
