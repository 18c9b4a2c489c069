"""The daily tables: what happened on each of the shop's days (docs/definitions.md: Active, Orders, Products and
searches)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clicklake.verify.channels import NOT_SET
from clicklake.verify.identity import Identity
from clicklake.verify.lines import Event, quantity
from clicklake.verify.orders import NOTHING, Order
from clicklake.verify.sessions import FUNNEL, Session, name_session

Row = dict[str, Any]
NOT_CONSENTED = "(not consented)"
FULL_HISTORY_DAYS = 30


@dataclass(frozen=True)
class Sourced:
    """A session with its source and channel."""

    session: Session
    session_date: date
    source: str
    medium: str
    campaign: str
    channel: str


def dimensions_of(event: Event, countries: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The values an event (or a session, by its first event) counts under."""
    return {
        "total": "all",
        "country": event.country or NOT_SET,
        "continent": countries.get(event.country or "", (None, None))[1] or NOT_SET,
        "device_type": event.device_type or NOT_SET,
        "browser": event.line.get("browser") or NOT_SET,
        "os": event.line.get("os") or NOT_SET,
    }


_TRAFFIC = (
    "events", "page_views", "product_views", "not_consented_events", "bot_events", "set_aside_events",
    "set_aside_sessions", "visitors", "sessions",
    "engaged_sessions", "bounces", "sessions_with_page_view", "single_page_sessions", "duration_ms", "engaged_ms",
    "sessions_with_view", "sessions_with_cart", "sessions_with_checkout", "sessions_with_purchase",
    "sessions_with_order",
)  # fmt: skip


