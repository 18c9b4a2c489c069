"""One JSON line a call, with the metrics in it (CloudWatch's embedded metric format). Standard library only."""

import json
from collections.abc import Mapping
from typing import Any


def log_line(
    service: str,
    fields: Mapping[str, Any],
    metrics: Mapping[str, float] | None = None,
    *,
    units: Mapping[str, str] | None = None,
    namespace: str = "",
    logged_at_ms: int = 0,
) -> str:
    """`metrics` become CloudWatch metrics of `namespace` by service. Never an id, a claim or a body in `fields`."""
    line: dict[str, Any] = {"service": service, **fields}
    if metrics:
        line |= metrics
        listed = [{"Name": name, "Unit": (units or {}).get(name, "Count")} for name in metrics]
        directive = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": listed}
        line["_aws"] = {"Timestamp": logged_at_ms, "CloudWatchMetrics": [directive]}
    return json.dumps(line)
