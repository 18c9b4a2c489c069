"""What the sender is told. 202 means durable; every answer is JSON; none repeats what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

RETRY_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Rejection:
    """`index` is the event's place in the request, from 0."""

    index: int
    reason: str
    field: str | None


def accepted(accepted_count: int, rejections: Sequence[Rejection]) -> dict[str, Any]:
    """202 as soon as the body could be read, even if every event was rejected."""
    errors = [
        {"index": rejection.index, "reason": rejection.reason} | ({"field": rejection.field} if rejection.field else {})
        for rejection in rejections
    ]
    return _answer(202, {"accepted": accepted_count, "rejected": len(errors), "errors": errors})


def refused(status: int, error: str, message: str) -> dict[str, Any]:
    return _answer(status, {"error": error, "message": message})


def unavailable() -> dict[str, Any]:
    answer = refused(503, "not_stored", "nothing was stored: send the same events again, with the same ids")
    answer["headers"]["retry-after"] = str(RETRY_AFTER_SECONDS)
    return answer


def preflight() -> dict[str, Any]:
    """Where the gateway does not answer OPTIONS itself."""
    answer = _answer(204, None)
    answer["headers"] |= {
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "86400",
    }
    return answer


def with_cors(answer: dict[str, Any], origin: str) -> dict[str, Any]:
    """For an origin that was found in the list; a gateway with CORS of its own replaces these headers."""
    headers = answer["headers"] | {"access-control-allow-origin": origin, "vary": "Origin"}
    return answer | {"headers": headers}


def _answer(status: int, body: object) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": "" if body is None else msgspec.json.encode(body).decode(),
        "isBase64Encoded": False,
    }
