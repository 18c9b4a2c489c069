"""What may be kept of an event that was refused: enough to explain and repair it, nothing personal."""

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from clicklake.contract.consent import CLICK_IDS
from clicklake.contract.json_text import repair_escapes
from lambdas.ingest.identity import HashKeys, is_uuid
from lambdas.ingest.scrub import scrub_text
from lambdas.ingest.urls import NO_CLICK_IDS, reduce_url

EXCERPT_LENGTH = 256
# More than the excerpt is looked at, for what is taken out makes room.
_READ_BYTES = 16 * EXCERPT_LENGTH
PERSONAL = "[personal]"

_USER_KEYS = frozenset({"user_id", "userId"})
# Segment's libraries put names and addresses here.
_NEVER_KEPT = frozenset({"traits", "ip"})
# What an accepted event keeps only with consent, under the contract's and Segment's names.
_KEPT_WITH_CONSENT = _USER_KEYS | {
    "anonymous_id", "anonymousId", "session_hint", "session_id", "page_view_id", "page_title", "referrer",
    "user_age", "props", "properties", "context", "city",
}  # fmt: skip
_URL_KEYS = frozenset({"page_url", "referrer", "link_url", "url"})
# Under another key: a web address, whatever follows, another address without a space, a path.
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}:(?://|\S*\Z)|/\S*(?:\?|\Z)", re.IGNORECASE)
_INSTANT_KEYS = frozenset({"ts", "sent_at", "timestamp", "sentAt", "originalTimestamp"})
# Of a quote or a backslash it would be told no longer which text it is in.
_ESCAPE = re.compile(r"\\u(?!0022|005[cC])([0-9a-fA-F]{4})")
# JSON may be in a text of JSON, where its quotes have backslashes; in a text of that they have three, and so on.
_ANY_KEY = re.compile(r'"\s*+:')
_PERSONAL_KEY = re.compile(rf'(?<!\\)(\\*+)"(?:{"|".join(sorted(_NEVER_KEPT | _KEPT_WITH_CONSENT))})\\*+"\s*+:\s*+')
_MARK = re.compile(r'(?<!\\)(\\*+)"|[\[{]|[\]},]')
_QUERY = re.compile(r'[?#](?:[^"\\]++|\\++(?!"))*+')


@dataclass(frozen=True, slots=True)
class Excerpt:
    """All that is kept of a body that cannot be read."""

    length: int
    sha256: str
    text: str


def excerpt(unreadable: bytes) -> Excerpt:
    """Length and hash of the whole, and its first 256 characters, redacted as without consent."""
    # UTF-16 is ASCII with NULs between.
    text = unreadable[:_READ_BYTES].decode("utf-8", "replace").replace("\0", "")
    head, tail = map(scrub_text, _split_impersonal(text))
    if len(unreadable) > _READ_BYTES:
        # What is read may end within an address, which is then not known for one.
        tail = tail[:-EXCERPT_LENGTH]
    return Excerpt(len(unreadable), hashlib.sha256(unreadable).hexdigest(), (head + tail)[:EXCERPT_LENGTH])


def _split_impersonal(text: str) -> tuple[str, str]:
    """What may be JSON, whole or not, without the values of personal keys and the queries of URLs: up to the last of
    those values, and what follows it."""
    # JSON may spell the at sign \u0040.
    text = _ESCAPE.sub(lambda match: _printable(chr(int(match[1], 16))), text)
    parts: list[str] = []
    done = 0
    while key := _PERSONAL_KEY.search(text, done):
        parts += (text[done : key.end()], PERSONAL)
        done = _value_end(text, key.end(), len(key[1]))
    return _QUERY.sub("", "".join(parts)), _QUERY.sub("", text[done:])


def _value_end(text: str, start: int, backslashes: int) -> int:
    """Where the value ends that begins there, in JSON whose quotes have so many backslashes."""
    depth, is_text = 0, False
    for mark in _MARK.finditer(text, start):
        if mark[1] is not None:
            more = len(mark[1]) - backslashes
            if more < 0:
                # The text ends that this JSON is in.
                return mark.start()
            if more // (backslashes + 1) % 2 == 0:
                is_text = not is_text
                if not is_text and depth == 0:
                    return mark.end()
        elif not is_text:
            if mark[0] in "[{":
                depth += 1
            elif depth == 0:
                return mark.start()
            elif mark[0] != ",":
                depth -= 1
                if depth == 0:
                    return mark.end()
    return len(text)


def redacted_json(
    raw: bytes, keys: HashKeys, search_parameters: frozenset[str], is_granted_by_default: bool
) -> str | None:
    """The event's JSON with scrubbed texts, reduced URLs and hashed users; None where it cannot be read.

    Without consent its personal fields and the queries of its URLs are left out, at any depth.
    """
    try:
        event = msgspec.json.decode(repair_escapes(raw))
        redactor = _Redactor(keys, search_parameters, is_granted_by_default)
        # Of what is no event nobody knows whose it is.
        allowed = redactor.allowed(event.get("consent")) if isinstance(event, dict) else _NOTHING
        return msgspec.json.encode(redactor.redact(event, "", allowed)).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


class _Allowed(NamedTuple):
    analytics: bool
    marketing: bool


_NOTHING = _Allowed(False, False)


@dataclass(frozen=True, slots=True)
class _Redactor:
    keys: HashKeys
    search_parameters: frozenset[str]
    is_granted_by_default: bool

    def allowed(self, consent: object) -> _Allowed:
        sent = {} if consent is None else consent
        if not isinstance(sent, dict):
            return _NOTHING
        return _Allowed(self._is_granted(sent.get("analytics")), self._is_granted(sent.get("marketing")))

    def _is_granted(self, state: object) -> bool:
        return state == "granted" or (self.is_granted_by_default and state in (None, "unknown"))

    def redact(self, value: object, name: str, allowed: _Allowed) -> object:
        """`name` is the key under which the value stands, or the list that it is in."""
        if isinstance(value, str):
            return self._text(value, name, allowed)
        if isinstance(value, list):
            return [self.redact(item, name, allowed) for item in value]
        if isinstance(value, dict):
            return self._object(value, allowed)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value, name)
        return value

    def _object(self, sent: dict[str, object], allowed: _Allowed) -> dict[str, object]:
        if "consent" in sent:
            # An event within another text may allow less, never more.
            own = self.allowed(sent["consent"])
            allowed = _Allowed(allowed.analytics and own.analytics, allowed.marketing and own.marketing)
        return {
            self._text(name, "", allowed): self.keys.hash_user(str(item))
            if name in _USER_KEYS and item is not None
            else self.redact(item, name, allowed)
            for name, item in sent.items()
            if name not in _NEVER_KEPT and (allowed.analytics or name not in _KEPT_WITH_CONSENT)
        }

    def _text(self, text: str, name: str, allowed: _Allowed) -> str:
        if is_uuid(text):
            return text
        if _ANY_KEY.search(text):
            text = "".join(_split_impersonal(text))
        if name in _URL_KEYS or _URL.match(text):
            url = text if allowed.analytics else text.partition("?")[0]
            text = reduce_url(url, self.search_parameters, CLICK_IDS if allowed.marketing else NO_CLICK_IDS)
        return scrub_text(text)


def _number(number: int | float, name: str) -> int | float | str:
    """A card or phone number needs no quotes, and may be sent as 4111111111111111.0."""
    if name in _INSTANT_KEYS and _is_instant(number):
        return number
    text = str(int(number))
    scrubbed = scrub_text(text)
    return number if scrubbed == text else scrubbed


def _is_instant(number: int | float) -> bool:
    """Epoch seconds or milliseconds between 2001 and 2096, which a repair needs."""
    return 10**9 <= number < 4 * 10**9 or 10**12 <= number < 4 * 10**12


def _printable(letter: str) -> str:
    return letter if letter.isprintable() else "\ufffd"
