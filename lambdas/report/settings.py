"""What the report's function is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from clicklake.environment import required


@dataclass(frozen=True)
class Settings:
    lake_bucket: str
    database: str
    workgroup: str
    metrics_namespace: str = "Clicklake"

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        return Settings(
            lake_bucket=required(environment, "LAKE_BUCKET"),
            database=required(environment, "DATABASE"),
            workgroup=required(environment, "WORKGROUP"),
            metrics_namespace=environment.get("METRICS_NAMESPACE") or "Clicklake",
        )
