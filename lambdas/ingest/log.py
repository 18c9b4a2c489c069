"""One JSON line a request, with the metrics in it (CloudWatch's embedded metric format).

It never holds a body, a claim or an id of an event, visitor or user.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from lambdas.ingest.store import NOTHING_KEPT, Kept

# CloudWatch bills each metric a month it is sent in: few, and the rare ones only when they happen.
_UNITS = {
    "EventsAccepted": "Count",
    "EventsRejected": "Count",
    "RequestMilliseconds": "Milliseconds",
    "RequestsBuffered": "Count",
    "RequestsNotStored": "Count",
}


@dataclass(slots=True)
class Told:
    """What the line tells of a request, filled in on its way.

    `correlation_id` is the batch: it is in the object's key and, as ingest_id, on each of its lines and of
    the rows that the job makes of them in events, repeats and quarantine. Events are counted by canonical
    type and refusals by reason, so that both have few keys whatever is sent.
    """

    request_id: str
    correlation_id: str = ""
    status: int = 0
    error_code: str = ""
    event_types: dict[str, int] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    kept: Kept = NOTHING_KEPT
    country: str | None = None
    origin: str = ""
    is_bot: bool = False
    sent_bytes: int = 0
    milliseconds: float = 0.0


def log_line(told: Told, namespace: str, logged_at_ms: int) -> str:
    metrics: dict[str, float] = {
        "EventsAccepted": sum(told.event_types.values()),
        "EventsRejected": sum(told.rejections.values()),
        "RequestMilliseconds": round(told.milliseconds, 3),
    }
    if told.kept.outcome == "buffered":
        metrics["RequestsBuffered"] = 1
    if told.kept.outcome == "lost":
        metrics["RequestsNotStored"] = 1
    line: dict[str, Any] = {
        "level": "ERROR" if told.status >= 500 else "WARNING" if told.kept.error else "INFO",
        "service": "ingest",
        "request_id": told.request_id,
        "correlation_id": told.correlation_id,
        "status": told.status,
        "error_code": told.error_code,
        "event_types": told.event_types,
        "verdicts": told.rejections | {"accepted": sum(told.event_types.values())},
        "outcome": told.kept.outcome,
        "tries": told.kept.tries,
        "country": told.country,
        "origin": told.origin,
        "is_bot": told.is_bot,
        "sent_bytes": told.sent_bytes,
        "object_bytes": told.kept.object_bytes,
        **metrics,
        "_aws": {"Timestamp": logged_at_ms, "CloudWatchMetrics": [_directive(namespace, tuple(metrics))]},
    }
    return msgspec.json.encode(line).decode()


@lru_cache(maxsize=16)
def _directive(namespace: str, names: tuple[str, ...]) -> msgspec.Raw:
    """Which of the line's values are metrics: nearly always the same ones."""
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in names]
    directive = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
    return msgspec.Raw(msgspec.json.encode(directive))
