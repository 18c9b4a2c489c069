"""Orders with their refunds and money (docs/definitions.md: Orders). Money is Decimal, per currency."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from clicklake.verify.lines import Event, quantity

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Refund:
    """`value` is what counts: goods only, and never more than the order still held."""

    refund_id: str
    event: Event
    value: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """`purchase` is None while only refunds are known. `events` are all its purchases and refunds."""

    order_id: str
    purchase: Event | None
    value: Decimal
    refunds: tuple[Refund, ...]
    repeats: int
    conflicts: int
    events: tuple[Event, ...]

    @property
    def tax(self) -> Decimal:
        return _sent(self.purchase, "tax")

    @property
    def shipping(self) -> Decimal:
        return _sent(self.purchase, "shipping")

    @property
    def gross_revenue(self) -> Decimal:
        return self.value + self.tax + self.shipping

    @property
    def refunded(self) -> Decimal:
        return sum((refund.value for refund in self.refunds), NOTHING)

    @property
    def net_revenue(self) -> Decimal:
        return self.value - self.refunded

    @property
    def is_cancelled(self) -> bool:
        return self.value > 0 and self.refunded == self.value

    @property
    def currency(self) -> str | None:
        return self.purchase.currency if self.purchase else None

    @property
    def order_date(self) -> date | None:
        return self.purchase.event_date if self.purchase else None


def _sent(event: Event | None, name: str) -> Decimal:
    return Decimal(event.line.get(name) or 0) if event else NOTHING


def collect_orders(events: Iterable[Event]) -> list[Order]:
    """One order per order_id over all time, by id. Tests count nowhere; bots' orders count."""
    purchases: dict[str, list[Event]] = {}
    refunds: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.order):
        order_id = event.line.get("order_id")
        if event.is_test:
            continue
        if event.event_type == "purchase" and goods_value(event) is not None:
            purchases.setdefault(order_id or f"event:{event.event_id}", []).append(event)
        elif event.event_type == "refund" and order_id:
            refunds.setdefault(order_id, []).append(event)
    return [
        _order(order_id, purchases.get(order_id, []), refunds.get(order_id, []))
        for order_id in sorted({*purchases, *refunds})
    ]


def goods_value(event: Event) -> Decimal | None:
    """value, else the priced items less the discount, either at least 0; None where neither is told."""
    if event.value is not None:
        return max(NOTHING, event.value)
    priced = [item for item in event.items if item["price"] is not None]
    if not priced:
        return None
    return max(NOTHING, sum(map(_item_value, priced), NOTHING) - _sent(event, "discount"))


def _item_value(item: Mapping[str, Any]) -> Decimal:
    return item["price"] * quantity(item)


def _order(order_id: str, purchases: Sequence[Event], refunds: Sequence[Event]) -> Order:
    first, *others = purchases or [None]
    value = goods_value(first) if first else NOTHING
    conflicts = sum((goods_value(other), other.currency) != (value, first.currency) for other in others)
    return Order(
        order_id,
        first,
        value or NOTHING,
        tuple(_refunds(value or NOTHING, refunds)),
        len(others),
        conflicts,
        (*purchases, *refunds),
    )


def _refunds(value: Decimal, events: Sequence[Event]) -> Iterable[Refund]:
    remains = value
    known: set[str] = set()
    for event in events:
        refund_id = event.line.get("refund_id") or f"event:{event.event_id}"
        if refund_id in known:
            continue
        known.add(refund_id)
        told = goods_value(event)
        counted = remains if told is None else min(remains, told)
        remains -= counted
        yield Refund(refund_id, event, counted)


def order_row(order: Order, countries: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The order as a row of the table `orders`."""
    event = order.purchase
    country_name, continent = countries.get((event and event.country) or "", (None, None))
    return {
        "order_id": order.order_id,
        "order_date": order.order_date,
        "ordered_at": event and event.occurred_at,
        "event_id": event and event.event_id,
        "session_id": event and event.session_id,
        "visitor_id": event and event.visitor_id,
        "user_id": event and event.user_id,
        "currency": order.currency,
        "value": order.value if event else None,
        "tax": order.tax if event else None,
        "shipping": order.shipping if event else None,
        "discount": _sent(event, "discount") if event else None,
        "gross_revenue": order.gross_revenue if event else None,
        "refunded": order.refunded,
        "net_revenue": order.net_revenue if event else None,
        "coupon": event and event.line.get("coupon"),
        "items": [dict(item) for item in event.items] if event and "items" in event.line else None,
        # None is the same as no refund.
        "refunds": [
            {
                "refund_id": refund.refund_id,
                "event_id": refund.event.event_id,
                "refunded_at": refund.event.occurred_at,
                "refund_date": refund.event.event_date,
                "value": refund.value,
            }
            for refund in order.refunds
        ]
        or None,
        "is_cancelled": event and order.is_cancelled,
        "is_bot": event and event.is_bot,
        "is_consented": event and event.is_consented,
        "has_order_id": event and bool(event.line.get("order_id")),
        "repeats": order.repeats if event else None,
        "conflicts": order.conflicts if event else None,
        "country": event and event.country,
        "country_name": country_name,
        "continent": continent,
        "device_type": event and event.device_type,
        "event_dates": sorted({event.event_date for event in order.events}),
    }
