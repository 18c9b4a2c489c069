"""From an API Gateway event (payload 2.0) to the body a client meant, within limits; refusals are values."""

import binascii
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clicklake.contract.limits import MAX_INFLATED_BYTES, MAX_REQUEST_BYTES
from clicklake.contract.requests import CONTENT_KINDS, ContentKind

ANONYMOUS_ROUTE = "POST /v1/events"
USER_ROUTE = "POST /v1/user/events"
ROUTES = (ANONYMOUS_ROUTE, USER_ROUTE)

_GZIP_MARK = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before its body is looked at. `subject` is the verified user; None: anonymous."""

    request_id: str
    received_at: int
    headers: Mapping[str, str]
    user_agent: str
    subject: str | None
    is_preflight: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    content: bytes
    kind: ContentKind
    sent_bytes: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request gets no 202. `unreadable` holds the body where a rejected line has to tell of it."""

    status: int
    error: str
    message: str
    unreadable: bytes | None = None


def read_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """By lower-case names, as API Gateway sends them and a local gateway may not."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def read_call(event: Mapping[str, Any], allowed_origins: frozenset[str]) -> Call | Refused:
    """Route, origin and verified user. Of the claims only `sub` is read, and on the other route none."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    route = event.get("routeKey") or ""
    is_preflight = False
    if route not in ROUTES:
        method = http.get("method", "")
        is_preflight = method == "OPTIONS"
        route = f"{'POST' if is_preflight else method} {event.get('rawPath', '')}"
        if route not in ROUTES:
            return Refused(404, "unknown_route", f"send to one of: {', '.join(ROUTES)}")
    headers = read_headers(event)
    # No Origin: an app or a server. Browsers always send it with a POST across origins, so a page of
    # somebody else cannot leave it out. Compared whole: https://shop.example.evil.test is not the shop.
    if "origin" in headers and headers["origin"] not in allowed_origins:
        return Refused(403, "origin_not_allowed", "this page's origin is not one of the shop's")
    subject = None
    if route == USER_ROUTE and not is_preflight:
        claims = ((context.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            return Refused(401, "no_verified_user", "this route needs a verified token with a sub")
    return Call(
        request_id=str(context["requestId"]),
        received_at=int(context["timeEpoch"]),
        headers=headers,
        user_agent=headers.get("user-agent") or http.get("userAgent") or "",
        subject=subject,
        is_preflight=is_preflight,
    )


def read_body(event: Mapping[str, Any], content_type: str) -> Body | Refused:
    """Undoes base64 and gzip. Every limit is checked before the step that would take the memory."""
    content_type = content_type.partition(";")[0].strip().lower()
    kind = CONTENT_KINDS.get(content_type)
    if kind is None:
        return Refused(
            415,
            "unsupported_content_type",
            "send application/json, text/plain, application/x-ndjson, or gzip as application/octet-stream",
        )
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        if len(text) > MAX_REQUEST_BYTES // 3 * 4 + 8:
            return _too_large(MAX_REQUEST_BYTES)
        try:
            sent = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return Refused(400, "bad_base64", "the body is not base64", text.encode("utf-8", "replace"))
    else:
        if len(text) > MAX_REQUEST_BYTES:
            return _too_large(MAX_REQUEST_BYTES)
        # surrogatepass: what is no text must stay unreadable, not become an error here.
        sent = text.encode("utf-8", "surrogatepass")
    if len(sent) > MAX_REQUEST_BYTES:
        return _too_large(MAX_REQUEST_BYTES)
    if sent[:2] == _GZIP_MARK:
        content = inflate(sent)
        return content if isinstance(content, Refused) else Body(content, kind, len(sent))
    if content_type == _BINARY:
        return Refused(415, "unsupported_content_type", f"{content_type} has to be gzip")
    return Body(sent, kind, len(sent))


def inflate(sent: bytes) -> bytes | Refused:
    """Inflates one gzip member, and stops at the limit however much more there would be.

    Several members in one body are refused: thousands of tiny ones cost quadratic time.
    """
    stream = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        content = stream.decompress(sent, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        return Refused(400, "bad_gzip", "the body starts like gzip and cannot be inflated", sent)
    if len(content) > MAX_INFLATED_BYTES:
        return _too_large(MAX_INFLATED_BYTES)
    if not stream.eof:
        return Refused(400, "bad_gzip", "the gzip body ends too early", sent)
    if stream.unused_data:
        return Refused(400, "bad_gzip", "more bytes follow the gzip body", sent)
    return content


def _too_large(limit: int) -> Refused:
    return Refused(413, "body_too_large", f"a body has at most {limit} bytes: send fewer events at once")
