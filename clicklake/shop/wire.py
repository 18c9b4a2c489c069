"""How visits are sent: batches of the browser's SDK, with every fault of the road.

Phones go offline and send days later, tabs close before their beacon is out, answers get lost and the same
batch comes again, clocks are wrong, and some tag on the page sends rubbish beside the SDK's events.
"""

import heapq
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import msgspec

from clicklake.shop.chance import Chance, Weighted
from clicklake.shop.journeys import IDLE_MS, ORIGIN, Event, Line, Order, Refund, Visit
from clicklake.shop.requests import EVENTS_PATH, USER_EVENTS_PATH, WITHOUT_SECRET, Edge, Request
from clicklake.shop.visitors import DAY_MS, HOUR_MS, Bot, Visitor

CONTRACT_VERSION = 1
MAX_BATCH_EVENTS = 60
# Beacons under way may hold 64 KB in all; what is larger goes by fetch.
MAX_BEACON_BYTES = 60_000

# The application and the older snippet use older names for some events.
OLD_NAMES: Mapping[str, str] = {"view_item": "view", "begin_checkout": "checkout"}


@dataclass(frozen=True)
class Faults:
    """How often the road fails, as shares of batches (`lost_answers`, `rubbish`), of visits (`noise`: a
    request that is none), and of the visits that could (`unsent_tabs`, `offline_visits`, `tunnels`)."""

    lost_answers: float = 0.011
    rubbish: float = 0.03
    noise: float = 0.003
    unsent_tabs: float = 0.55
    offline_visits: float = 0.6
    tunnels: float = 1.0


