import hashlib
import hmac
from base64 import urlsafe_b64decode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas.ingest.identity import HashKeys, ingest_id, is_impersonal
from lambdas.ingest.scrub import scrub_code

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


def test_the_replacement_of_an_id_survives_a_new_key():
    assert KEYS.replace_id("jo@ex.com") == HashKeys.parse(f"1:{OLD}").replace_id("jo@ex.com")
    assert len(KEYS.replace_id("jo@ex.com")) == 64


def test_a_repeated_request_has_the_same_ingest_id():
    assert ingest_id("req-1") == ingest_id("req-1") != ingest_id("req-2")
    assert len(ingest_id("/../")) == 32 and ingest_id("/../").isalnum()


@given(st.text("abcXYZ0123456789٣é²", min_size=1, max_size=48))
@example("a1702345678")
@example("7c3f" * 4)
def test_an_id_without_gaps_holds_nothing_to_scrub(text):
    if is_impersonal(text):
        assert scrub_code(text) == text


@pytest.mark.parametrize("text", ["491701234567", "+491701234567", "a@b.de", "a%40b.de", "mia 0170 1234567", ""])
def test_an_id_that_may_be_personal_is_looked_into(text):
    assert not is_impersonal(text)
