import hashlib
import hmac
import json
from base64 import urlsafe_b64decode

import pytest

from lambdas.ingest.identity import HashKeys, derived_event_id, ingest_id

OLD, NEW = "0f" * 32, "a5" * 32
KEYS = HashKeys.parse(f"2:{NEW}, 1:{OLD}")


def test_a_user_hash_is_the_newest_key_version_and_an_unpadded_hmac():
    version, _, text = KEYS.hash_user("sub-1").partition(".")
    assert version == "2"
    assert urlsafe_b64decode(text + "=") == hmac.digest(bytes.fromhex(NEW), b"sub-1", hashlib.sha256)


@pytest.mark.parametrize("text", ["", "1", "1:", "1:zz", "x:" + OLD, "1:00ff", f"1:{OLD},1:{NEW}"])
def test_bad_keys_are_refused_without_being_shown(text):
    with pytest.raises(ValueError) as error:
        HashKeys.parse(text)
    assert OLD not in str(error.value) and NEW not in str(error.value)


def test_keys_are_not_in_a_printed_form():
    assert OLD not in repr(KEYS) and bytes.fromhex(OLD).hex() not in repr(KEYS)


def test_an_id_is_derived_from_the_event_less_its_sending():
    first = b'{"event_type":"view","n":1.0,"sent_at":"2024-01-01"}'
    again = b' {"sent_at":"2025-01-01", "n":1, "event_type":"\\u0076iew"}'
    assert derived_event_id(KEYS, first) == derived_event_id(KEYS, again)
    assert derived_event_id(KEYS, first) != derived_event_id(KEYS, b'{"event_type":"view","n":2}')


def test_a_derived_id_is_the_hmac_of_canonical_json_under_the_first_key():
    expected = hmac.digest(bytes.fromhex(OLD), b'{"a":"\xc3\xa4","b":[1,null]}', "sha256").hex()
    assert derived_event_id(KEYS, '{"b":[1.0,null],"a":"ä"}'.encode()) == expected


def test_a_derived_id_survives_a_new_key():
    event = b'{"event_type":"view"}'
    assert derived_event_id(KEYS, event) == derived_event_id(HashKeys.parse(f"1:{OLD}"), event)


@pytest.mark.parametrize("raw", [b'{"n":9223372036854775808}', b'{"n":1e308}', b'{"a":"\\ud800"}', b"[1]", b"nonsense"])
def test_every_event_has_a_derived_id(raw):
    assert len(derived_event_id(KEYS, raw)) == 64
    assert derived_event_id(KEYS, raw) == derived_event_id(KEYS, raw)


def test_a_repeated_request_has_the_same_ingest_id():
    assert ingest_id("req-1") == ingest_id("req-1") != ingest_id("req-2")
    assert len(ingest_id("req-1")) == 32 and json.loads(f'"{ingest_id("/../")}"').isalnum()
