"""An event_id for an event that has none: a keyed hash of its content, so that a retry keeps it."""

import hashlib
import hmac
import json
import math
from typing import Any

import rfc8785
from msgspec import Raw

from clicklake.contract.json_text import repair_escapes

# The time of sending differs between an attempt and its retry.
_NOT_CONTENT = ("sent_at", "sentAt")


def fallback_event_id(raw: bytes | Raw, key: bytes) -> str:
    """64 hex digits: HMAC-SHA256 of the RFC 8785 JSON of the event as received, less sent_at.

    Where RFC 8785 has no answer: a number is the nearest double, as JavaScript reads it (so integers
    beyond 2^53 are rounded); one beyond the doubles is its own text; an escaped lone surrogate or NUL is
    U+FFFD; what is not a JSON object is hashed as it came.
    """
    text = bytes(raw)
    return hmac.new(key, _canonical(text), hashlib.sha256).hexdigest()


def _canonical(text: bytes) -> bytes:
    try:
        event = json.loads(repair_escapes(text), parse_int=_number, parse_float=_number)
        if not isinstance(event, dict):
            return text
        return rfc8785.dumps({name: value for name, value in event.items() if name not in _NOT_CONTENT})
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> Any:
    if len(text) <= 15 and text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else text
