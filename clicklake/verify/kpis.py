"""The figures of a range of days, and of all of them (docs/definitions.md: Funnel, Persons through the funnel, Orders,
Products and searches, Active)."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from clicklake.verify.daily import Row
from clicklake.verify.lines import Event
from clicklake.verify.oracle import Oracle
from clicklake.verify.orders import NOTHING
from clicklake.verify.sessions import FUNNEL, GAP_MS, walk_funnel

# The columns that a row is found again by.
Key = tuple[Any, ...]
Z = 1.959963984540054
PERSON_WINDOW_MS = 7 * 86_400_000

# What days and parts of the shop can be added up by: visitors cannot.
_TRAFFIC = (
    "events", "page_views", "product_views", "not_consented_events", "bot_events", "set_aside_events",
    "set_aside_sessions", "sessions", "engaged_sessions", "bounces", "sessions_with_page_view",
    "single_page_sessions", "duration_ms", "engaged_ms", "sessions_with_order",
)  # fmt: skip
_MONEY: Mapping[str, Any] = {
    "orders": 0, "bot_orders": 0, "gross_revenue": NOTHING, "refunds": 0, "refunded": NOTHING,
    "net_revenue": NOTHING, "bot_net_revenue": NOTHING,
}  # fmt: skip


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
        self.days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
        self.min_n = oracle.rules.min_n
        self.sessions = [each for each in oracle.sessions.values() if each.session_date in self.days]
        self.orders = [order for order in oracle.orders if order.purchase and order.order_date in self.days]
        self.with_order = {order.purchase.session_id for order in oracle.orders if order.purchase}
        self.currency = main_currency(oracle)

    def _net_revenue(self) -> Decimal:
        """Values of the range's orders less the refunds made in the range, main currency."""
        net = NOTHING
        for order in self.oracle.orders:
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
        in_main = sum(order.currency == self.currency for order in self.orders)
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
            "net_revenue": (net, in_main),
            "average_order_value": (_mean(net, in_main, self.min_n), in_main),
            "median_session_duration": (None if median is None else median / 1000, count),
            "pages_per_session": (_ratio(sum(len(s.page_views) for s in sessions), count), count),
            "engaged_time_per_session": (_ratio(sum(s.engaged_ms for s in sessions) / 1000, count), count),
            "events": (events, None),
        }
        if self.currency is None:  # without any order there is no currency to speak of
            del figures["net_revenue"], figures["average_order_value"]
        return {
            **{name: {"value": value, "low": None, "high": None, "n": n} for name, (value, n) in figures.items()},
            **{name: asdict(told) for name, told in rates.items()},
        }

    def funnel(self) -> dict[int, Row]:
        """By step: closed sessions that reached it, shares, and the median seconds from the step before.

        Sessions that may still go on at `as_of` are in none of these and are shown beside. Without any session there
        is no funnel.
        """
        if not self.sessions:
            return {}
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

    def rows(self) -> dict[str, dict[Key, Row]]:
        """What is compared row by row: by view, and by the key of the row in it."""
        return {
            "traffic": self.traffic(),
            "money": self.money(),
            "segments": self.segments(),
            "products": self.products(),
            "terms": self.search_terms(),
            "zero_results": self.zero_results(),
        }

    def traffic(self) -> dict[Key, Row]:
        """By dimension and value: what of the daily traffic can be added up."""
        rows: dict[Key, Row] = defaultdict(lambda: dict.fromkeys(_TRAFFIC, 0))
        for row in self._daily("daily_traffic"):
            found = rows[row["dimension"], row["value"]]
            for name in _TRAFFIC:
                found[name] += row[name]
        return dict(rows)

    def money(self) -> dict[Key, Row]:
        """By currency, dimension and value: orders, money, and the average order."""
        rows: dict[Key, Row] = defaultdict(lambda: dict(_MONEY))
        for row in self._daily("daily_orders"):
            found = rows[row["currency"], row["dimension"], row["value"]]
            for name in _MONEY:
                found[name] += row[name]
        for (currency, *_), row in rows.items():
            row["is_main"] = currency == self.currency
            row["average_order_value"] = _mean(row["net_revenue"], row["orders"], self.min_n)
        return dict(rows)

    def segments(self) -> dict[Key, Row]:
        """By dimension and value: events, sessions, rates, orders in all currencies, money in the main one."""
        traffic, money = self.traffic(), self.money()
        orders: dict[Key, int] = defaultdict(int)
        for (_, *key), row in money.items():
            orders[tuple(key)] += row["orders"]
        rows: dict[Key, Row] = {}
        for key in {*traffic, *orders}:
            if key[0] == "event_type":
                continue
            told = traffic.get(key, dict.fromkeys(_TRAFFIC, 0))
            in_main = money.get((self.currency, *key), {})
            rows[key] = {
                **{name: told[name] for name in ("events", "sessions", "sessions_with_order")},
                **_session_rates(told, self.min_n),
                "orders": orders.get(key, 0),
                "net_revenue": in_main.get("net_revenue", NOTHING),
                "average_order_value": in_main.get("average_order_value"),
                "currency": self.currency if in_main else None,
            }
        return rows

    def products(self) -> dict[Key, Row]:
        """By product: pairs of a session and the product, their rates, units, revenue in the main currency."""
        names = ("impressions", "clicks", "views", "carts", "carts_without_view", "purchases", "quantity")
        rows: dict[Key, Row] = defaultdict(lambda: dict.fromkeys(names, 0) | {"revenue": NOTHING})
        for row in self._daily("daily_products"):
            found = rows[(row["product_id"],)]
            for name in names:
                found[name] += row[name]
            found["revenue"] += row["revenue"] if row["currency"] == self.currency else 0
        for row in rows.values():
            bought = rate(row["purchases"], row["views"], self.min_n)
            row["click_through_rate"] = rate(row["clicks"], row["impressions"], self.min_n).value
            row["add_to_cart_rate"] = rate(row["carts"], row["views"], self.min_n).value
            row |= {"buy_rate": bought.value, "buy_low": bought.low, "buy_high": bought.high}
        return dict(rows)

    def search_terms(self) -> dict[Key, Row]:
        """By term, folded: searches, sessions that searched for it and ordered afterwards, and their rates."""
        return {
            key: {name: told for name, told in row.items() if name != "searches_with_count"}
            for key, row in self._terms.items()
        }

    def zero_results(self) -> dict[Key, Row]:
        """The share of all searches that found nothing, of those that tell how much they found."""
        if not self._terms:
            return {}
        found = sum(row["searches_with_count"] for row in self._terms.values())
        nothing = sum(row["zero_result_searches"] for row in self._terms.values())
        told = rate(nothing, found, self.min_n)
        return {(): {"numerator": nothing, "n": found, "rate": told.value, "low": told.low, "high": told.high}}

    @cached_property
    def _terms(self) -> dict[Key, Row]:
        """A search in a session counts on the day the session starts."""
        last_order: dict[str, int] = {}
        for order in self.oracle.orders:
            if order.purchase and order.purchase.session_id:
                session_id = order.purchase.session_id
                last_order[session_id] = max(order.purchase.occurred_at, last_order.get(session_id, 0))
        names = ("searches", "searches_with_count", "zero_result_searches", "sessions", "sessions_with_order")
        rows: dict[Key, Row] = defaultdict(lambda: dict.fromkeys(names, 0))
        first_search: dict[tuple[str, str], int] = {}
        for event in self.oracle.outcomes.events:
            # Letter by letter, as engines do it: Python writes a sigma at the end of a word differently.
            term = "".join(letter.lower()[0] for letter in (event.props.get("search_query") or "").strip())
            if event.event_type != "search" or not event.counts or not term:
                continue
            sourced = self.oracle.sessions.get(event.session_id or "")
            if (sourced.session_date if sourced else event.event_date) not in self.days:
                continue
            results = event.props.get("results_count")
            rows[(term,)]["searches"] += 1
            rows[(term,)]["searches_with_count"] += results is not None
            rows[(term,)]["zero_result_searches"] += results == 0
            if event.session_id:
                key = (term, event.session_id)
                first_search[key] = min(event.occurred_at, first_search.get(key, event.occurred_at))
        for (term, session_id), searched_at in first_search.items():
            rows[(term,)]["sessions"] += 1
            rows[(term,)]["sessions_with_order"] += last_order.get(session_id, -1) > searched_at
        for row in rows.values():
            nothing = rate(row["zero_result_searches"], row["searches_with_count"], self.min_n)
            ordered = rate(row["sessions_with_order"], row["sessions"], self.min_n)
            row["zero_result_rate"] = nothing.value
            row |= {"conversion_rate": ordered.value, "conversion_low": ordered.low, "conversion_high": ordered.high}
        return dict(rows)

    def _daily(self, table: str) -> Iterator[Row]:
        return (row for row in self.oracle.tables[table] if row["event_date"] in self.days)


