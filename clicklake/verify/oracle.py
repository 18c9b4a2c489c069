"""The oracle: every table of the lake, and the key figures, recomputed from raw lines."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from clicklake.verify.attribution import Touch, attribute, touches_before
from clicklake.verify.channels import Visit, channel_of, visit_source
from clicklake.verify.clock import local_date
from clicklake.verify.daily import (
    Row,
    Sourced,
    daily_active,
    daily_orders,
    daily_products,
    daily_traffic,
    persons_by_day,
    session_row,
    visitor_days,
    visitors_by_day,
)
from clicklake.verify.identity import Identity, identify
from clicklake.verify.lines import Outcomes, event_row, read_lines, refused_row, repeat_row
from clicklake.verify.orders import Order, collect_orders, order_row
from clicklake.verify.raw_objects import RawObject
from clicklake.verify.rules import Reference, Rules
from clicklake.verify.sessions import sessionize

UNATTRIBUTED = "(unattributed)"


@dataclass(frozen=True)
class Oracle:
    """What the raw lines say. `tables` are rows by table name; the key figures are in kpis.py."""

    rules: Rules
    reference: Reference
    objects: tuple[RawObject, ...]
    outcomes: Outcomes
    sessions: Mapping[str, Sourced]
    orders: tuple[Order, ...]
    identity: Identity

    @property
    def ledger(self) -> dict[str, int]:
        told = self.outcomes
        return {
            "received": told.received,
            "lost": told.lost,
            "erased": 0,
            "quarantined": len(told.refused),
            "stored": len(told.events),
            "duplicate": len(told.repeats),
        }

    @cached_property
    def today(self) -> date | None:
        return max(self._days, default=None)

    @cached_property
    def _days(self) -> set[date]:
        """Those of events; tests count nowhere."""
        return {event.event_date for event in self.outcomes.events if not event.is_test}

    @cached_property
    def visitor_days(self) -> list[Row]:
        return visitor_days(self.outcomes.events)

    @cached_property
    def persons(self) -> dict[date, set[str]]:
        return persons_by_day(self.visitor_days, self.identity)

    @cached_property
    def visitors(self) -> dict[date, set[str]]:
        return visitors_by_day(self.visitor_days)

    @cached_property
    def tables(self) -> Mapping[str, list[Row]]:
        """Rows of every table that tells of the shop, with all columns but those that tell of the run; each is made
        when it is first asked for."""
        events, countries = self.outcomes.events, self.reference.countries
        first = min(self._days, default=None)
        return _Lazy(
            {
                "events": lambda: [event_row(event, self.reference) for event in events],
                "sessions": lambda: [session_row(sourced, countries) for sourced in self.sessions.values()],
                "orders": lambda: [order_row(order, countries) for order in self.orders],
                "identity": lambda: list(map(asdict, self.identity.rows)),
                "visitor_days": lambda: self.visitor_days,
                "daily_traffic": lambda: daily_traffic(events, self.sessions, self.orders, countries),
                "daily_orders": lambda: daily_orders(self.orders, self.sessions, countries),
                "daily_active": lambda: daily_active(self.visitors, self.persons, first, self.today),
                "daily_products": lambda: daily_products(self.sessions.values(), self.orders),
                "quarantine": lambda: list(map(refused_row, self.outcomes.refused)),
                "repeats": lambda: list(map(repeat_row, self.outcomes.repeats)),
                "ingested_objects": lambda: [
                    {"object": raw.key, "lines": len(raw.lines) + raw.lost, "lines_lost": raw.lost}
                    for raw in self.objects
                ],
            }
        )

    def attribution(self, model: str) -> dict[tuple[str, str], Decimal]:
        """Net revenue by (currency, channel) under one of attribution.MODELS. Orders of visitors whose sessions
        are not known are (unattributed)."""
        credits: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for order in self.orders:
            if order.purchase is None:
                continue
            touches = self.touches(order)
            if not touches:
                credits[order.currency, UNATTRIBUTED] += order.net_revenue
                continue
            parts = attribute(model, touches, order.purchase.occurred_at, order.net_revenue, order.currency)
            for touch, part in zip(touches, parts, strict=True):
                credits[order.currency, touch.channel] += part
        return dict(credits)

    def touches(self, order: Order) -> list[Touch]:
        """The sessions of the order's person in the 30 days before it."""
        purchase = order.purchase
        if purchase is None or purchase.visitor_id is None or not purchase.counts:
            return []
        person = self.identity.person(purchase.visitor_id, purchase.occurred_at)
        return touches_before(self._touches_by_person.get(person, []), purchase.occurred_at)

    @cached_property
    def _touches_by_person(self) -> dict[str, list[Touch]]:
        found: dict[str, list[Touch]] = defaultdict(list)
        for sourced in self.sessions.values():
            session = sourced.session
            visit = Visit(sourced.source, sourced.medium, sourced.campaign)
            person = self.identity.person(session.visitor_id, session.started_at)
            found[person].append(Touch(session.started_at, visit, sourced.channel))
        return found

    def credited(self, model: str) -> dict[str, Decimal]:
        """The credits of one of attribution.MODELS in all, by currency."""
        told: dict[str, Decimal] = defaultdict(Decimal)
        for (currency, _), credit in self.attribution(model).items():
            told[currency] += credit
        return dict(told)


class _Lazy(Mapping[str, list[Row]]):
    """Tables made on demand, once."""

    def __init__(self, makers: Mapping[str, Callable[[], list[Row]]]) -> None:
        self._makers = makers
        self._made: dict[str, list[Row]] = {}

    def __getitem__(self, name: str) -> list[Row]:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def recompute(objects: Iterable[RawObject], rules: Rules, reference: Reference) -> Oracle:
    """Reads every line and derives everything from it. The order of `objects` does not matter."""
    objects = tuple(objects)
    outcomes = read_lines(objects, rules)
    sessions: dict[str, Sourced] = {}
    for session in sessionize(outcomes.events):
        pages = [(event.line.get("page_url"), event.line.get("referrer")) for event in session.members]
        visit = visit_source(pages, rules, reference)
        sessions[session.session_id] = Sourced(
            session,
            local_date(session.started_at, rules.zone),
            visit.source,
            visit.medium,
            visit.campaign,
            channel_of(visit, reference),
        )
    return Oracle(
        rules,
        reference,
        objects,
        outcomes,
        sessions,
        tuple(collect_orders(outcomes.events)),
        identify(outcomes.events),
    )
