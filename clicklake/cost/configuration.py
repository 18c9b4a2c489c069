"""What the default profile of terraform/ has, as far as it is billed. A test holds it equal to a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Configuration:
    """`alarm_metrics` are the metrics that alarms read: an alarm on an expression has several.

    `steady_metrics` are custom metrics sent with each request, `gate_metrics` with each look of the gate,
    `run_metrics` after each run. Refreshes that are `flex_from_minutes` apart or more are Flex runs. `memory_mb` is
    by function. `firewall_rules` counts when there is a firewall.
    """

    alarm_metrics: int = 13
    dashboards: int = 1
    steady_metrics: int = 3
    gate_metrics: int = 1
    run_metrics: int = 1
    workers: int = 2
    timeout_minutes: int = 60
    refresh_minutes: int = 1_440
    flex_from_minutes: int = 360
    measure_minutes: int = 60
    reconcile_days: int = 7
    generator_minutes: int = 5
    log_retention_days: int = 30
    firewall_rules: int = 4
    memory_mb: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {"ingest": 512, "drain": 256, "gate": 256, "report": 1024, "admin": 256, "generator": 256}
        )
    )


DEFAULT = Configuration()
