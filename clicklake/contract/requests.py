"""From the body of a request to its events, each still undecoded, so that a bad one costs only itself."""

import re
from enum import StrEnum

import msgspec
from msgspec import Raw, Struct

from clicklake.contract.instants import read_instant
from clicklake.contract.json_text import is_nested_deeper, repair_escapes, split_members
from clicklake.contract.limits import MAX_DEPTH, MAX_EVENTS
from clicklake.contract.reasons import Reason, Refusal

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"[^\r\n]*[^\s][^\r\n]*")


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
    """The events of a request in their order, with the envelope's sent_at (epoch ms).

    With a refusal there are no events: the body as a whole could not be read (400). More than
    MAX_EVENTS events are never returned but for one more, which says that there were too many (413).
    """

    events: list[bytes | Raw]
    sent_at: int | None = None
    refusal: Refusal | None = None


class _Envelope(Struct):
    events: list[Raw] | None = None
    batch: list[Raw] | None = None
    sent_at: Raw = Raw(b"null")
    sentAt: Raw = Raw(b"null")


_NOT_JSON = Body([], refusal=Refusal(Reason.NOT_JSON))
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_any = msgspec.json.Decoder(Raw).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def split_body(body: bytes, kind: ContentKind) -> Body:
    """Splits one event, an array, an envelope or NDJSON into events that are not decoded yet.

    A syntax error in an NDJSON line leaves the line among the events, for decode_event to refuse; in
    other forms it is one refusal for the body. `ANY` is read as JSON if it is JSON, else as NDJSON if
    at least one line is an object.
    """
    body = repair_escapes(body.removeprefix(_BOM)).strip(b" \t\r\n")
    if kind is ContentKind.NDJSON:
        return _split_lines(body)
    whole = _split_document(body)
    if whole.refusal is None or kind is ContentKind.JSON or not body.startswith(b"{"):
        return whole
    return _split_lines(body) if b"\n" in body else whole


def _split_document(body: bytes) -> Body:
    is_list = body.startswith(b"[")
    if _has_crumbs(body) or is_nested_deeper(body, MAX_DEPTH):
        return _split_slowly(body)
    try:
        if is_list:
            return Body(_decode_list(body)[: MAX_EVENTS + 1])
        try:
            envelope = _decode_envelope(body)
        except msgspec.ValidationError:
            # Not an envelope: an event with an odd key of that name, or no object at all.
            return Body([_decode_any(body)])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOT_JSON
    except RecursionError:
        return _split_slowly(body)
    events = envelope.events if envelope.events is not None else envelope.batch
    if events is None:
        return Body([body])
    sent_at = bytes(envelope.sent_at)
    if sent_at == b"null":
        sent_at = bytes(envelope.sentAt)
    return Body(events[: MAX_EVENTS + 1], read_instant(sent_at))


def _split_lines(body: bytes) -> Body:
    """NDJSON. Blank lines do not count. Without a single readable object the body is not NDJSON."""
    lines: list[bytes | Raw] = []
    has_object = False
    for line in _LINE.finditer(body):
        text = line[0].strip(b" \t")
        lines.append(text)
        has_object = has_object or _is_object(text)
        if len(lines) > MAX_EVENTS:
            break
    return Body(lines) if has_object else _NOT_JSON


def _is_object(text: bytes) -> bool:
    if not text.startswith(b"{"):
        return False
    try:
        _decode_any(text)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        return True
    return True


def _has_crumbs(body: bytes) -> bool:
    """Millions of tiny elements would take gigabytes as objects; real events are longer than this."""
    commas = body.count(b",")
    return commas > 100_000 and len(body) < 12 * commas


def _split_slowly(body: bytes) -> Body:
    """For bodies that would exhaust the stack or the memory: a deep element costs only itself."""
    if body.startswith(b"["):
        return Body(list(split_members(body, MAX_EVENTS + 1)))
    if not body.startswith(b"{"):
        return _NOT_JSON
    members = {key: value for key, value in map(_member, split_members(body, 1_000))}
    for name in ("events", "batch"):
        if members.get(name, b"").startswith(b"["):
            sent_at = members.get("sent_at", members.get("sentAt", b"null"))
            return Body(list(split_members(members[name], MAX_EVENTS + 1)), read_instant(sent_at))
    return Body([body])


def _member(text: bytes) -> tuple[str, bytes]:
    key, _, value = text.partition(b":")
    return key.strip().strip(b'"').decode(errors="replace"), value.strip()
