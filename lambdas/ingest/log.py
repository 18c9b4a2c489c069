"""One JSON line a request, with the metrics in it (CloudWatch's embedded metric format).

It never holds a body, a claim or an id of an event, visitor or user.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

# CloudWatch bills each metric a month it is sent in: few, and the rare ones only when they happen.
_UNITS = {
    "EventsAccepted": "Count",
    "EventsRejected": "Count",
    "RequestMilliseconds": "Milliseconds",
    "RequestsBuffered": "Count",
    "RequestsNotStored": "Count",
}


def log_line(
    *,
    namespace: str,
    logged_at_ms: int,
    request_id: str,
    correlation_id: str,
    route: str,
    status: int,
    error_code: str,
    event_types: Mapping[str, int],
    rejections: Mapping[str, int],
    outcome: str,
    tries: int,
    country: str | None,
    origin: str,
    is_bot: bool,
    sent_bytes: int,
    object_bytes: int,
    milliseconds: float,
) -> str:
    """`event_types` counts accepted events by canonical type, `rejections` rejected ones by reason: both
    have few keys whatever is sent. `correlation_id` is the batch: it is in the object's key and on
    every line of it, so the gate and the job can name it too."""
    accepted, rejected = sum(event_types.values()), sum(rejections.values())
    metrics: dict[str, float] = {
        "EventsAccepted": accepted,
        "EventsRejected": rejected,
        "RequestMilliseconds": round(milliseconds, 3),
    }
    if outcome == "buffered":
        metrics["RequestsBuffered"] = 1
    if outcome == "lost":
        metrics["RequestsNotStored"] = 1
    line: dict[str, Any] = {
        "level": "ERROR" if outcome == "lost" else "WARNING" if outcome == "buffered" else "INFO",
        "service": "ingest",
        "request_id": request_id,
        "correlation_id": correlation_id,
        "route": route,
        "status": status,
        "error_code": error_code,
        "event_types": event_types,
        "rejections": rejections,
        "outcome": outcome,
        "tries": tries,
        "country": country,
        "origin": origin,
        "is_bot": is_bot,
        "sent_bytes": sent_bytes,
        "object_bytes": object_bytes,
        **metrics,
        "_aws": {
            "Timestamp": logged_at_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": name, "Unit": _UNITS[name]} for name in metrics],
                }
            ],
        },
    }
    return msgspec.json.encode(line).decode()
