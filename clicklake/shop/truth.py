"""What really happened in the simulated shop, written down while it is simulated.

Six files of JSON lines (gzip), one record a line; money is in hundredths, instants are epoch milliseconds by a
clock that is right. `write_truth` makes them in a folder, `read_truth` reads them back.

| file | a line is |
|---|---|
| visits | a stay of one browser, with its sessions as they were |
| events | something that happened, whether or not it was ever sent |
| lines | a line that was sent: an event, or something that is none, and why |
| orders | an order, however often it was told of |
| refunds | money given back |
| people | a customer with an account, and the browsers they used |

Nothing here knows how events are stored or counted: the only rule is that half an hour without anything ends a
session.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

import msgspec
from msgspec import Struct

from clicklake.shop.arrivals import told_channel
from clicklake.shop.journeys import IDLE_MS, Visit
from clicklake.shop.wire import Delivery

PASSIVE = frozenset({"page_leave", "page_ping"})
FUNNEL = ("view_item", "add_to_cart", "begin_checkout", "purchase")


class TrueSession(Struct, frozen=True, omit_defaults=True):
    """A run of activity without half an hour of nothing in between. `funnel` is how many steps were taken in
    order, 0 to 4."""

    first_event_id: str
    started_at: int
    ended_at: int
    events: int
    funnel: int = 0


class TrueVisit(Struct, frozen=True, omit_defaults=True):
    """`visitor` names the browser for ever, `human` whoever sat before it. `bot` is declared, behaving, scraper
    or empty. `channel` is how they came; `told_channel` what the landing page can tell of it, given what they
    consented to."""

    visit: str
    visitor: str
    human: str
    started_at: int
    channel: str
    told_channel: str
    sessions: tuple[TrueSession, ...]
    bot: str = ""
    is_test: bool = False
    country: str = ""
    device_type: str = ""
    clock_ahead_ms: int = 0
    order_id: str | None = None


class TrueEvent(Struct, frozen=True, omit_defaults=True):
    """`anonymous_id` is what the browser called itself; `person` who was signed in; `analytics` the consent."""

    event_id: str
    visit: str
    anonymous_id: str
    happened_at: int
    event_type: str
    person: str | None = None
    analytics: str = "granted"


class TrueLine(Struct, frozen=True, omit_defaults=True):
    """`request` counts requests in order of arrival. ts and sent_at are as the browser's clock showed them; ts is
    None where it cannot be read. For what is no event `event_id` is None, `malformed` names the kind and
    `reason` is the contract's code for it."""

    request: int
    received_at: int
    sent_at: int | None = None
    ts: int | None = None
    event_id: str | None = None
    attempt: int = 1
    malformed: str = ""
    reason: str = ""


class TrueOrder(Struct, frozen=True, omit_defaults=True):
    """value is goods after all discounts, without tax and shipping."""

    order_id: str
    event_id: str
    visit: str
    visitor: str
    ordered_at: int
    currency: str
    value: int
    tax: int
    shipping: int
    person: str | None = None
    coupon: str = ""
    is_test: bool = False


class TrueRefund(Struct, frozen=True, omit_defaults=True):
    """`told` is what the page told of its value: nothing, or more than there was."""

    refund_id: str
    event_id: str
    order_id: str
    refunded_at: int
    value: int
    told: int | None = None


class TruePerson(Struct, frozen=True, omit_defaults=True):
    """`sub` is the user pool's name for them."""

    sub: str
    visitors: tuple[str, ...]
    visits: int
    orders: int


@dataclass(frozen=True)
class Truth:
    """All of it, in memory."""

    visits: list[TrueVisit]
    events: list[TrueEvent]
    lines: list[TrueLine]
    orders: list[TrueOrder]
    refunds: list[TrueRefund]
    people: list[TruePerson]


_RECORDS = {
    "visits": TrueVisit,
    "events": TrueEvent,
    "lines": TrueLine,
    "orders": TrueOrder,
    "refunds": TrueRefund,
    "people": TruePerson,
}
_encode = msgspec.json.Encoder().encode
T = TypeVar("T")


def file_of(kind: str) -> str:
    return f"{kind}.ndjson.gz"


