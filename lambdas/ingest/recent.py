"""The event ids stored a moment ago by this instance of the function: a hint, never a filter."""

from collections import OrderedDict
from collections.abc import Iterable


class RecentIds:
    """At most `limit` ids, each for `ttl_seconds`. An id belongs here only after S3 confirmed its line."""

    def __init__(self, limit: int = 50_000, ttl_seconds: float = 300.0) -> None:
        self._limit = limit
        self._ttl_seconds = ttl_seconds
        # Insertion order is order of expiry, because every id has the same time to live.
        self._expiry: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._expiry)

    def has(self, event_id: str, now: float) -> bool:
        expires_at = self._expiry.get(event_id)
        return expires_at is not None and expires_at > now

    def add(self, event_ids: Iterable[str], now: float) -> None:
        expiry, expires_at = self._expiry, now + self._ttl_seconds
        for event_id in event_ids:
            if event_id in expiry:
                expiry.move_to_end(event_id)
            expiry[event_id] = expires_at
        while expiry and (len(expiry) > self._limit or next(iter(expiry.values())) <= now):
            expiry.popitem(last=False)
