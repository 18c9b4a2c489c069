"""What the administrators' function is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from clicklake.environment import required


@dataclass(frozen=True)
class Settings:
    """`generator_function` is empty where no simulated events are sent."""

    lake_bucket: str
    gate_function: str
    admin_group: str
    generator_function: str = ""

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        return Settings(
            lake_bucket=required(environment, "LAKE_BUCKET"),
            gate_function=required(environment, "GATE_FUNCTION"),
            admin_group=required(environment, "ADMIN_GROUP"),
            generator_function=environment.get("GENERATOR_FUNCTION", ""),
        )
