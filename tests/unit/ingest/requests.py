"""API Gateway events (payload 2.0) for the tests: the recorded ones, and new ones made of them."""

import base64
import copy
import json
from pathlib import Path
from typing import Any

PAYLOADS = Path(__file__).parent / "payloads"
RECEIVED_AT = 1_777_636_802_000


def recorded(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def request(
    body: str | bytes,
    *,
    content_type: str | None = "application/json",
    request_id: str = "request-1",
    subject: str | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A recorded request with another body: text goes as a string, bytes as base64."""
    event = copy.deepcopy(recorded("verified_user" if subject else "json_one_event"))
    event["headers"] |= headers or {}
    event["headers"]["content-type"] = content_type
    if content_type is None:
        del event["headers"]["content-type"]
    event["requestContext"]["requestId"] = request_id
    if subject:
        event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = subject
    event["isBase64Encoded"] = isinstance(body, bytes)
    event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event