class TruthWriter:
    """Notes visits and deliveries as they pass. Use `write_truth`."""

    def __init__(self, files: dict[str, "_Lines"]) -> None:
        self._files = files
        self._people: dict[str, tuple[set[str], set[str], set[str]]] = {}
        self._requests = 0

    def visits(self, visits: Iterable[Visit]) -> Iterator[Visit]:
        """Passes the visits on."""
        for visit in visits:
            self._note_visit(visit)
            yield visit

    def deliveries(self, deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
        """Passes the deliveries on."""
        for delivery in deliveries:
            self._note_delivery(delivery)
            yield delivery

    def close(self) -> None:
        for sub, (visitors, visits, orders) in sorted(self._people.items()):
            self._write("people", TruePerson(sub, tuple(sorted(visitors)), len(visits), len(orders)))

    def _write(self, kind: str, record: Struct) -> None:
        self._files[kind].write(_encode(record))

    def _note_visit(self, visit: Visit) -> None:
        visitor = visit.visitor
        name = visit.name
        signed_in = [event.person for event in visit.events if event.person]
        human = signed_in[0].sub if signed_in else visitor.people[0].sub if visitor.people else visitor.key
        events = [
            TrueEvent(
                event.event_id,
                name,
                visit.sender_id(event),
                event.happened_at_ms,
                event.event_type,
                event.person.sub if event.person else None,
                event.analytics,
            )
            for event in visit.events
        ]
        self._write(
            "visits",
            TrueVisit(
                name,
                visitor.key,
                human,
                visit.started_at_ms,
                visit.arrival.channel.name,
                told_channel(visit.arrival, visitor.marketing).name,
                tuple(cut(events)),
                visitor.bot.value if visitor.bot else "",
                visitor.is_test,
                visitor.country.code,
                visitor.device.device_type,
                visitor.clock_ahead_ms,
                visit.order.order_id if visit.order else None,
            ),
        )
        for event in events:
            self._write("events", event)
        known_orders: set[str] = set()
        known_refunds: set[str] = set()
        for event in visit.events:
            person = event.person.sub if event.person else None
            if person:
                visitors, visits, orders = self._people.setdefault(person, (set(), set(), set()))
                visitors.add(visitor.key)
                visits.add(name)
                orders |= {event.order.order_id} if event.order else set()
            order, refund = event.order, event.refund
            if order and order.order_id not in known_orders:
                known_orders.add(order.order_id)
                self._write(
                    "orders",
                    TrueOrder(
                        order.order_id,
                        event.event_id,
                        name,
                        visitor.key,
                        order.ordered_at_ms,
                        order.currency,
                        order.value_cents,
                        order.tax_cents,
                        order.shipping_cents,
                        person,
                        order.coupon,
                        visitor.is_test,
                    ),
                )
            if refund and refund.refund_id not in known_refunds:
                known_refunds.add(refund.refund_id)
                self._write(
                    "refunds",
                    TrueRefund(
                        refund.refund_id,
                        event.event_id,
                        refund.order.order_id,
                        event.happened_at_ms,
                        refund.value_cents,
                        refund.told_cents,
                    ),
                )

    def _note_delivery(self, delivery: Delivery) -> None:
        number, received_at = self._requests, delivery.request.received_at_ms
        self._requests += 1
        visitor = delivery.visitor
        for event in delivery.events:
            ts = event.happened_at_ms + visitor.clock_ahead_ms if visitor.tells_time else None
            line = TrueLine(number, received_at, delivery.shown_sent_at_ms, ts, event.event_id, delivery.attempt)
            self._write("lines", line)
        for piece in delivery.rubbish:
            line = TrueLine(number, received_at, attempt=delivery.attempt, malformed=piece.kind, reason=piece.reason)
            self._write("lines", line)


class Happened(Protocol):
    """What cutting sessions needs to know of an event."""

    @property
    def event_id(self) -> str: ...

    @property
    def event_type(self) -> str: ...

    @property
    def happened_at(self) -> int: ...


def cut(events: Iterable[Happened]) -> Iterator[TrueSession]:
    """The sessions of one browser's events, which come in order of time: cut where half an hour was empty. What
    only closes a page begins nothing."""
    run: list[Happened] = []
    last = None
    for event in events:
        if last is not None and event.happened_at - last > IDLE_MS:
            yield from _session(run)
            run = []
        last = event.happened_at
        if run or event.event_type not in PASSIVE:
            run.append(event)
    yield from _session(run)


def _session(run: Sequence[Happened]) -> Iterator[TrueSession]:
    if run:
        funnel = 0
        for event in run:
            funnel += funnel < len(FUNNEL) and event.event_type == FUNNEL[funnel]
        yield TrueSession(run[0].event_id, run[0].happened_at, run[-1].happened_at, len(run), funnel)


@contextmanager
def write_truth(folder: Path) -> Iterator[TruthWriter]:
    """A writer into `folder`, which is made; files of before are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as ending:
        files = {
            kind: ending.enter_context(_Lines(open(folder / file_of(kind), "wb")))  # noqa: SIM115 - closed by _Lines
            for kind in _RECORDS
        }
        writer = TruthWriter(files)
        yield writer
        writer.close()


def read_truth(folder: Path) -> Truth:
    """What `write_truth` wrote. Raises OSError for a missing file, msgspec.DecodeError for a foreign one."""
    return Truth(**{kind: _read(folder / file_of(kind), record) for kind, record in _RECORDS.items()})


def _read(path: Path, record: type[T]) -> list[T]:
    return msgspec.json.Decoder(record).decode_lines(zlib.decompress(path.read_bytes(), 31))


class _Lines:
    """A gzip file of lines. Not gzip.open: its header holds the clock."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._packer = zlib.compressobj(1, zlib.DEFLATED, 31)

    def write(self, line: bytes) -> None:
        self._file.write(self._packer.compress(line + b"\n"))

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write(self._packer.flush())
        self._file.close()
