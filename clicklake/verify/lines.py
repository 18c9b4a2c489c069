"""What becomes of every raw line: an event, a repeat, or a refusal (docs/definitions.md: Exactly once)."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from clicklake.verify.clock import UNREADABLE_DATE, is_too_late, local_date, place_in_time, ts_date, utc_date
from clicklake.verify.raw_objects import RawObject
from clicklake.verify.rules import DAY_MS, Reference, Rules

PASSIVE = frozenset({"page_leave", "page_ping"})

_MONEY = re.compile(r"-?\d{1,12}(?:\.\d{1,4})?")
_MONEYS = ("value", "tax", "shipping", "discount")
_TOO_MUCH = 10**12
# The greatest of 32 bits and of 64: what a column of the lake can hold.
_INT, _LONG = 2**31 - 1, 2**63 - 1
# What the line's fields are; of those in structs and lists, too. What is not named is text.
_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("received_at", "ts", "sent_at"), _LONG),
    **dict.fromkeys(("position", "contract_version", "length"), _INT),
    **dict.fromkeys(("is_bot", "maybe_repeat", "is_test"), bool),
    "bot_reasons": [str],
    "device": {"type": str},
    "geo": {"country": str, "city": str},
    "consent": {"analytics": str, "marketing": str},
    "items": [{"qty": _INT, "position": _INT}],
    "props": {
        **dict.fromkeys(("results_count", "scroll_pct", "user_age"), _INT),
        "engaged_ms": _LONG,
        "own": [{"key": str, "value": str}],
    },
}
_PROPS = (
    "search_query", "results_count", "link_url", "element_id", "engaged_ms", "scroll_pct", "page_kind", "user_age",
)  # fmt: skip
_NEEDED = ("ingest_id", "position", "received_at", "verdict")
_NEEDED_OF_EVENTS = ("event_id", "event_type")
# Our own clock is right: it stands between 1970 and 2199. A browser's may show any year from 1 to 9999.
_LAST_RECEIVED_MS = 7_258_118_399_999
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


@dataclass(slots=True, eq=False)
class Event:
    """A stored event: its raw line, and what the definitions make of it. Money is Decimal, instants are ms.

    `user_id` is the least of all copies; sessions.py fills in `session_id`, or sets the event aside as a bot's.
    """

    line: Mapping[str, Any]
    object: str
    number: int
    event_id: str
    event_type: str
    visitor_id: str | None
    user_id: str | None
    page_view_id: str | None
    received_at: int
    occurred_at: int
    ts_quality: str
    ts_date: date
    event_date: date
    items: tuple[Mapping[str, Any], ...]
    value: Decimal | None
    currency: str | None
    is_bot: bool
    is_test: bool
    origin: str
    bot_reasons: tuple[str, ...] = ()
    session_id: str | None = None
    set_aside_session_id: str | None = None
    props: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, date]:
        return self.event_id, self.ts_date

    @property
    def order(self) -> tuple[int, str, date]:
        """Events in their order of time; ids break ties."""
        return self.occurred_at, self.event_id, self.ts_date

    @property
    def copy_order(self) -> tuple[int, str, int]:
        """Of several copies the least is stored."""
        return self.received_at, self.line["ingest_id"], self.line["position"]

    @property
    def counts(self) -> bool:
        """Whether it counts in traffic: people's events, no bots and no tests."""
        return not self.is_bot and not self.is_test

    @property
    def is_persons(self) -> bool:
        """By its own line, whatever its visit behaves like: no bot's, and no test."""
        return not self.line.get("is_bot") and not self.is_test

    @property
    def is_passive(self) -> bool:
        return self.event_type in PASSIVE

    @property
    def is_active(self) -> bool:
        return self.counts and self.visitor_id is not None and not self.is_passive

    @property
    def is_consented(self) -> bool:
        return (self.line.get("consent") or {}).get("analytics") == "granted"

    @property
    def country(self) -> str | None:
        return (self.line.get("geo") or {}).get("country")

    @property
    def device_type(self) -> str | None:
        return (self.line.get("device") or {}).get("type")


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no event, kept with its reason."""

    line: Mapping[str, Any]
    text: str
    object: str
    number: int
    reason: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A line that repeats another; event_id and ts_date are None for the copy of a refused line."""

    object: str
    number: int
    line: Mapping[str, Any]
    event_id: str | None
    ts_date: date | None


