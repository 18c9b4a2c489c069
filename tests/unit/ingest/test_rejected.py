import hashlib
import json

import pytest

from lambdas.ingest.identity import HashKeys
from lambdas.ingest.rejected import EXCERPT_LENGTH, excerpt, redacted_json

KEYS = HashKeys.parse("1:" + "0f" * 32)


def redact(event, is_granted_by_default=False):
    return json.loads(redacted_json(json.dumps(event).encode(), KEYS, frozenset({"q"}), is_granted_by_default))


def test_an_excerpt_tells_length_hash_and_256_redacted_characters():
    body = b'{"mail": "jo@ex.com", "spelled": "jo\\u0040ex.com", ' + b"x" * 1000
    kept = excerpt(body)
    assert (kept.length, kept.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert len(kept.text) == EXCERPT_LENGTH
    assert "[email]" in kept.text and "ex.com" not in kept.text


def test_an_address_across_the_end_of_an_excerpt_is_not_cut_open():
    kept = excerpt(b" " * (EXCERPT_LENGTH - 4) + b"johannes@example.com")
    assert "joh" not in kept.text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"\x1f\x8b\x00", "\ud800".encode("utf-8", "surrogatepass")])
def test_any_bytes_have_an_excerpt_that_is_text(body):
    excerpt(body).text.encode("utf-8")


def test_texts_keys_and_numbers_of_a_refused_event_are_scrubbed():
    event = {
        "event_type": "nonsense",
        "note to jo@ex.com": ["+49 170 1234567", {"card": 4111111111111111}],
        "page_url": "https://shop.example/?q=a&token=b#c",
        "ts": 1777636802000,
        "traits": {"name": "Jo"},
        "consent": {"analytics": "granted"},
    }
    assert redact(event) == {
        "event_type": "nonsense",
        "note to [email]": ["[phone]", {"card": "[card]"}],
        "page_url": "https://shop.example/?q=a",
        "ts": 1777636802000,
        "consent": {"analytics": "granted"},
    }


def test_the_id_of_a_refused_event_stays_however_its_digits_fall():
    event_id = "12345678-1234-4321-8765-123456789012"
    assert redact({"event_id": event_id})["event_id"] == event_id


@pytest.mark.parametrize("name", ["user_id", "userId"])
def test_a_user_of_a_refused_event_is_hashed(name):
    consent = {"analytics": "granted"}
    assert redact({name: "jo", "consent": consent})[name] == KEYS.hash_user("jo")
    assert redact({"context": {name: 17}, "consent": consent})["context"][name] == KEYS.hash_user("17")


@pytest.mark.parametrize("consent", [None, "granted", {}, {"analytics": "denied"}, {"analytics": "unknown"}])
def test_without_consent_a_refused_event_keeps_nothing_of_the_person(consent):
    event = {
        "anonymous_id": "v",
        "session_id": "s",
        "user_id": "u",
        "props": {"a": 1},
        "referrer": "https://a.example/b",
        "page_url": "/p?q=x",
        "order_id": 7,
        "consent": consent,
    }
    assert redact(event) == {"page_url": "/p", "order_id": 7, "consent": consent}


def test_missing_consent_counts_as_granted_where_the_shop_says_so():
    assert redact({"anonymous_id": "v"}, is_granted_by_default=True) == {"anonymous_id": "v"}
    denied = {"anonymous_id": "v", "consent": {"analytics": "denied"}}
    assert "anonymous_id" not in redact(denied, is_granted_by_default=True)


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":', b"\xff"])
def test_what_cannot_be_read_has_no_json(raw):
    assert redacted_json(raw, KEYS, frozenset(), False) is None


GRANTED = {"analytics": "granted", "marketing": "granted"}


@pytest.mark.parametrize("name", ["page_url", "referrer", "link_url", "url"])
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/a b?q=1&token=secret", "https://shop.example/a b?q=1"),
        ("checkout?token=secret#secret", "checkout"),
        ("?token=secret", ""),
        ("shop.example/p?q=red shoes&token=secret", "shop.example/p?q=red shoes"),
    ],
)
def test_a_url_of_a_refused_event_is_reduced_whatever_it_looks_like(name, url, kept):
    assert redact({"consent": GRANTED, name: [url]}) == {"consent": GRANTED, name: [kept]}
    denied = {"items": [{name: url}], "consent": {"analytics": "denied"}}
    assert "?" not in json.dumps(redact(denied)) and "secret" not in json.dumps(redact(denied))


@pytest.mark.parametrize(
    "outer",
    [
        lambda event: [event],
        lambda event: {"events": 5, "more": [event]},
        lambda event: {"page": {"more": event}},
        lambda event: {"consent": GRANTED, "more": event},
    ],
    ids=["list", "envelope", "object", "event"],
)
def test_without_consent_nothing_of_the_person_is_kept_at_any_depth(outer):
    planted = {"anonymous_id": "planted", "props": {"a": "planted"}, "page_title": "planted", "user_id": "planted"}
    event = planted | {"order_id": 7, "consent": {"analytics": "denied"}, "page_url": "https://a.example/?q=planted"}
    for is_granted_by_default in (True, False):
        kept = json.dumps(redact(outer(event), is_granted_by_default))
        assert "planted" not in kept and '"order_id": 7' in kept


@pytest.mark.parametrize("consent", ["denied", 5, [], {"analytics": "no"}])
def test_a_consent_that_cannot_be_read_is_none(consent):
    assert redact({"anonymous_id": "v", "consent": consent}, is_granted_by_default=True) == {"consent": consent}


def test_nothing_within_a_list_is_granted():
    assert redact([{"anonymous_id": "v", "consent": GRANTED, "order_id": 7}]) == [{"consent": GRANTED, "order_id": 7}]


@pytest.mark.parametrize("marketing", ["granted", "denied", None])
def test_a_click_id_of_a_refused_event_needs_consent_to_marketing(marketing):
    consent = {"analytics": "granted", "marketing": marketing}
    kept = redact({"page_url": "/?gclid=a", "props": {"more": "https://a.example/?%67clid=a"}, "consent": consent})
    is_kept = marketing == "granted"
    assert kept["page_url"] == ("/?gclid=a" if is_kept else "/")
    assert kept["props"]["more"] == "https://a.example/" + ("?%67clid=a" if is_kept else "")


@pytest.mark.parametrize("number", [2125551234, 2125551234.0, 4111111111111111.0, -4111111111111111, 1777636802000])
def test_a_number_of_a_refused_event_is_scrubbed_unless_it_is_an_instant(number):
    kept = redact({"props": {"n": number, "list": [number]}, "consent": GRANTED})["props"]
    assert kept["n"] in ("[phone]", "[card]", "-[card]") and kept["list"] == [kept["n"]]
    for name in ("ts", "sent_at", "timestamp", "sentAt", "originalTimestamp"):
        assert (redact({name: number})[name] == number) is (abs(number) < 10**13)
    assert redact({"price": 89.90000001, "qty": 2.5}) == {"price": 89.90000001, "qty": 2.5}
