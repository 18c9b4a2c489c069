"""What can be turned to pay more or less, and what each does to a bill."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clicklake.cost.bill import bill
from clicklake.cost.configuration import DEFAULT
from clicklake.cost.usage import Workload


@dataclass(frozen=True)
class Lever:
    """`how` says where it is turned; `changes` are fields of a workload, `configured` of the configuration."""

    name: str
    how: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    configured: Mapping[str, Any] = field(default_factory=dict)

    def effect(self, workload: Workload) -> float:
        """Dollars a month more, or less where negative."""
        after = bill(replace(workload, **self.changes), configuration=replace(DEFAULT, **self.configured))
        return after.usd - bill(workload).usd


LEVERS = (
    Lever("1 event a request instead of 10", "a browser that does not batch", {"events_per_request": 1}),
    Lever("20 events a request", "the sender's batches", {"events_per_request": 20}),
    Lever("a refresh every 6 hours", '`refresh_schedule = "rate(6 hours)"`', {"refresh_minutes": 360}),
    Lever("a refresh an hour", '`refresh_schedule = "rate(1 hour)"`', {"refresh_minutes": 60}),
    Lever("a refresh every 5 minutes", '`refresh_schedule = "rate(5 minutes)"`', {"refresh_minutes": 5}),
    Lever("workers that are there at once, not Flex", "`job = { is_flex = false }`", {"is_flex": False}),
    Lever("10 workers", "`job = { workers = 10 }`", {"workers": 10}),
    Lever("1,024 MB for ingest instead of 512", "`memory_mb` of `modules/ingest`", {"ingest_memory_mb": 1024}),
    Lever("raw objects without gzip", "no setting: for comparison", {"is_gzipped": False}),
    Lever("raw events kept for 3 months", "`raw_lifecycle = { expire_after_days = 90 }`", {"raw_months_kept": 3}),
    Lever("old files of tables removed monthly", "`maintenance_schedule`", {"is_maintained": True}),
    Lever("ten alarms' metrics instead of thirteen", "`modules/monitoring`", configured={"alarm_metrics": 10}),
    Lever("the firewall", "`firewall = {}`", {"has_firewall": True}),
    Lever("a REST API instead of the HTTP API", "no setting: for comparison", {"is_rest": True}),
)
