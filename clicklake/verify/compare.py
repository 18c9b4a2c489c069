"""Rows beside rows, figures beside figures: what differs, and where. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Row = Mapping[str, Any]
# A table by columns; instants are epoch ms.
Columns = Mapping[str, Sequence[Any]]
TOLERANCE = 1e-9
EXAMPLES = 3

# Rows are found again by these columns.
KEYS: Mapping[str, tuple[str, ...]] = {
    "events": ("event_id", "ts_date"),
    "sessions": ("session_id",),
    "orders": ("order_id",),
    "identity": ("visitor_id", "valid_from"),
    "visitor_days": ("event_date", "visitor_id"),
    "daily_traffic": ("event_date", "dimension", "value"),
    "daily_orders": ("event_date", "currency", "dimension", "value"),
    "daily_active": ("event_date",),
    "daily_products": ("event_date", "product_id", "currency"),
    "quarantine": ("ingest_id", "position"),
    "repeats": ("object", "line"),
    "ingested_objects": ("object",),
}


@dataclass(frozen=True)
class Difference:
    """`column` is None where a whole row is only on one side; `lake` or `oracle` then says which has it."""

    key: tuple[Any, ...]
    column: str | None
    lake: Any
    oracle: Any


@dataclass(frozen=True)
class TableComparison:
    """A table of the lake beside the oracle's."""

    name: str
    lake_rows: int
    oracle_rows: int
    differences: Sequence[Difference] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return not self.differences

    @property
    def columns(self) -> Counter[str]:
        """How many rows differ, by column; '(row)' where one side lacks the row."""
        return Counter(difference.column or "(row)" for difference in self.differences)

    def examples(self, column: str) -> list[Difference]:
        wanted = [difference for difference in self.differences if (difference.column or "(row)") == column]
        return wanted[:EXAMPLES]


def compare_table(name: str, lake: Columns, oracle: Sequence[Row]) -> TableComparison:
    """Every row of both sides by key, and every column the oracle knows.

    A key that stands twice is a difference. Values are compared as they are, and once more in one form
    (see `plain`) where they are not the same.
    """
    key = KEYS[name]
    differences: list[Difference] = []
    ours = _by_key(list(zip(*(lake[column] for column in key), strict=True)), differences)
    theirs = _by_key([tuple(row[column] for column in key) for row in oracle], differences)
    for place in sorted(ours.keys() ^ theirs.keys(), key=repr):
        sides = ("present", None) if place in ours else (None, "present")
        differences.append(Difference(place, None, *sides))
    shared = [(place, ours[place], oracle[theirs[place]]) for place in theirs if place in ours]
    for column in oracle[0] if oracle else ():
        if column in key:
            continue
        found = lake[column]
        for place, number, row in shared:
            if found[number] != row[column] and plain(found[number]) != plain(row[column]):
                differences.append(Difference(place, column, plain(found[number]), plain(row[column])))
    return TableComparison(name, len(ours), len(theirs), differences)


def _by_key(keys: Sequence[tuple[Any, ...]], differences: list[Difference]) -> dict[tuple[Any, ...], int]:
    """The number of each key's row."""
    found: dict[tuple[Any, ...], int] = {}
    for number, place in enumerate(keys):
        if place in found:
            differences.append(Difference(place, None, "twice", "twice"))
        found[place] = number
    return found


def plain(value: Any) -> Any:
    """One form for both sides: instants are epoch ms, dates are text, a struct has only the fields that are there."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, datetime):
        return round((value - datetime(1970, 1, 1)).total_seconds() * 1000)
    if isinstance(value, date):
        return value.isoformat()
    return value


def is_same(one: Any, other: Any) -> bool:
    """Counts and money exactly, other numbers within 1e-9 of their size."""
    one, other = plain(one), plain(other)
    if isinstance(one, float) or isinstance(other, float):
        if one is None or other is None:
            return one is other
        return math.isclose(float(one), float(other), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)
