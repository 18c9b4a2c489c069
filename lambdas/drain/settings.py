"""What the drain function is told."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    lake_bucket: str

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        bucket = environment.get("LAKE_BUCKET", "")
        if not bucket:
            raise ValueError("the environment variable LAKE_BUCKET is missing")
        return Settings(lake_bucket=bucket)
