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


SENT = {
    "event_type": "page_view",
    "event_id": "e-1",
    "user_id": 'planted "planted", planted\\',
    "anonymous_id": "planted",
    "page_title": "planted } ] planted \u201cplanted\u201d",
    "page_url": "https://shop.example/p/1?token=planted planted&q=planted#planted",
    "referrer": "https://a.example/planted",
    "traits": {"name": ["planted", {"more": 'planted"}'}]},
    "link": "/account#planted",
    "props": {"note": "planted", "list": [{"x": "planted"}], "empty": {}},
    "user_age": 99887,
    "order_id": "kept",
}
FORMS = {
    "compact": lambda event: json.dumps(event, separators=(",", ":")),
    "pretty": lambda event: json.dumps(event, indent=1),
    "in a text": lambda event: json.dumps(json.dumps(event)),
    "in a text of a text": lambda event: json.dumps({"body": json.dumps({"event": json.dumps(event)})}),
    "escaped slashes": lambda event: json.dumps(event).replace("/", "\\/"),
    "an escaped key": lambda event: json.dumps(event).replace("user_id", "user\\u005fid").replace("?", "\\u003f"),
    "escaped quotes": lambda event: json.dumps(event | {"user_id": 'planted "planted'}).replace('\\"', "\\u0022"),
}
HARMS = {
    "half a line": lambda text: text[:-3].encode(),
    "no UTF-8": lambda text: b"\xff" + text.encode(),
    "1e999": lambda text: text.encode() + b"1e999",
    "33 KB": lambda text: text.encode() + b"x" * 33_000,
    "UTF-16": lambda text: text.encode("utf-16"),
    "nothing": lambda text: text.encode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("harm", HARMS)
def test_an_excerpt_has_nothing_that_needs_consent(form, harm):
    names = list(SENT)
    for first in range(len(names)):
        event = {name: SENT[name] for name in names[first:] + names[:first]}
        body = HARMS[harm](FORMS[form](event))
        text = redacted_json(body, KEYS, frozenset(), False) or excerpt(body).text
        assert "planted" not in text and "99887" not in text
        assert harm == "nothing" or names[first] == "user_id" or names[first] in text


@pytest.mark.parametrize("length", [1, 3500, 4090, 4096, 40_000])
def test_what_follows_a_long_personal_value_is_kept_and_no_address_cut_open(length):
    body = b'{"event_type":"x","props":{"a":"%b"},"mail":"%b' % (b"p" * length, b"johannes@example.com " * 2000)
    text = excerpt(body).text
    assert text.startswith('{"event_type":"x","props":[personal]')
    assert "joh" not in text and "pp" not in text


def test_a_line_of_addresses_shows_none_at_its_end():
    assert "joh" not in excerpt(b" ".join([b"johannes" * 7 + b"@" + b"example." * 7 + b"com"] * 100)).text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("consent", [{"analytics": "granted", "marketing": "granted"}, None])
def test_an_event_within_a_text_of_a_refused_event_keeps_nothing_of_the_person(form, consent):
    kept = json.dumps(redact({"order_id": FORMS[form](SENT), "consent": consent}, is_granted_by_default=True))
    assert "planted" not in kept and "kept" in kept


def test_a_line_of_a_million_backslashes_or_keys_has_an_excerpt():
    for body in (b"\\" * 10**6, b'"user_id":' * 10**5, b'"user_id":"' + b"\\" * 10**6, b"?" + b"\\" * 10**6):
        assert len(excerpt(body).text) <= EXCERPT_LENGTH
