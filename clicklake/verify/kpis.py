"""Key figures, funnels, channels, products and search terms of a range of days (definitions, sections 6 to 12)."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clicklake.verify.daily import Row
from clicklake.verify.lines import Event
from clicklake.verify.oracle import Oracle, days_between
from clicklake.verify.orders import NOTHING, Order
from clicklake.verify.sessions import FUNNEL, GAP_MS, walk_funnel

Z = 1.959963984540054
PERSON_WINDOW_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A counted rate with its Wilson 95 % interval; None where n is below min_n."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def rate(numerator: int, n: int, min_n: int) -> Rate:
    if n < min_n or n == 0:
        return Rate(None, None, None, n)
    share = numerator / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z * math.sqrt(max(0.0, share * (1 - share) / n + Z * Z / (4 * n * n))) / (1 + Z * Z / n)
    return Rate(share, max(0.0, middle - reach), min(1.0, middle + reach), n)


def quantile(values: Iterable[int], share: float) -> int | None:
    """The value at rank ceil(share x n)."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(share * len(ordered))) - 1] if ordered else None


def main_currency(oracle: Oracle) -> str | None:
    """The currency with most orders, ties to the first by name."""
    counts: dict[str, int] = defaultdict(int)
    for order in oracle.orders:
        if order.purchase:
            counts[order.currency] += 1
    return min(counts, key=lambda currency: (-counts[currency], currency), default=None)


