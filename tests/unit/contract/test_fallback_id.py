import hashlib
import hmac

import pytest

from clicklake.contract.fallback_id import fallback_event_id

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
