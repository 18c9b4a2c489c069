"""The event ids stored a moment ago by this instance of the function: a hint, never a filter."""

from collections import OrderedDict
from collections.abc import Collection


class RecentIds:
    """At most `limit` ids, each for `ttl_seconds`. An id belongs here only after S3 confirmed its line."""

    def __init__(self, limit: int = 50_000, ttl_seconds: float = 300.0) -> None:
        self._limit = limit
        self._ttl_seconds = ttl_seconds
        # Insertion order is order of expiry, because every id has the same time to live.
        self._expiry: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._expiry)

    def among(self, event_ids: Collection[str], now: float) -> set[str]:
        """Those of the ids that are known."""
        expiry = self._expiry
        return {event_id for event_id in event_ids if event_id in expiry and expiry[event_id] > now}

    def add(self, event_ids: Collection[str], now: float) -> None:
        expiry, expires_at = self._expiry, now + self._ttl_seconds
        for event_id in event_ids:
            if event_id in expiry:
                expiry.move_to_end(event_id)
            expiry[event_id] = expires_at
        for _ in range(len(expiry) - self._limit):
            expiry.popitem(last=False)
        while expiry and next(iter(expiry.values())) <= now:
            expiry.popitem(last=False)