def daily_traffic(
    events: Iterable[Event],
    sessions: Mapping[str, Sourced],
    orders: Iterable[Order],
    countries: Mapping[str, tuple[str, str]],
) -> list[Row]:
    """One row per day, dimension and value."""
    rows: dict[tuple[date, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(_TRAFFIC, 0))
    visitors: dict[tuple[date, str, str], set[str]] = defaultdict(set)
    alike: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in events:
        if not event.is_test:
            place = (event.country, event.device_type, event.line.get("browser"), event.line.get("os"))
            alike[event.event_date, event.event_type, event.is_bot, *place].append(event)
    for (day, event_type, is_bot, *_), same in alike.items():
        values = dimensions_of(same[0], countries) | {"event_type": event_type}
        not_consented = sum(not event.is_consented for event in same)
        active = {event.visitor_id for event in same if event.is_active}
        for dimension, value in values.items():
            row = rows[day, dimension, value]
            if is_bot:
                row["bot_events"] += len(same)
                aside = [event for event in same if event.set_aside_session_id]
                row["set_aside_events"] += len(aside)
                row["set_aside_sessions"] += sum(
                    event.set_aside_session_id == name_session(event.visitor_id, *event.key) for event in aside
                )
                continue
            row["events"] += len(same)
            row["page_views"] += len(same) if event_type == "page_view" else 0
            row["product_views"] += len(same) if event_type == "view_item" else 0
            row["not_consented_events"] += not_consented
            visitors[day, dimension, value] |= active
    with_order = {order.purchase.session_id for order in orders if order.purchase}
    for session_id, sourced in sessions.items():
        session = sourced.session
        own = {"channel": sourced.channel, "source": sourced.source}
        for dimension, value in own.items():
            # These belong to sessions, and so do their events.
            key = (sourced.session_date, dimension, value)
            rows[key]["events"] += len(session.members)
            rows[key]["page_views"] += len(session.page_views)
            rows[key]["product_views"] += session.count("view_item")
            visitors[key].add(session.visitor_id)
        values = dimensions_of(session.first, countries) | own
        step = len(session.funnel)
        for dimension, value in values.items():
            row = rows[sourced.session_date, dimension, value]
            row["sessions"] += 1
            row["engaged_sessions"] += session.is_engaged
            row["bounces"] += session.is_bounce is True
            row["sessions_with_page_view"] += bool(session.page_views)
            row["single_page_sessions"] += session.is_single_page
            row["duration_ms"] += session.ended_at - session.started_at
            row["engaged_ms"] += session.engaged_ms
            for number, name in enumerate(("view", "cart", "checkout", "purchase"), 1):
                row[f"sessions_with_{name}"] += step >= number
            row["sessions_with_order"] += session_id in with_order
    for key, found in visitors.items():
        rows[key]["visitors"] = len(found)
    return [_keyed(("event_date", "dimension", "value"), key, row) for key, row in rows.items()]


_ORDERS: dict[str, Any] = {
    "orders": 0, "bot_orders": 0, "goods": NOTHING, "tax": NOTHING, "shipping": NOTHING, "gross_revenue": NOTHING,
    "refunds": 0, "refunded": NOTHING, "net_revenue": NOTHING, "bot_net_revenue": NOTHING,
}  # fmt: skip


def daily_orders(
    orders: Iterable[Order], sessions: Mapping[str, Sourced], countries: Mapping[str, tuple[str, str]]
) -> list[Row]:
    """One row per day, currency, dimension and value; a refund counts on its own day."""
    rows: dict[tuple[date, str, str, str], Row] = defaultdict(lambda: dict(_ORDERS))
    for order in orders:
        if order.purchase is None:
            continue
        for dimension, value in _order_dimensions(order, sessions, countries).items():
            row = rows[order.order_date, order.currency, dimension, value]
            row["orders"] += 1
            row["goods"] += order.value
            row["tax"] += order.tax
            row["shipping"] += order.shipping
            row["gross_revenue"] += order.gross_revenue
            row["net_revenue"] += order.value
            if order.purchase.is_bot:
                row["bot_orders"] += 1
                row["bot_net_revenue"] += order.value
            for refund in order.refunds:
                row = rows[refund.event.event_date, order.currency, dimension, value]
                row["refunds"] += 1
                row["refunded"] += refund.value
                row["net_revenue"] -= refund.value
                if order.purchase.is_bot:
                    row["bot_net_revenue"] -= refund.value
    return [_keyed(("event_date", "currency", "dimension", "value"), key, row) for key, row in rows.items()]


def _order_dimensions(
    order: Order, sessions: Mapping[str, Sourced], countries: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    purchase = order.purchase
    values = dimensions_of(purchase, countries)
    for name in ("browser", "os"):
        del values[name]
    session = sessions.get(purchase.session_id or "")
    without = NOT_SET if purchase.is_consented else NOT_CONSENTED
    return values | {
        "channel": session.channel if session else without,
        "source": session.source if session else without,
    }


def visitor_days(events: Iterable[Event]) -> list[Row]:
    """One row per visitor and day with at least one active event."""
    days: dict[tuple[date, str], list[int]] = defaultdict(list)
    for event in events:
        if event.is_active:
            days[event.event_date, event.visitor_id].append(event.occurred_at)
    return [
        {
            "event_date": day,
            "visitor_id": visitor_id,
            "first_active_at": min(moments),
            "last_active_at": max(moments),
            "active_events": len(moments),
        }
        for (day, visitor_id), moments in days.items()
    ]


def persons_by_day(days: Iterable[Row], identity: Identity) -> dict[date, set[str]]:
    """The persons active on each day (docs/decisions/0005)."""
    found: dict[date, set[str]] = defaultdict(set)
    for row in days:
        found[row["event_date"]] |= identity.persons_between(
            row["visitor_id"], row["first_active_at"], row["last_active_at"]
        )
    return found


def visitors_by_day(days: Iterable[Row]) -> dict[date, set[str]]:
    found: dict[date, set[str]] = defaultdict(set)
    for row in days:
        found[row["event_date"]].add(row["visitor_id"])
    return found


def daily_active(
    visitors: Mapping[date, set[str]], persons: Mapping[date, set[str]], first: date | None, today: date | None
) -> list[Row]:
    """One row per day from the first to today."""
    rows: list[Row] = []
    day = first
    while day is not None and today is not None and day <= today:
        row: Row = {"event_date": day}
        for name, active in (("visitors", visitors), ("persons", persons)):
            for suffix, length in (("", 1), ("_7d", 7), ("_30d", 30)):
                window = (active.get(day - timedelta(days=back), set()) for back in range(length))
                row[name + suffix] = len(set().union(*window))
        row["is_partial"] = (day - first).days + 1 < FULL_HISTORY_DAYS
        rows.append(row)
        day += timedelta(days=1)
    return rows


_PRODUCTS: dict[str, Any] = {
    "impressions": 0, "clicks": 0, "views": 0, "carts": 0, "carts_without_view": 0, "purchases": 0, "quantity": 0,
    "revenue": NOTHING,
}  # fmt: skip
_PRODUCT_EVENTS = {
    "view_item_list": "impression", "select_item": "click", "view_item": "view", "add_to_cart": "cart",
    "purchase": "purchase",
}  # fmt: skip


def daily_products(sessions: Iterable[Sourced], orders: Iterable[Order]) -> list[Row]:
    """One row per day, product and currency; what is counted is pairs of a session and a product."""
    rows: dict[tuple[date, str, str], Row] = defaultdict(lambda: dict(_PRODUCTS))
    names = _LastSeen()
    for sourced in sessions:
        pairs: dict[str, set[str]] = defaultdict(set)
        for event in sourced.session.members:
            kind = _PRODUCT_EVENTS.get(event.event_type)
            for item in event.items if kind else ():
                if item.get("product_id"):
                    pairs[item["product_id"]].add(kind)
                    names.see((sourced.session_date, item["product_id"], ""), event, item)
        for product_id, seen in pairs.items():
            row = rows[sourced.session_date, product_id, ""]
            row["impressions"] += "impression" in seen
            row["clicks"] += {"impression", "click"} <= seen
            row["views"] += "view" in seen
            row["carts"] += {"view", "cart"} <= seen
            row["carts_without_view"] += "cart" in seen and "view" not in seen
            row["purchases"] += {"view", "purchase"} <= seen
    for order in orders:
        for item in order.purchase.items if order.purchase else ():
            if item.get("product_id"):
                key = (order.order_date, item["product_id"], order.currency)
                rows[key]["quantity"] += quantity(item)
                # price is after the item's discount, so nothing more is taken off.
                rows[key]["revenue"] += (item["price"] or NOTHING) * quantity(item)
                names.see(key, order.purchase, item)
    return [_keyed(("event_date", "product_id", "currency"), key, row | names.of(key)) for key, row in rows.items()]


class _LastSeen:
    """Product names and categories as last seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Any, ...], dict[str, tuple[Any, str]]] = defaultdict(dict)

    def see(self, key: tuple[Any, ...], event: Event, item: Mapping[str, Any]) -> None:
        seen = self._seen[key]
        for column, told in (("product_name", item.get("name")), ("category", item.get("category"))):
            if told is not None:
                latest = event.order, told
                seen[column] = max(seen.get(column, latest), latest)

    def of(self, key: tuple[Any, ...]) -> Row:
        seen = self._seen[key]
        return {column: seen[column][1] if column in seen else None for column in ("product_name", "category")}


def session_row(sourced: Sourced, countries: Mapping[str, tuple[str, str]]) -> Row:
    """The session as a row of the table `sessions`."""
    session = sourced.session
    first = session.first
    country_name, continent = countries.get(first.country or "", (None, None))
    reached = [event.occurred_at for event in session.funnel]
    pages = session.page_views
    return {
        "session_id": session.session_id,
        "visitor_id": session.visitor_id,
        "session_date": sourced.session_date,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "duration_ms": session.ended_at - session.started_at,
        "events": len(session.members),
        "page_views": len(pages),
        "product_views": session.count("view_item"),
        "searches": session.count("search"),
        "adds_to_cart": session.count("add_to_cart"),
        "checkouts": session.count("begin_checkout"),
        "purchases": session.count("purchase"),
        "key_events": session.count("add_to_cart", "begin_checkout", "purchase", "sign_up"),
        "engaged_ms": session.engaged_ms,
        "is_engaged": session.is_engaged,
        "is_bounce": session.is_bounce,
        "is_single_page": session.is_single_page,
        "has_purchase": session.count("purchase") > 0,
        **{f"{step}_at": reached[place] if place < len(reached) else None for place, step in enumerate(FUNNEL)},
        "funnel_step": len(reached),
        "entry_page": pages[0].line.get("page_url") if pages else None,
        "exit_page": pages[-1].line.get("page_url") if pages else None,
        "device_type": first.device_type,
        "browser": first.line.get("browser"),
        "os": first.line.get("os"),
        "country": first.country,
        "country_name": country_name,
        "continent": continent,
        "source": sourced.source,
        "medium": sourced.medium,
        "campaign": sourced.campaign,
        "channel": sourced.channel,
    }


def _keyed(names: Sequence[str], key: Sequence[Any], row: Row) -> Row:
    return dict(zip(names, key, strict=True)) | row
