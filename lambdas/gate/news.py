"""Whether something new may lie in raw/ since the last refresh was started. Pure; when in doubt, yes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from clicklake.paths import LISTING_OVERLAP, hour_prefixes

# Looking through more hours than these would cost more than a run.
MAX_SILENCE = timedelta(days=8)


@dataclass(frozen=True)
class Seen:
    """How many objects each of the last hours held when a refresh was started. Nothing ever leaves raw/
    within days, so more objects are new objects, and as many are the same. `owes_reconcile` where a run was at
    work when one should have begun that lists everything."""

    started_at: datetime
    counts: Mapping[str, int]
    owes_reconcile: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"started_at": self.started_at.isoformat()})

    @staticmethod
    def from_json(text: str) -> "Seen | None":
        """None for what cannot be read: then nothing is known."""
        try:
            found = json.loads(text)
            counts = {str(prefix): int(count) for prefix, count in found["counts"].items()}
            started_at = datetime.fromisoformat(found["started_at"])
            owes_reconcile = bool(found.get("owes_reconcile"))
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return None if started_at.tzinfo is None else Seen(started_at, counts, owes_reconcile)

    @staticmethod
    def nothing(now: datetime) -> "Seen":
        """As good as none: too long ago to look."""
        return Seen(now - MAX_SILENCE - timedelta(minutes=1), {})


@dataclass(frozen=True)
class Run:
    """A run of the job, as Glue tells of it."""

    state: str
    started_at: datetime


def hours_to_look_at(seen: Seen | None, now: datetime) -> list[str] | None:
    """The prefixes where new objects would lie, the newest first; None where looking does not help."""
    if seen is None or now - seen.started_at > MAX_SILENCE or seen.started_at > now:
        return None
    return hour_prefixes(seen.started_at - LISTING_OVERLAP, now)[::-1]


def hours_to_remember(now: datetime) -> list[str]:
    return hour_prefixes(now - LISTING_OVERLAP, now)


def why_to_start(seen: Seen | None, now: datetime, last: Run | None, count: Callable[[str], int]) -> str:
    """The reason to start a refresh; empty where there is none. `count` lists a prefix's objects, which costs:
    none is listed behind the first that has more."""
    hours = hours_to_look_at(seen, now)
    if seen is None or hours is None:
        return "unknown"
    if last is None or last.state not in ("SUCCEEDED", "STARTING", "RUNNING", "WAITING", "STOPPING"):
        return "last_run_failed"
    if any(count(prefix) > seen.counts.get(prefix, 0) for prefix in hours):
        return "new_objects"
    return "reconcile" if seen.owes_reconcile else ""


def minutes_behind(reason: str, last_success: Run | None, seen: Seen | None, now: datetime) -> float:
    """How long what is new may have waited: since the last good run began. 0 where nothing is new."""
    since = last_success.started_at if last_success else seen.started_at if seen else now
    return round(max((now - since).total_seconds(), 0) / 60, 1) if reason else 0.0
