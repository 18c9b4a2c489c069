"""What the generator is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from clicklake.environment import required


@dataclass(frozen=True)
class Settings:
    ingest_url: str
    events_per_call: int

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Settings":
        events = required(environment, "EVENTS_PER_CALL")
        if not events.isdecimal() or int(events) < 1:
            raise ValueError(f"EVENTS_PER_CALL is {events!r}, expected a number of 1 or more")
        return Settings(ingest_url=required(environment, "INGEST_URL"), events_per_call=int(events))
