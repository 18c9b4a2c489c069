"""The one place that spells S3 keys. Standard library only: every part of the platform imports it."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

RAW_PREFIX = "raw/"
PROCESSED_PREFIX = "processed/"
RESULTS_PREFIX = "results/"
STATE_PREFIX = "state/"

LEASE_KEY = STATE_PREFIX + "refresh_lake.lease.json"
JOURNAL_KEY = STATE_PREFIX + "refresh_lake.journal.json"
GATE_KEY = STATE_PREFIX + "gate.json"
REPORT_KEY = STATE_PREFIX + "report.html"

# A slow PUT may end in the hour after the one in its key: who looks for new objects looks back as far.
LISTING_OVERLAP = timedelta(hours=2)

PACK_END = ".ndjson.gz"
MANIFEST_END = ".manifest.json"

_HOUR = re.compile(r"raw/year=(\d{4})/month=(\d{2})/day=(\d{2})/hour=(\d{2})/")
_PACK_DAY = re.compile(r"processed/year=(\d{4})/month=(\d{2})/day=(\d{2})/")
_LINES = re.compile(r"events-[^/]+-(\d{1,6})\.ndjson\.gz$")


@dataclass(frozen=True)
class RawKey:
    """What a raw object's key says. `lines` is None where a foreign key does not tell."""

    hour: datetime | None
    lines: int | None


def hour_prefix(moment: datetime) -> str:
    """The prefix of the raw objects written in the UTC hour of `moment`."""
    # S3 lists keys as text, so each part is padded: "09" has to come before "10".
    utc = moment.astimezone(timezone.utc)
    return f"{RAW_PREFIX}year={utc.year:04}/month={utc.month:02}/day={utc.day:02}/hour={utc.hour:02}/"


def raw_key(ingest_id: str, lines: int, put_at: datetime) -> str:
    """The key of one request's object, by the hour of the PUT; nothing a client sent is in it."""
    return f"{hour_prefix(put_at)}events-{ingest_id}-{lines}.ndjson.gz"


def read_raw_key(key: str) -> RawKey:
    """Reads hour and line count back from a key under raw/; unknown shapes give None, never an error."""
    hour = _HOUR.match(key)
    lines = _LINES.search(key)
    at = None
    if hour:
        try:
            at = datetime(*map(int, hour.groups()), tzinfo=timezone.utc)
        except ValueError:
            at = None
    return RawKey(at, int(lines[1]) if lines else None)


def pack_key(day: date, name: str) -> str:
    """The key of a pack of raw objects of `day` (UTC)."""
    return f"{PROCESSED_PREFIX}year={day.year:04}/month={day.month:02}/day={day.day:02}/pack-{name}{PACK_END}"


def manifest_key(pack: str) -> str:
    """The key of a pack's manifest: beside it."""
    return pack.removesuffix(PACK_END) + MANIFEST_END


def read_pack_day(key: str) -> date | None:
    """The day of a key under processed/; None where it is not of our making."""
    day = _PACK_DAY.match(key)
    try:
        return date(*map(int, day.groups())) if day else None
    except ValueError:
        return None


def hour_prefixes(first: datetime, last: datetime) -> list[str]:
    """Every hour prefix from the hour of `first` to the hour of `last`, both included."""
    hour = first.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)
    prefixes = []
    while hour <= last:
        prefixes.append(hour_prefix(hour))
        hour += timedelta(hours=1)
    return prefixes