@dataclass(frozen=True)
class Outcomes:
    """Every line of every object in exactly one place, or lost; `as_of` is the greatest received_at of all."""

    events: list[Event]
    repeats: list[Repeat]
    refused: list[Refused]
    received: int
    lost: int
    as_of: int | None


def read_lines(objects: Iterable[RawObject], rules: Rules) -> Outcomes:
    """Tells the outcome of every line. The order of objects and lines does not matter, except in which of two
    equal copies (same request, same position) is called the repeat."""
    events: list[Event] = []
    refused: dict[tuple[Any, ...], Refused] = {}
    repeats: list[Repeat] = []
    received = lost = 0
    as_of = None
    for raw in sorted(objects, key=lambda raw: raw.key):
        received += len(raw.lines) + raw.lost
        lost += raw.lost
        for number, text in enumerate(raw.lines, 1):
            read = _read(text, raw.faults.get(number), raw.key, number, rules)
            moment = _receipt(read.line)
            if moment is not None:
                as_of = moment if as_of is None else max(as_of, moment)
            if isinstance(read, Event):
                events.append(read)
            elif refused.setdefault(_place(read.line, text), read) is not read:
                repeats.append(Repeat(read.object, read.number, read.line, None, None))
    stored, more = _first_copies(events)
    return Outcomes(stored, repeats + more, list(refused.values()), received, lost, as_of)


def _first_copies(events: Sequence[Event]) -> tuple[list[Event], list[Repeat]]:
    copies: dict[tuple[str, date], list[Event]] = {}
    for event in events:
        copies.setdefault(event.key, []).append(event)
    stored, repeats = [], []
    for of_event in copies.values():
        first = min(of_event, key=lambda event: event.copy_order)
        users = [event.user_id for event in of_event if event.user_id is not None]
        first.user_id = min(users) if users else None
        stored.append(first)
        repeats += [
            Repeat(copy.object, copy.number, copy.line, copy.event_id, copy.ts_date)
            for copy in of_event
            if copy is not first
        ]
    return stored, repeats


def _read(text: str, fault: str | None, key: str, number: int, rules: Rules) -> Event | Refused:
    line, has_drifted = _parse(text)
    refusal = (fault, None) if fault else _refusal(line, has_drifted)
    if refusal:
        return Refused(line or {}, text, key, number, *refusal)
    ts, received_at = line.get("ts"), line["received_at"]
    placed = place_in_time(ts, line.get("sent_at"), received_at)
    if is_too_late(placed.occurred_at, received_at, rules.late_limit_days):
        return Refused(line, text, key, number, "too_late", None)
    return Event(
        line=line,
        object=key,
        number=number,
        event_id=line["event_id"],
        event_type=line["event_type"],
        visitor_id=line.get("anonymous_id"),
        user_id=line.get("user_id"),
        page_view_id=line.get("page_view_id"),
        received_at=received_at,
        occurred_at=placed.occurred_at,
        ts_quality=placed.ts_quality,
        ts_date=ts_date(ts),
        event_date=local_date(placed.occurred_at, rules.zone),
        items=tuple(map(_item, line.get("items") or ())),
        value=_money(line.get("value")),
        currency=line.get("currency") or (rules.currency if _has_money(line) else None),
        is_bot=bool(line.get("is_bot")),
        bot_reasons=tuple(name for name in line.get("bot_reasons") or () if line.get("is_bot")),
        is_test=bool(line.get("is_test")),
        origin=line.get("origin") or "browser",
        props=_props(line),
    )