USUAL_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Rubbish:
    """A line that is no event: sent by a broken tag, never part of a visit. `reason` is the contract's code."""

    kind: str
    line: bytes
    reason: str
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request and what is in it. `attempt` is 1 for the first sending of a batch. `held_ms` is how long its
    oldest event waited; `shown_sent_at_ms` is when it was sent by the browser's clock, None for noise."""

    request: Request
    events: tuple[Event, ...]
    rubbish: tuple[Rubbish, ...]
    visitor: Visitor
    attempt: int
    held_ms: int
    shown_sent_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Encoded events of one sender, waiting to be sent. `events` and `lines` run in parallel."""

    visitor: Visitor
    user: str | None
    events: list[Event] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)


def deliver(
    visits: Iterable[Visit],
    edge: Edge = WITHOUT_SECRET,
    faults: Faults = USUAL_FAULTS,
    flush_after_ms: int = DAY_MS,
) -> Iterator[Delivery]:
    """Deliveries in order of received_at. A batch closes when the visit ends, the sign-in changes, or
    `flush_after_ms` have passed since its first event."""
    road = _Road(edge, faults, flush_after_ms)
    for visit in visits:
        yield from road.due(visit.started_at_ms)
        road.take(visit)
    yield from road.due(None)


class _Road:
    """What is under way: deliveries by arrival, and batches held back on offline devices."""

    def __init__(self, edge: Edge, faults: Faults, flush_after_ms: int) -> None:
        self.edge = edge
        self.faults = faults
        self.flush_after_ms = flush_after_ms
        self.number = 0
        self.under_way: list[tuple[int, int, Delivery | _Held]] = []
        self.held: dict[str, _Held] = {}

    def due(self, until_ms: int | None) -> Iterator[Delivery]:
        """Deliveries that arrive before `until_ms`; all of them if None."""
        while self.under_way and (until_ms is None or self.under_way[0][0] < until_ms):
            _, _, arrived = heapq.heappop(self.under_way)
            if isinstance(arrived, Delivery):
                yield arrived
            elif arrived.is_alone or self.held.get(arrived.visitor.key) is arrived:
                # Back online, and no visit since has taken the batches along.
                if not arrived.is_alone:
                    del self.held[arrived.visitor.key]
                for batch in arrived.batches:
                    self.send(
                        batch,
                        arrived.until_ms,
                        Chance(arrived.visitor.seed, "online", batch.events[0].event_id),
                    )

    def take(self, visit: Visit) -> None:
        visitor = visit.visitor
        chance = Chance(visitor.seed, "wire", visitor.key, visit.history.visits)
        batches = _batches(visit, chance, self.flush_after_ms)
        earlier = self.held.pop(visitor.key, None)
        if earlier:
            batches = _join(earlier.batches, batches)
        until_ms = self.holds_until(visit, chance)
        if until_ms:
            held = _Held(visitor, until_ms, batches)
            self.held[visitor.key] = held
            self.push(until_ms, held)
            return
        for batch in batches:
            if batch.events[0].is_cut_off and chance.happens(self.faults.tunnels):
                # What this tab could not send stays with it until it is opened again.
                later = visit.ended_at_ms + int(min(chance.around(20, 1.3), 24 * 24) * HOUR_MS)
                self.push(later, _Held(visitor, later, [batch], is_alone=True))
                continue
            # What an earlier visit left in the queue goes as soon as this one starts.
            self.send(batch, max(batch.events[-1].happened_at_ms, visit.started_at_ms), chance)
        if chance.happens(self.faults.noise):
            self.make_noise(visit, chance)

    def make_noise(self, visit: Visit, chance: Chance) -> None:
        """Something that calls the address and speaks no JSON: its answer is a 400, its trace one line."""
        body, content_type, reason = chance.pick(_NOISE)
        visitor = visit.visitor
        arrived = visit.ended_at_ms + chance.integer(1_000, 60_000)
        headers = {"content-type": content_type, "user-agent": visitor.device.user_agent, "origin": ORIGIN}
        headers |= self.edge.headers(visitor.country.code, visitor.city.name)
        request = Request(arrived, EVENTS_PATH, headers, body, visitor.address)
        self.push(arrived, Delivery(request, (), (Rubbish("noise", body, reason),), visitor, 1, 0))

    def holds_until(self, visit: Visit, chance: Chance) -> int | None:
        """When the visit's batches can be sent if not at once: the phone is offline, or the tab closed before
        its last beacon and the queue waits for the next visit."""
        visitor = visit.visitor
        if visitor.is_bot or any(event.analytics != "granted" for event in visit.events):
            return None  # nothing is stored without consent, so nothing can be sent later
        if any(event.is_cut_off for event in visit.events):
            return None  # what came before and after the tunnel goes at once
        if visitor.goes_offline and chance.happens(self.faults.offline_visits):
            return visit.ended_at_ms + int(min(chance.around(9, 1.3), 20 * 24) * HOUR_MS)
        soon = visit.returns is not None and visit.returns.starts_at_ms - visit.ended_at_ms < 3 * DAY_MS
        if soon and visit.returns and not visit.order and chance.happens(self.faults.unsent_tabs):
            return visit.returns.starts_at_ms + HOUR_MS
        return None

    def send(self, batch: _Batch, sends_at_ms: int, chance: Chance) -> None:
        """Puts a batch on its way, and once more if its answer gets lost."""
        sent_at = sends_at_ms + chance.integer(5, 900)
        lines = [_encode(line) for line in batch.lines]
        rubbish = (_rubbish(batch, chance),) if chance.happens(self.faults.rubbish) else ()
        shape = chance.pick(_SIGNED_IN_SHAPES if batch.user else _SHAPES)
        if any(piece.is_line for piece in rubbish):
            shape = _NDJSON
        elif shape.content_type == _BEACON and sum(map(len, [*lines, *(r.line for r in rubbish)])) > MAX_BEACON_BYTES:
            shape = _JSON
        attempts = 1
        while True:
            received_at = sent_at + int(min(chance.around(110, 0.7), 20_000))
            self.push(received_at, self.delivery(batch, lines, rubbish, shape, sent_at, received_at, attempts))
            if attempts == 3 or batch.visitor.is_bot or not chance.happens(self.faults.lost_answers):
                return
            # The SDK tries again after seconds, or with its next page hours later.
            wait = chance.around(9_000, 0.8) if chance.happens(0.75) else chance.between(0.5, 30) * HOUR_MS
            sent_at = received_at + int(wait)
            attempts += 1

    def delivery(
        self,
        batch: _Batch,
        lines: list[bytes],
        rubbish: tuple[Rubbish, ...],
        shape: "_Shape",
        sent_at: int,
        received_at: int,
        attempt: int,
    ) -> Delivery:
        visitor = batch.visitor
        lines = lines + [piece.line for piece in rubbish]
        shown_sent_at = sent_at + visitor.clock_ahead_ms
        request = Request(
            received_at,
            USER_EVENTS_PATH if batch.user else EVENTS_PATH,
            {
                "content-type": shape.content_type,
                "user-agent": visitor.device.user_agent,
                "origin": ORIGIN,
                **self.edge.headers(visitor.country.code, visitor.city.name),
            },
            shape.body(lines, _iso(shown_sent_at)),
            visitor.address,
            batch.user,
        )
        held = received_at - batch.events[0].happened_at_ms
        return Delivery(request, tuple(batch.events), rubbish, visitor, attempt, held, shown_sent_at)

    def push(self, at_ms: int, what: "Delivery | _Held") -> None:
        self.number += 1
        heapq.heappush(self.under_way, (at_ms, self.number, what))


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Batches on a device that cannot send before `until_ms`, unless its next visit does; `is_alone`: not even
    then."""

    visitor: Visitor
    until_ms: int
    batches: list[_Batch]
    is_alone: bool = False


