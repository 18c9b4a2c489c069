"""What the drain function is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from clicklake.environment import required


@dataclass(frozen=True)
class Settings:
    lake_bucket: str

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        return Settings(lake_bucket=required(environment, "LAKE_BUCKET"))
