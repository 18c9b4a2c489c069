"""When an event happened (docs/definitions.md: Time). Instants are epoch milliseconds, UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clicklake.verify.rules import DAY_MS, MINUTE_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE_DATE = date(1970, 1, 1)
BELIEVED_SKEW_MS = 5 * MINUTE_MS
FUTURE_MS = MINUTE_MS
SENT_BEFORE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Placed:
    """`ts_quality` is client, corrected, clamped or server."""

    occurred_at: int
    ts_quality: str


def place_in_time(ts: int | None, sent_at: int | None, received_at: int) -> Placed:
    """The instant an event counts at, by its browser's clock `ts` and `sent_at` and ours."""
    skew = 0 if sent_at is None else received_at - sent_at
    if ts is None or (sent_at is not None and sent_at < ts - SENT_BEFORE_MS):
        placed = Placed(received_at, "server")
    elif abs(skew) <= BELIEVED_SKEW_MS:
        placed = Placed(ts, "client")
    else:
        placed = Placed(ts + skew, "corrected")
    return Placed(received_at, "clamped") if placed.occurred_at > received_at + FUTURE_MS else placed


def is_too_late(occurred_at: int, received_at: int, late_limit_days: int) -> bool:
    return occurred_at < received_at - late_limit_days * DAY_MS


@lru_cache(maxsize=65536)
def utc_date(day: int) -> date:
    """The date of a day's number since 1970-01-01."""
    return date.fromordinal(UNREADABLE_DATE.toordinal() + day)


def ts_date(ts: int | None) -> date:
    """The UTC date of ts exactly as sent; 1970-01-01 if unreadable."""
    return UNREADABLE_DATE if ts is None else utc_date(ts // DAY_MS)


def local_date(moment: int, zone: ZoneInfo) -> date:
    """The shop's day."""
    return _local_date_of_minute(moment // MINUTE_MS, zone)


@lru_cache(maxsize=65536)
def _local_date_of_minute(minute: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(minutes=minute)).astimezone(zone).date()
