"""Raw lines by hand, the oracle over them, and a lake that agrees with it in everything."""

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any

from clicklake.local.places import ROOT
from clicklake.verify.checks import OF_ALL_TIME, OF_PERIODS, LakeSide
from clicklake.verify.compare import Row
from clicklake.verify.kpis import Figures, Key, overall
from clicklake.verify.oracle import Oracle, recompute
from clicklake.verify.raw_objects import RawObject, open_object
from clicklake.verify.rules import Reference, Rules, read_reference

RULES = Rules(hosts=("shop.example",))
REFERENCE: Reference = read_reference(ROOT / "glue_jobs" / "reference")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = "2026-03-02T12:00:00"


def ms(text: str) -> int:
    """Epoch milliseconds of an ISO instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


def line(event_id: str, at: str | int = NOON, event_type: str = "page_view", **fields: Any) -> dict[str, Any]:
    """An accepted raw line of visitor v, sent and received a second after it happened unless told otherwise."""
    happened = ms(at) if isinstance(at, str) else at
    values = {
        "ingest_id": hashlib.sha256(event_id.encode()).hexdigest()[:32],
        "position": 0,
        "received_at": happened + 1000,
        "verdict": "accepted",
        "event_id": event_id,
        "ts": happened,
        "sent_at": happened + 1000,
        "event_type": event_type,
        "anonymous_id": "v",
        "page_url": "https://shop.example/",
        "consent": {"analytics": "granted", "marketing": "granted"},
        **fields,
    }
    return {name: value for name, value in values.items() if value is not None}


def raw(lines: Iterable[Mapping[str, Any] | str], name: str = "a") -> RawObject:
    """One object as it lies in raw/."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    key = f"raw/year=2026/month=03/day=02/hour=12/events-{name}-{len(texts)}.ndjson.gz"
    return open_object(key, gzip.compress("".join(text + "\n" for text in texts).encode()))


def oracle_of(lines: Iterable[Mapping[str, Any] | str], rules: Rules = RULES) -> Oracle:
    return recompute([raw(lines)], rules, REFERENCE)


def lake_of(oracle: Oracle) -> LakeSide:
    """A lake that says what the oracle says, over the period `all`."""
    tables = {
        name: {column: [row[column] for row in rows] for column in rows[0]} if rows else _Empty()
        for name, rows in oracle.tables.items()
    }
    days = [event.event_date for event in oracle.outcomes.events]
    first, last = (min(days), max(days)) if days else (date(2026, 3, 2), date(2026, 3, 2))
    figures = Figures(oracle, first, last)
    of_period = {"period": "all"}
    views = {
        "kpis": [{"metric": name, **row} for name, row in figures.kpis().items()],
        "funnel": [{"step": step, **row} for step, row in figures.funnel().items()],
        **{view: _listed(OF_PERIODS[view][1], rows) for view, rows in figures.rows().items()},
        **{view: _listed(OF_ALL_TIME[view][1], rows) for view, rows in overall(oracle).items()},
        "ledger": [{**oracle.ledger, "is_balanced": True}],
    }
    return LakeSide(
        tables,
        [{**of_period, "first_date": first, "last_date": last}],
        {name: [of_period | row for row in rows] for name, rows in views.items()},
    )


def _listed(key: Sequence[str], rows: Mapping[Key, Row]) -> list[dict[str, Any]]:
    return [dict(zip(key, place, strict=True)) | row for place, row in rows.items()]


class _Empty(dict[str, list[Any]]):
    def __missing__(self, column: str) -> list[Any]:
        return []