def _props(line: Mapping[str, Any]) -> Mapping[str, Any]:
    props = line.get("props") or {}
    if props.get("engaged_ms") is None:
        return props
    return {**props, "engaged_ms": min(props["engaged_ms"], DAY_MS)}


def _parse(text: str) -> tuple[dict[str, Any] | None, bool]:
    """The line's fields that are not null, and whether there are others that cannot be what they should; None where
    the line is no JSON object."""
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(sent, dict):
        return None, False
    line, has_drifted = {}, False
    for name, value in sent.items():
        try:
            if value is not None:
                line[name] = _typed(value, _KINDS.get(name, str))
        except TypeError:
            has_drifted = True
    return line, has_drifted


def _typed(value: Any, kind: Any) -> Any:
    """The value as its column holds it; text takes anything. Raises TypeError where it cannot."""
    if value is None:
        return None
    if kind is str:
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(kind, dict) and isinstance(value, dict):
        return {name: _typed(each, kind.get(name, str)) for name, each in value.items()}
    if isinstance(kind, list) and isinstance(value, list):
        return [_typed(each, kind[0]) for each in value]
    # Not isinstance: to JSON true is no number.
    if kind is bool and type(value) is bool:
        return value
    if isinstance(kind, int) and type(value) is int and -kind - 1 <= value <= kind:
        return value
    raise TypeError


def _has_money(line: Mapping[str, Any]) -> bool:
    return any(name in line for name in _MONEYS) or any(
        item and item.get("price") is not None for item in line.get("items") or ()
    )


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _item(item: Mapping[str, Any] | None) -> Mapping[str, Any]:
    item = item or {}
    return {**item, "price": _money(item.get("price")), "discount": _money(item.get("discount"))}


def _refusal(line: Mapping[str, Any] | None, has_drifted: bool) -> tuple[str, str | None] | None:
    """Reason and field where a line is no event by itself; None for a sound one."""
    if line is None or (has_drifted and not _has_place(line)):
        return "not_json", None
    if has_drifted:
        return "type_drift", None
    missing = next((name for name in _NEEDED if name not in line), None)
    if missing:
        return "not_a_raw_line", missing
    if line["verdict"] == "rejected":
        return line.get("reason", "rejected"), line.get("field")
    if line["verdict"] != "accepted":
        return "type_drift", "verdict"
    missing = next((name for name in _NEEDED_OF_EVENTS if name not in line), None)
    if missing:
        return "not_a_raw_line", missing
    drifted = next(_out_of_range(line), None)
    return ("type_drift", drifted) if drifted else None


def _out_of_range(line: Mapping[str, Any]) -> Iterator[str]:
    """Fields whose value has the right type and no meaning: money or an instant beyond its range."""
    for name in _MONEYS:
        if name in line and not _MONEY.fullmatch(line[name]):
            yield name
    for name in ("price", "discount") if "items" in line else ():
        told = [item[name] for item in line["items"] if item and item.get(name) is not None]
        if not all(map(_MONEY.fullmatch, told)):
            yield f"items.{name}"
    if _items_value(line) >= _TOO_MUCH:
        yield "items"
    if not 0 <= line["received_at"] <= _LAST_RECEIVED_MS:
        yield "received_at"
    for name in ("ts", "sent_at"):
        if name in line and not _FIRST_MS <= line[name] <= _LAST_MS:
            yield name


def _items_value(line: Mapping[str, Any]) -> Decimal:
    """What the priced items come to, in either sense."""
    priced = [item for item in line.get("items") or () if item and item.get("price") is not None]
    return sum((abs(Decimal(item["price"]) * quantity(item)) for item in priced), Decimal(0))


def quantity(item: Mapping[str, Any]) -> int:
    """One where none was told."""
    return 1 if item.get("qty") is None else item["qty"]


def _has_place(line: Mapping[str, Any]) -> bool:
    return "ingest_id" in line and "position" in line


