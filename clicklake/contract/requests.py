"""From the body of a request to its events, each still undecoded, so that a bad one costs only itself."""

import itertools
import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec
from msgspec import Raw, Struct

from clicklake.contract.instants import read_instant
from clicklake.contract.json_text import find_list, repair_escapes, split_members
from clicklake.contract.limits import MAX_EVENTS
from clicklake.contract.raw import DraftLine
from clicklake.contract.reasons import Reason, Refusal

BOM = b"\xef\xbb\xbf"
# From the first byte that is no blank of JSON's: a line of blanks is passed over once, not from each of its bytes.
_LINE = re.compile(rb"[^ \t\r\n][^\r\n]*+")


class ContentKind(StrEnum):
    """What the content type says of an inflated body. `ANY` (text/plain, gzip): see for yourself."""

    JSON = "json"
    NDJSON = "ndjson"
    ANY = "any"


# Gzip comes as application/octet-stream and is recognised by its first bytes; what it holds is ANY.
CONTENT_KINDS: dict[str, ContentKind] = {
    "application/json": ContentKind.JSON,
    "text/plain": ContentKind.ANY,
    "application/x-ndjson": ContentKind.NDJSON,
    "application/octet-stream": ContentKind.ANY,
}


class Body(Struct, frozen=True):
    """The events of a request in their order, with the envelope's sent_at (epoch ms). They are not decoded yet,
    but for usual ones (see usual.py), which are lines already.

    With a refusal there are no events: the body as a whole could not be read (400). More than
    MAX_EVENTS events are never returned but for one more, which says that there were too many (413).
    """

    events: list[bytes | Raw | DraftLine]
    sent_at: int | None = None
    refusal: Refusal | None = None


_NULL = Raw(b"null")


class _Envelope(Struct):
    """`batch` counts only where there are no `events`; what has an event_type is an event, whatever else it has."""

    events: list[Raw] | None = None
    batch: Raw = _NULL
    event_type: Raw = _NULL
    sent_at: Raw = _NULL
    sentAt: Raw = _NULL


_NOT_JSON = Body([], refusal=Refusal(Reason.NOT_JSON))
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_batch = msgspec.json.Decoder(list[Raw] | None).decode
_decode_any = msgspec.json.Decoder(Raw).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def split_body(body: bytes, kind: ContentKind) -> Body:
    """Splits one event, an array, an envelope or NDJSON into events that are not decoded yet.

    A syntax error in an NDJSON line leaves the line among the events, for decode_event to refuse; in
    other forms it is one refusal for the body. `ANY` is read as NDJSON if at least one of its lines is an
    object that is no part of a longer text, else as JSON.
    """
    body = repair_escapes(body.removeprefix(BOM)).strip(b" \t\r\n")
    is_lines = kind is ContentKind.NDJSON or (kind is ContentKind.ANY and _has_line_of_its_own(body))
    return _split_lines(body) if is_lines else _split_document(body)


def _split_document(body: bytes) -> Body:
    is_list = body.startswith(b"[")
    if _has_crumbs(body):
        return _split_slowly(body)
    try:
        if is_list:
            return Body(_decode_list(body)[: MAX_EVENTS + 1])
        try:
            envelope = _decode_envelope(body)
            if bytes(envelope.event_type) != b"null":
                return Body([body])
            events = envelope.events if envelope.events is not None else _decode_batch(envelope.batch)
        except msgspec.ValidationError:
            # Not an envelope: an event with an odd key of that name, or no object at all.
            return Body([_decode_any(body)])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOT_JSON
    except RecursionError:
        return _split_slowly(body)
    if events is None:
        return Body([body])
    sent_at = bytes(envelope.sent_at)
    if sent_at == b"null":
        sent_at = bytes(envelope.sentAt)
    return Body(events[: MAX_EVENTS + 1], read_instant(sent_at))


def _has_line_of_its_own(body: bytes) -> bool:
    """Whether one of several lines is an object by itself. A line of a longer JSON text is never taken for one:
    what is in a list or an object follows a bracket, a comma or a colon."""
    if b"\n" not in body:
        return False
    before = b""
    for line in itertools.islice(_lines(body), MAX_EVENTS + 1):
        if not before.endswith((b"[", b",", b":")) and line.endswith(b"}") and _is_object(line, is_deep_one=False):
            return True
        before = line
    return False


def _lines(body: bytes) -> Iterator[bytes]:
    return (line[0].rstrip(b" \t") for line in _LINE.finditer(body))


def _split_lines(body: bytes) -> Body:
    """NDJSON. Blank lines do not count. Without a single readable object the body is not NDJSON."""
    lines: list[bytes | Raw] = []
    has_object = False
    for line in itertools.islice(_lines(body), MAX_EVENTS + 1):
        lines.append(line)
        has_object = has_object or _is_object(line, is_deep_one=True)
    return Body(lines) if has_object else _NOT_JSON


def _is_object(text: bytes, is_deep_one: bool) -> bool:
    """`is_deep_one` is the answer where it is too deep to tell."""
    if not text.startswith(b"{"):
        return False
    try:
        _decode_any(text)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        return is_deep_one
    return True


def _has_crumbs(body: bytes) -> bool:
    """Millions of tiny elements would take gigabytes as objects; real events are longer than this."""
    return len(body) > 100_000 and (commas := body.count(b",")) > 100_000 and len(body) < 12 * commas


def _split_slowly(body: bytes) -> Body:
    """For bodies that would exhaust the stack or the memory: a deep element costs only itself.

    An envelope's sent_at is read where it stands before the events, and so is what makes it an event.
    """
    if body.startswith(b"["):
        return _members(body, None)
    if not body.startswith(b"{"):
        return _NOT_JSON
    start = find_list(body, b'"events"') or find_list(body, b'"batch"')
    if start is None:
        return Body([body])
    head = dict(map(_pair, split_members(body[:start], 100) or []))
    if head.get(b'"event_type"', b"null") != b"null":
        return Body([body])
    split = _members(body[start:], read_instant(head.get(b'"sent_at"') or head.get(b'"sentAt"') or b"null"))
    # Nothing vanishes: without events it is refused as one, for what made it go this way.
    return split if split.events or split.refusal is not None else Body([body])


def _members(array: bytes, sent_at: int | None) -> Body:
    events = split_members(array, MAX_EVENTS + 1)
    if events is None:
        return Body([], refusal=Refusal(Reason.TOO_DEEP))
    return Body(list(events), sent_at)


def _pair(member: bytes) -> tuple[bytes, bytes]:
    key, _, value = member.partition(b":")
    return key.strip(), value.strip()