# Batches


def _batches(visit: Visit, chance: Chance, flush_after_ms: int) -> list[_Batch]:
    visitor = visit.visitor
    sender = _Sender(visit, chance)
    batches: list[_Batch] = []
    batch: _Batch | None = None
    for event in visit.events:
        user = event.person.sub if event.person else None
        if (
            batch is None
            or batch.user != user
            or batch.events[0].is_cut_off != event.is_cut_off
            or len(batch.events) >= MAX_BATCH_EVENTS
            or event.happened_at_ms - batch.events[0].happened_at_ms > flush_after_ms
        ):
            batch = _Batch(visitor, user)
            batches.append(batch)
        batch.events.append(event)
        batch.lines.append(sender.line(event))
    return batches


def _join(earlier: list[_Batch], later: list[_Batch]) -> list[_Batch]:
    """The queue of a device sends its oldest first; one person's events never travel with another's token."""
    joined: list[_Batch] = []
    for batch in earlier + later:
        last = joined[-1] if joined else None
        if last and last.user == batch.user and len(last.events) + len(batch.events) <= MAX_BATCH_EVENTS:
            last.events.extend(batch.events)
            last.lines.extend(batch.lines)
        else:
            joined.append(batch)
    return joined


class _Sender:
    """The SDK in one visitor's browser: puts events into the contract's form by its own clock."""

    def __init__(self, visit: Visit, chance: Chance) -> None:
        visitor = visit.visitor
        self.chance = chance
        self.last_ms = 0
        self.is_old = visitor.sdk != "clicklake-js/1.0.0"
        self.visit = visit
        self.common: dict[str, object] = {"sdk": visitor.sdk, "contract_version": CONTRACT_VERSION}
        if visitor.bot is not Bot.DECLARED:
            self.common["device"] = {"type": visitor.device.device_type}
        if visitor.is_test:
            self.common["is_test"] = True

    def line(self, event: Event) -> dict[str, object]:
        if event.happened_at_ms - self.last_ms > IDLE_MS:
            self.common["session_hint"] = self.chance.uuid()
        self.last_ms = event.happened_at_ms
        page = event.page
        name = OLD_NAMES.get(event.event_type, event.event_type) if self.is_old else event.event_type
        visitor = self.visit.visitor
        line: dict[str, object] = {
            "event_id": event.event_id,
            "ts": _shown_time(event.happened_at_ms, visitor),
            "event_type": name,
            "anonymous_id": self.visit.sender_id(event),
            **self.common,
            "page_view_id": page.page_view_id,
            "page_url": page.url,
            "page_title": page.title,
        }
        if page.referrer:
            line["referrer"] = page.referrer
        if visitor.tells_consent or event.analytics != visitor.analytics:
            marketing = visitor.marketing if event.analytics == visitor.analytics else "denied"
            line["consent"] = {"analytics": event.analytics, "marketing": marketing}
        if event.order:
            line |= _order(event.order, tells_value=not self.is_old)
        elif event.refund:
            line |= _refund(event.refund)
        elif event.lines:
            if event.event_type in ("add_to_cart", "view_item") and self.is_old:
                line["ecom"] = _ecom(event.lines[0], visitor.country.currency)
            else:
                line["currency"] = visitor.country.currency
                line["items"] = [_item(item) for item in event.lines]
                if event.event_type in ("add_to_cart", "begin_checkout"):
                    line["value"] = _money(sum(item.price_cents * item.qty for item in event.lines))
        if event.props:
            line["props"] = event.props
        return line