def _place(line: Mapping[str, Any], text: str) -> tuple[Any, Any]:
    """Request and position; a line that names none is known by its text."""
    if _has_place(line):
        return line["ingest_id"], line["position"]
    return "text:" + hashlib.sha256(text.encode()).hexdigest(), 0


# The columns of `events` that decide what is counted: a quick comparison looks at no others.
CORE_COLUMNS = (
    "event_id", "ts_date", "event_date", "occurred_at", "ts_quality", "event_type", "visitor_id", "session_id",
    "set_aside_session_id", "user_id", "is_bot", "is_test",
)  # fmt: skip
_core_values = attrgetter(*CORE_COLUMNS)


def core_row(event: Event) -> dict[str, Any]:
    return dict(zip(CORE_COLUMNS, _core_values(event), strict=True))


def event_row(event: Event, reference: Reference) -> dict[str, Any]:
    """The event as a row of the table `events`."""
    line = event.line
    country_name, continent = reference.countries.get(event.country or "", (None, None))
    consent = line.get("consent") or {}
    is_near = abs((event.ts_date - event.event_date).days) <= 1
    return {
        **core_row(event),
        "stray_date": None if is_near else event.ts_date,
        "ts": line.get("ts"),
        "sent_at": line.get("sent_at"),
        "received_at": event.received_at,
        "page_view_id": event.page_view_id,
        **{name: line.get(name) for name in ("session_hint", "page_url", "page_title", "referrer", "browser", "os")},
        "device_type": event.device_type,
        "country": event.country,
        "country_name": country_name,
        "continent": continent,
        "city": (line.get("geo") or {}).get("city"),
        "items": [_item_row(item) for item in event.items] if "items" in line else None,
        **{name: line.get(name) for name in ("order_id", "refund_id", "coupon")},
        **{name: _money(line.get(name)) for name in _MONEYS},
        "currency": event.currency,
        **{name: event.props.get(name) for name in _PROPS},
        "own_props": event.props.get("own"),
        "consent_analytics": consent.get("analytics"),
        "consent_marketing": consent.get("marketing"),
        "origin": event.origin,
        "bot_reasons": list(event.bot_reasons),
        "maybe_repeat": bool(line.get("maybe_repeat")),
        "sdk": line.get("sdk"),
        "contract_version": line.get("contract_version"),
        "ingest_id": line["ingest_id"],
        "position": line["position"],
        "object": event.object,
        "line": event.number,
    }


_ITEM_FIELDS = ("product_id", "name", "category", "variant", "price", "qty", "discount", "list_name", "position")


def _item_row(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.get(name) for name in _ITEM_FIELDS}


def _receipt(line: Mapping[str, Any]) -> int | None:
    """When the gateway had the line; None where it does not tell, or tells what cannot be."""
    moment = line.get("received_at")
    return moment if moment is not None and 0 <= moment <= _LAST_RECEIVED_MS else None


def refused_row(refused: Refused) -> dict[str, Any]:
    """The line as a row of the table `quarantine`."""
    ingest_id, position = _place(refused.line, refused.text)
    received_at = _receipt(refused.line)
    return {
        "ingest_id": ingest_id,
        "position": position,
        "received_at": received_at,
        # Of the receipt alone, not of the object that the line happens to lie in.
        "received_date": UNREADABLE_DATE if received_at is None else utc_date(received_at // DAY_MS),
        "reason": refused.reason,
        "field": refused.field,
        "raw_line": refused.text,
        "object": refused.object,
        "line": refused.number,
    }


def repeat_row(repeat: Repeat) -> dict[str, Any]:
    """The line as a row of the table `repeats`."""
    return {
        "object": repeat.object,
        "line": repeat.number,
        "event_id": repeat.event_id,
        "ts_date": repeat.ts_date,
        "ingest_id": repeat.line.get("ingest_id"),
        "position": repeat.line.get("position"),
    }
