"""Whether something new may lie in raw/ since the last refresh was started. Pure; when in doubt, yes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from clicklake.paths import LISTING_OVERLAP, hour_prefixes, read_raw_key

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


@dataclass(frozen=True)
class News:
    """The `reason` to start a refresh, empty where there is none, and `since` when what is new may have waited."""

    reason: str
    since: datetime | None = None

    def minutes_behind(self, now: datetime) -> float:
        """0 where nothing is new."""
        return round(max((now - self.since).total_seconds(), 0) / 60, 1) if self.since else 0.0


def hours_to_look_at(seen: Seen, now: datetime) -> list[str] | None:
    """The prefixes where new objects would lie, the oldest first; None where looking does not help."""
    if now - seen.started_at > MAX_SILENCE or seen.started_at > now:
        return None
    return hour_prefixes(seen.started_at - LISTING_OVERLAP, now)


def hours_to_remember(now: datetime) -> list[str]:
    return hour_prefixes(now - LISTING_OVERLAP, now)


def look(
    seen: Seen | None, runs: Sequence[Run], now: datetime, count: Callable[[str], int], *, oldest_first: bool = False
) -> News:
    """What is new, by the runs, the newest first, and by `count`, which lists a prefix's objects. That costs: none is
    listed behind the first that has more. In a busy shop the newest has; the oldest tells since when."""
    good = next((run.started_at for run in runs if run.state == "SUCCEEDED"), None)
    if seen is None:
        return News("unknown", good or now)
    hours = hours_to_look_at(seen, now)
    if hours is None:
        # As long as looking helped nothing was new, else a refresh would have been started.
        quiet_until = seen.started_at + MAX_SILENCE
        return News("unknown", max(quiet_until, good or quiet_until))
    if not runs or runs[0].state not in ("SUCCEEDED", "STARTING", "RUNNING", "WAITING", "STOPPING"):
        return News("last_run_failed", good or seen.started_at)
    for prefix in hours if oldest_first else hours[::-1]:
        if count(prefix) > seen.counts.get(prefix, 0):
            hour = read_raw_key(prefix).hour
            # What had come by then was counted or, by a run that somebody else started, listed.
            return News("new_objects", max(hour, seen.started_at, good or seen.started_at))
    return News("reconcile" if seen.owes_reconcile else "")