def _order(order: Order, tells_value: bool) -> dict[str, object]:
    """Older senders leave the value to be summed up from the items and the order's discount."""
    told: dict[str, object] = {
        "order_id": order.order_id,
        "currency": order.currency,
        "tax": _money(order.tax_cents),
        "shipping": _money(order.shipping_cents),
        "items": [_item(line) for line in order.lines],
    }
    if tells_value:
        told["value"] = _money(order.value_cents)
    if order.coupon:
        told["coupon"] = order.coupon
    if order.voucher_cents:
        told["discount"] = _money(order.voucher_cents)
    return told


def _refund(refund: Refund) -> dict[str, object]:
    told: dict[str, object] = {
        "refund_id": refund.refund_id,
        "order_id": refund.order.order_id,
        "currency": refund.order.currency,
    }
    if refund.told_cents is not None:
        told["value"] = _money(refund.told_cents)
    return told


def _item(line: Line) -> dict[str, object]:
    product = line.product
    item: dict[str, object] = {
        "product_id": product.product_id,
        "name": product.name,
        "category": product.category,
        "price": _money(line.price_cents),
    }
    if line.variant:
        item["variant"] = line.variant
    if line.list_name:
        item["list_name"] = line.list_name
        item["position"] = line.position
    else:
        item["qty"] = line.qty
    if line.discount_cents:
        item["discount"] = _money(line.discount_cents)
    return item


def _ecom(line: Line, currency: str) -> dict[str, object]:
    """The one-product form."""
    return {
        "product_id": line.product.product_id,
        "category": line.product.category,
        "currency": currency,
        "price": f"{line.price_cents / 100:.2f}",
        "qty": line.qty,
    }


def _money(cents: int) -> float:
    """As JavaScript would send it: the shortest JSON number."""
    return cents / 100


def _shown_time(moment_ms: int, visitor: Visitor) -> str:
    return _iso(moment_ms + visitor.clock_ahead_ms) if visitor.tells_time else "Invalid Date"


def _iso(moment_ms: int) -> str:
    days, rest = divmod(moment_ms, DAY_MS)
    seconds, milliseconds = divmod(rest, 1000)
    minutes = seconds // 60
    return f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    return date.fromordinal(_EPOCH + days).isoformat()


_EPOCH = date(1970, 1, 1).toordinal()

_encode = msgspec.json.Encoder().encode


# Bodies


@dataclass(frozen=True, slots=True)
class _Shape:
    """A form of body with its content type."""

    form: str
    content_type: str
    is_gzip: bool = False

    def body(self, lines: list[bytes], sent_at: str) -> bytes:
        stamp = b'"sent_at":"' + sent_at.encode() + b'"'
        if self.form == "envelope":
            body = b"{" + stamp + b',"events":[' + b",".join(lines) + b"]}"
        else:
            stamped = [b"{" + stamp + b"," + line[1:] if line.startswith(b'{"event_id"') else line for line in lines]
            body = b"\n".join(stamped) + b"\n" if self.form == "ndjson" else b"[" + b",".join(stamped) + b"]"
        return _gzip(body) if self.is_gzip else body


_BEACON = "text/plain;charset=UTF-8"
_NDJSON = _Shape("ndjson", "application/x-ndjson")
_JSON = _Shape("envelope", "application/json")
_ZIPPED = _Shape("envelope", "application/octet-stream", is_gzip=True)
_SHAPES = Weighted(
    [
        (_Shape("envelope", _BEACON), 68),
        (_JSON, 14),
        (_Shape("array", "application/json"), 4),
        (_NDJSON, 4),
        (_ZIPPED, 10),
    ]
)
# A beacon cannot carry a token: signed-in users' batches go by fetch.
_SIGNED_IN_SHAPES = Weighted([(_JSON, 80), (_ZIPPED, 20)])


def _gzip(body: bytes) -> bytes:
    # Not gzip.compress: its header differs between versions of Python.
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


# Rubbish

