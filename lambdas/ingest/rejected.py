"""What may be kept of an event that was refused: enough to explain and repair it, nothing personal."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from clicklake.contract.json_text import repair_escapes
from lambdas.ingest.identity import HashKeys, is_uuid
from lambdas.ingest.scrub import scrub_text
from lambdas.ingest.urls import reduce_url

EXCERPT_LENGTH = 256
# More than the excerpt is scrubbed, so that an address across its end is seen whole.
_SCRUBBED_LENGTH = 4 * EXCERPT_LENGTH

_USER_KEYS = frozenset({"user_id", "userId"})
# Segment's libraries put names and addresses here.
_NEVER_KEPT = frozenset({"traits", "ip"})
# What an accepted event keeps only with consent, under the contract's and Segment's names.
_KEPT_WITH_CONSENT = _USER_KEYS | {
    "anonymous_id", "anonymousId", "session_hint", "session_id", "page_view_id", "page_title", "referrer",
    "user_age", "props", "properties", "context",
}  # fmt: skip
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,15}:|/)[^\s]*\Z", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """All that is kept of a body that cannot be read."""

    length: int
    sha256: str
    text: str


def excerpt(unreadable: bytes) -> Excerpt:
    """Length and hash of the whole, and its first 256 characters, redacted."""
    text = unreadable[: 4 * _SCRUBBED_LENGTH].decode("utf-8", "replace")[:_SCRUBBED_LENGTH]
    # JSON may spell the at sign \u0040.
    text = _ESCAPE.sub(lambda match: _printable(chr(int(match[1], 16))), text)
    return Excerpt(len(unreadable), hashlib.sha256(unreadable).hexdigest(), scrub_text(text)[:EXCERPT_LENGTH])


def redacted_json(
    raw: bytes, keys: HashKeys, search_parameters: frozenset[str], is_granted_by_default: bool
) -> str | None:
    """The event's JSON with scrubbed texts, reduced URLs and hashed users; None where it cannot be read.

    Without consent its personal fields and the queries of its URLs are left out.
    """
    try:
        event = msgspec.json.decode(repair_escapes(raw))
        is_granted = _is_granted(event, is_granted_by_default)
        if isinstance(event, dict) and not is_granted:
            event = {name: value for name, value in event.items() if name not in _KEPT_WITH_CONSENT}

        def redact_text(text: str) -> str:
            if is_uuid(text):
                return text
            if not _URL.match(text):
                return scrub_text(text)
            return scrub_text(reduce_url(text if is_granted else text.partition("?")[0], search_parameters))

        return msgspec.json.encode(_redact(event, keys, redact_text)).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _is_granted(event: object, is_granted_by_default: bool) -> bool:
    consent = event.get("consent") if isinstance(event, dict) else None
    analytics = consent.get("analytics") if isinstance(consent, dict) else None
    return analytics == "granted" or (is_granted_by_default and analytics in (None, "unknown"))


def _redact(value: object, keys: HashKeys, redact_text: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [_redact(item, keys, redact_text) for item in value]
    if isinstance(value, dict):
        return {
            redact_text(name): keys.hash_user(str(item))
            if name in _USER_KEYS and item is not None
            else _redact(item, keys, redact_text)
            for name, item in value.items()
            if name not in _NEVER_KEPT
        }
    if isinstance(value, int) and not isinstance(value, bool) and not _is_instant(value):
        # A card or phone number needs no quotes.
        text = str(value)
        scrubbed = redact_text(text)
        return value if scrubbed == text else scrubbed
    return value


def _is_instant(number: int) -> bool:
    """Epoch seconds or milliseconds between 2001 and 2096: ts and sent_at, which a repair needs."""
    return 10**9 <= number < 4 * 10**9 or 10**12 <= number < 4 * 10**12


def _printable(letter: str) -> str:
    return letter if letter.isprintable() else "\ufffd"