def overall(oracle: Oracle) -> dict[str, dict[Key, Row]]:
    """What is of no period, as `Figures.rows`: every day, currencies, refusals, how far the lake reaches, the
    ledger counted again."""
    refusals = Counter((refused.reason, refused.field) for refused in oracle.outcomes.refused)
    main = main_currency(oracle)
    currencies: dict[Key, Row] = defaultdict(lambda: {"orders": 0, "net_revenue": NOTHING})
    for order in oracle.orders:
        if order.purchase:
            row = currencies[(order.currency,)]
            row["orders"] += 1
            row["net_revenue"] += order.net_revenue
    outcomes = sum(oracle.ledger.values()) - oracle.ledger["received"]
    return {
        "days": {(day,): row for day, row in daily_series(oracle).items()},
        "currencies": {key: row | {"is_main": key == (main,)} for key, row in currencies.items()},
        "refusals": {key: {"lines": lines} for key, lines in refusals.items()},
        "freshness": {(): {"as_of": oracle.outcomes.as_of, "today": oracle.today}},
        "recount": {
            (): {**oracle.ledger, "is_balanced": oracle.ledger["received"] == outcomes, "is_as_recorded": True}
        },
    }


def daily_series(oracle: Oracle) -> dict[date, Row]:
    """Every day with an event: traffic, active visitors, orders, and money in the main currency."""
    active = {row["event_date"]: row for row in oracle.tables["daily_active"]}
    nobody = dict.fromkeys(("visitors", "persons", "visitors_7d", "visitors_30d"), 0) | {"is_partial": True}
    main, min_n = main_currency(oracle), oracle.rules.min_n
    orders: dict[date, int] = defaultdict(int)
    money: dict[date, Row] = {}
    for row in oracle.tables["daily_orders"]:
        if row["dimension"] == "total":
            orders[row["event_date"]] += row["orders"]
            if row["currency"] == main:
                money[row["event_date"]] = row
    traffic = {row["event_date"]: row for row in oracle.tables["daily_traffic"] if row["dimension"] == "total"}
    told = (
        "events", "page_views", "product_views", "not_consented_events", "bot_events", "set_aside_events",
        "set_aside_sessions", "sessions", "engaged_sessions", "bounces", "sessions_with_page_view",
        "sessions_with_order",
    )  # fmt: skip
    last = max(traffic, default=None)
    rows: dict[date, Row] = {}
    for day, row in traffic.items():
        rates = _session_rates(row, min_n)
        in_main = money.get(day)
        rows[day] = {
            "is_complete": day < last,
            **{name: row[name] for name in told},
            **{name: active.get(day, nobody)[name] for name in nobody},
            "conversion_rate": rates["conversion_rate"],
            "bounce_rate": rates["bounce_rate"],
            "engagement_rate": rate(row["engaged_sessions"], row["sessions"], min_n).value,
            "orders": orders.get(day, 0),
            "currency": main if in_main else None,
            **{name: in_main[name] if in_main else NOTHING for name in ("gross_revenue", "refunded", "net_revenue")},
            "average_order_value": _mean(in_main["net_revenue"], in_main["orders"], min_n) if in_main else None,
        }
    return rows


def _session_rates(traffic: Mapping[str, int], min_n: int) -> Row:
    ordered = rate(traffic["sessions_with_order"], traffic["sessions"], min_n)
    return {
        "conversion_rate": ordered.value,
        "conversion_low": ordered.low,
        "conversion_high": ordered.high,
        "bounce_rate": rate(traffic["bounces"], traffic["sessions_with_page_view"], min_n).value,
    }


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


def _mean(net: Decimal, orders: int, min_n: int) -> float | None:
    return float(net) / orders if orders >= min_n else None