_Change = Callable[[dict[str, object], Chance], object]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A way to be wrong. `change` spoils an event in place, or returns the line that is sent in its stead.
    `is_line`: only a line of NDJSON can be so without spoiling the whole body."""

    name: str
    reason: str
    change: _Change
    is_line: bool = False


def _with(**fields: object) -> _Change:
    return lambda event, _: event.update(fields)


def _with_item(**fields: object) -> _Change:
    item = {"product_id": "KEY-1001", "price": 9.9, "qty": 1}
    return _with(event_type="add_to_cart", items=[item | fields])


def _unknown_type(event: dict[str, object], chance: Chance) -> None:
    event["event_type"] = chance.one_of(("gtm.scrollDepth", "hover_intent", "video_25"))


def _bad_price(event: dict[str, object], chance: Chance) -> None:
    _with_item(price=chance.one_of(("12,50", "free", "EUR 10")))(event, chance)


# Each with its weight; the reason is the contract's code.
_KINDS = Weighted(
    [
        (_Kind("unknown_type", "unknown_event_type", _unknown_type), 26),
        (_Kind("no_type", "missing_event_type", lambda event, _: event.pop("event_type")), 7),
        (_Kind("bad_price", "not_money", _bad_price), 12),
        (_Kind("precise_price", "too_many_decimals", _with_item(price="19.99999")), 6),
        (_Kind("negative_price", "out_of_range", _with_item(price="-1")), 5),
        (_Kind("no_quantity", "out_of_range", _with_item(qty=0)), 6),
        (_Kind("half_a_piece", "not_an_integer", _with_item(qty=1.5)), 4),
        (_Kind("endless_basket", "too_many_items", _with(items=[{"product_id": "x"}] * 201)), 2),
        (_Kind("too_many_own_keys", "too_many_props", _with(props={f"dimension{n}": "1" for n in range(1, 31)})), 8),
        (_Kind("bad_currency", "bad_format", _with(event_type="purchase", currency="E1R", value=5)), 4),
        (_Kind("bad_visitor", "bad_format", _with(anonymous_id="a b")), 3),
        (_Kind("bad_consent", "unknown_value", _with(consent={"analytics": "yes"})), 4),
        (_Kind("bad_device", "unknown_value", _with(device={"type": "fridge"})), 2),
        (_Kind("number_as_id", "wrong_type", _with(event_id=5)), 4),
        (_Kind("no_id", "empty", _with(event_id="")), 2),
        (_Kind("long_title", "too_long", _with(page_title="Byteworks " * 300)), 3),
        (_Kind("no_object", "not_an_object", lambda *_: b"[1, 2]"), 3),
        (_Kind("huge", "too_large", _with(props={"debug": "x" * 33_000})), 2),
        (_Kind("not_json", "not_json", lambda event, _: (line := _encode(event))[: len(line) // 2], is_line=True), 9),
        (_Kind("not_a_number", "not_json", lambda *_: b'{"event_type":"purchase","value":NaN}', is_line=True), 3),
        (
            _Kind("latin_1", "bad_utf8", lambda *_: b'{"event_type":"page_view","page_title":"Caf\xe9"}', is_line=True),
            3,
        ),
        (_Kind("too_deep", "too_deep", lambda *_: b'{"x":' + b"[" * 300 + b"]" * 300 + b"}", is_line=True), 2),
    ]
)

_NOISE = Weighted(
    [
        ((b"hello=1&q=%27%20or%201", "text/plain;charset=UTF-8", "not_json"), 4),
        ((b'{"events":[{"event_type":"page_view","page_url":', "application/json", "not_json"), 4),
        ((_gzip(b'{"events":[]}')[:-9], "application/octet-stream", "bad_gzip"), 2),
    ]
)


def _rubbish(batch: _Batch, chance: Chance) -> Rubbish:
    """What a broken tag on the same page sends: an event of its own, and wrong."""
    kind = chance.pick(_KINDS)
    event: dict[str, object] = {
        "event_id": chance.uuid(),
        "ts": batch.lines[-1]["ts"],
        "event_type": "page_view",
        "page_url": batch.lines[-1]["page_url"],
        "sdk": "gtm-bridge/0.1",
    }
    line = kind.change(event, chance)
    return Rubbish(kind.name, line if isinstance(line, bytes) else _encode(event), kind.reason, kind.is_line)