class Figures:
    """The figures of one range of days, both ends included."""

    def __init__(self, oracle: Oracle, first: date, last: date) -> None:
        self.oracle = oracle
        self.days = set(days_between(first, last))
        self.min_n = oracle.rules.min_n
        self.sessions = [each for each in oracle.sessions.values() if each.session_date in self.days]
        self.orders = [order for order in oracle.orders if order.purchase and order.order_date in self.days]
        self.with_order = {order.purchase.session_id for order in oracle.orders if order.purchase}
        self.currency = main_currency(oracle)

    def _net_revenue(self, orders: Iterable[Order] | None = None) -> Decimal:
        """Values of the range's orders less the refunds made in the range, main currency."""
        net = NOTHING
        for order in self.oracle.orders if orders is None else orders:
            if order.purchase is None or order.currency != self.currency:
                continue
            if order.order_date in self.days:
                net += order.value
            net -= sum((r.value for r in order.refunds if r.event.event_date in self.days), NOTHING)
        return net

    def kpis(self) -> dict[str, Row]:
        """Key figures by name: value, low, high, n."""
        sessions = [each.session for each in self.sessions]
        persons = set().union(*(self.oracle.persons.get(day, set()) for day in self.days))
        visitors = set().union(*(self.oracle.visitors.get(day, set()) for day in self.days))
        buyers = {
            self.oracle.identity.person(order.purchase.visitor_id, order.purchase.occurred_at)
            for order in self.orders
            if order.purchase.visitor_id and order.purchase.counts
        }
        with_page = [session for session in sessions if session.page_views]
        in_main = [order for order in self.orders if order.currency == self.currency]
        net = self._net_revenue()
        count = len(sessions)
        rates = {
            "conversion_rate": rate(sum(s.session_id in self.with_order for s in sessions), count, self.min_n),
            "person_conversion_rate": rate(len(buyers & persons), len(persons), self.min_n),
            "bounce_rate": rate(sum(s.is_bounce is True for s in sessions), len(with_page), self.min_n),
            "engagement_rate": rate(sum(s.is_engaged for s in sessions), count, self.min_n),
        }
        median = quantile((s.ended_at - s.started_at for s in sessions), 0.5)
        events = sum(event.counts and event.event_date in self.days for event in self.oracle.outcomes.events)
        figures = {
            "sessions": (count, None),
            "visitors": (len(visitors), None),
            "persons": (len(persons), None),
            "orders": (len(self.orders), None),
            "net_revenue": (net, len(in_main)),
            "average_order_value": (_mean(net, in_main, self.min_n), len(in_main)),
            "median_session_duration": (None if median is None else median / 1000, count),
            "pages_per_session": (_ratio(sum(len(s.page_views) for s in sessions), count), count),
            "engaged_time_per_session": (_ratio(sum(s.engaged_ms for s in sessions) / 1000, count), count),
            "events": (events, None),
        }
        if self.currency is None:  # without any order there is no currency to speak of
            del figures["net_revenue"], figures["average_order_value"]
        return {
            **{name: {"value": value, "low": None, "high": None, "n": n} for name, (value, n) in figures.items()},
            **{
                name: {"value": told.value, "low": told.low, "high": told.high, "n": told.n}
                for name, told in rates.items()
            },
        }

    def funnel(self) -> dict[int, Row]:
        """By step: closed sessions that reached it, shares, and the median seconds from the step before.

        Sessions that may still go on at `as_of` are in none of these and are shown beside.
        """
        as_of = self.oracle.outcomes.as_of or 0
        reached = [([event.occurred_at for event in each.session.funnel], each) for each in self.sessions]
        closed = [moments for moments, each in reached if as_of - each.session.ended_at > GAP_MS]
        still_open = [moments for moments, each in reached if as_of - each.session.ended_at <= GAP_MS]
        rows: dict[int, Row] = {}
        for step, name in enumerate(FUNNEL, 1):
            count = sum(len(moments) >= step for moments in closed)
            before = sum(len(moments) >= step - 1 for moments in closed)
            of_first = rate(count, sum(len(moments) >= 1 for moments in closed), self.min_n)
            of_previous = rate(count, before, self.min_n) if step > 1 else Rate(None, None, None, 0)
            gaps = [moments[step - 1] - moments[step - 2] for moments in closed if len(moments) >= step > 1]
            median = quantile(gaps, 0.5)
            rows[step] = {
                "step_name": name,
                "sessions": count,
                "dropped": before - count if step > 1 else None,
                "share_of_previous": of_previous.value,
                "share_of_previous_low": of_previous.low,
                "share_of_previous_high": of_previous.high,
                "share_of_first": of_first.value,
                "share_of_first_low": of_first.low,
                "share_of_first_high": of_first.high,
                "median_seconds": None if median is None else median / 1000,
                "open_sessions": sum(len(moments) >= step for moments in still_open),
            }
        return rows

    def segments(self) -> dict[tuple[str, str], Row]:
        """By dimension and value: events, sessions, orders and money."""
        daily = self.oracle.tables
        rows: dict[tuple[str, str], Row] = defaultdict(
            lambda: {"events": 0, "sessions": 0, "sessions_with_order": 0, "orders": 0, "net_revenue": NOTHING}
        )
        for row in daily["daily_traffic"]:
            if row["event_date"] in self.days and row["dimension"] != "event_type":
                found = rows[row["dimension"], row["value"]]
                for name in ("events", "sessions", "sessions_with_order"):
                    found[name] += row[name]
        for row in daily["daily_orders"]:
            if row["event_date"] in self.days:
                found = rows[row["dimension"], row["value"]]
                found["orders"] += row["orders"]
                found["net_revenue"] += row["net_revenue"] if row["currency"] == self.currency else 0
        return dict(rows)

    def products(self) -> dict[str, Row]:
        """By product: pairs of a session and the product, units, revenue in the main currency."""
        names = ("impressions", "clicks", "views", "carts", "carts_without_view", "purchases", "quantity")
        rows: dict[str, Row] = defaultdict(lambda: dict.fromkeys(names, 0) | {"revenue": NOTHING})
        for row in self.oracle.tables["daily_products"]:
            if row["event_date"] in self.days:
                found = rows[row["product_id"]]
                for name in names:
                    found[name] += row[name]
                found["revenue"] += row["revenue"] if row["currency"] == self.currency else 0
        return dict(rows)

    def search_terms(self) -> dict[str, Row]:
        """By term, folded: searches, those without a result, sessions, and sessions that ordered afterwards.

        A search in a session counts on the day the session starts.
        """
        last_order: dict[str, int] = {}
        for order in self.oracle.orders:
            if order.purchase and order.purchase.session_id:
                session_id = order.purchase.session_id
                last_order[session_id] = max(order.purchase.occurred_at, last_order.get(session_id, 0))
        rows: dict[str, Row] = defaultdict(
            lambda: {"searches": 0, "zero_result_searches": 0, "sessions": 0, "sessions_with_order": 0}
        )
        first_search: dict[tuple[str, str], int] = {}
        for event in self.oracle.outcomes.events:
            term = (event.props.get("search_query") or "").strip().lower()
            if event.event_type != "search" or not event.counts or not term:
                continue
            sourced = self.oracle.sessions.get(event.session_id or "")
            if (sourced.session_date if sourced else event.event_date) not in self.days:
                continue
            rows[term]["searches"] += 1
            rows[term]["zero_result_searches"] += event.props.get("results_count") == 0
            if event.session_id:
                key = (term, event.session_id)
                first_search[key] = min(event.occurred_at, first_search.get(key, event.occurred_at))
        for (term, session_id), searched_at in first_search.items():
            rows[term]["sessions"] += 1
            rows[term]["sessions_with_order"] += last_order.get(session_id, -1) > searched_at
        return dict(rows)


def person_funnel(oracle: Oracle, steps: Sequence[str] = FUNNEL) -> list[int]:
    """Persons by steps reached within 7 days of step 1; of all step-1 events the deepest match counts. Persons
    whose seven days are not over at `as_of` are left out."""
    by_person: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(oracle.outcomes.events, key=lambda event: event.order):
        if event.is_active and event.event_type in steps:
            by_person[oracle.identity.person(event.visitor_id, event.occurred_at)].append(event)
    counts = [0] * len(steps)
    as_of = oracle.outcomes.as_of or 0
    for events in by_person.values():
        starts = [event for event in events if event.event_type == steps[0]]
        if not starts or as_of - starts[0].occurred_at < PERSON_WINDOW_MS:
            continue
        deepest = max(
            len(walk_funnel([e for e in events if start.order <= e.order and _is_within(start, e)], steps))
            for start in starts
        )
        for step in range(deepest):
            counts[step] += 1
    return counts


def _is_within(start: Event, event: Event) -> bool:
    return event.occurred_at - start.occurred_at <= PERSON_WINDOW_MS


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(net: Decimal, orders: Sequence[Order], min_n: int) -> float | None:
    return float(net) / len(orders) if len(orders) >= min_n else None
