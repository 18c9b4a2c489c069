"""From the JSON of one event to an Event or a Refusal. Pure; nothing a sender writes makes it raise."""

import itertools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, get_args

import msgspec
import rfc8785
from msgspec import Raw, Struct

from clicklake.contract.event import Consent, ConsentState, Device, Event, Geo, Item, OwnProp, Props
from clicklake.contract.instants import read_instant
from clicklake.contract.json_text import is_nested_deeper, repair_escapes
from clicklake.contract.limits import (
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_OWN_KEY_LENGTH,
    MAX_OWN_PROPS,
    MAX_OWN_VALUE_LENGTH,
)
from clicklake.contract.money import read_money
from clicklake.contract.names import CANONICAL, VIEW
from clicklake.contract.raw import DraftLine
from clicklake.contract.reasons import Reason, Refusal
from clicklake.contract.wire import (
    ABSENT,
    DeviceType,
    SegmentMessage,
    SegmentProduct,
    SegmentProperties,
    WireConsent,
    WireEcom,
    WireEvent,
    WireFlatEvent,
    WireItem,
    WireProps,
)

_NULL = b"null"
# One object for each of the few values there are.
_CONSENTS = {
    sent: Consent(*(state or "unknown" for state in sent))
    for sent in itertools.product((None, *get_args(ConsentState)), repeat=2)
}
UNKNOWN_CONSENT = _CONSENTS[None, None]
_DEVICES = {device_type: Device(device_type) for device_type in get_args(DeviceType)}
_NO_PROPS = Props()

# Own numbers below this have a plain notation in every language.
OWN_NUMBER_LIMIT = 10**21


class _Head(Struct):
    event_type: Any = None


_decode_wire = msgspec.json.Decoder(WireEvent).decode
_decode_flat = msgspec.json.Decoder(WireFlatEvent).decode
_decode_segment = msgspec.json.Decoder(SegmentMessage).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_decode_raw = msgspec.json.Decoder(Raw).decode


class RefusedField(Exception):
    """Carries a refusal out of the helpers below, to whoever reads an event: no reader lets it pass."""

    def __init__(self, reason: Reason, field: str) -> None:
        self.refusal = Refusal(reason, field)

    def within(self, place: str) -> "RefusedField":
        return RefusedField(self.refusal.reason, f"{place}.{self.refusal.field}")


def decode_event(raw: bytes | Raw, *, accept_flat: bool) -> Event | Refusal:
    """Reads one event in any form: ours, Segment's and, with `accept_flat`, the older flat one.

    Names and shapes are resolved to the canonical ones; what is wrong comes back as a Refusal, one per
    event. Escaped lone surrogates and NULs are read as U+FFFD; of a repeated key the last one counts, and
    each has to be valid.
    """
    text = read_text(raw)
    if isinstance(text, Refusal):
        return text
    event = Event(event_type="")
    return fill_event(event, text, accept_flat=accept_flat) or event


def read_text(raw: bytes | Raw) -> bytes | Refusal:
    """The event's JSON in UTF-8, within the limits, with escapes that a store can hold."""
    text = bytes(raw)
    if len(text) > MAX_EVENT_BYTES:
        return Refusal(Reason.TOO_LARGE)
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            return Refusal(Reason.BAD_UTF8)
    text = repair_escapes(text)
    return Refusal(Reason.TOO_DEEP) if is_nested_deeper(text, MAX_DEPTH) else text


def fill_event(event: Event | DraftLine, text: bytes, *, accept_flat: bool) -> Refusal | None:
    """Sets on `event` what the JSON says (see read_text), and leaves alone what it does not say: there
    `event` has its defaults. After a Refusal it is of no use. Of several wrong values the first one sent
    is named.
    """
    try:
        try:
            wire = _decode_flat(text) if accept_flat else _decode_wire(text)
        except msgspec.ValidationError:
            if not _is_segment(text):
                raise
            return _copy(_from_segment(_decode_segment(text)), event)
        if wire.event_type is None:
            return _copy(_from_segment(_decode_segment(text)), event)
        return _fill(event, wire)
    except RefusedField as refused:
        return refused.refusal
    except msgspec.ValidationError as error:
        return _refusal(text, str(error))
    except msgspec.DecodeError:
        return Refusal(Reason.NOT_JSON)
    except RecursionError:
        return Refusal(Reason.TOO_DEEP)


def _copy(source: Event, target: Event | DraftLine) -> None:
    for name in Event.__struct_fields__:
        value = getattr(source, name)
        if value is not None:
            setattr(target, name, value)


def _fill(event: Event | DraftLine, wire: WireEvent) -> None:
    ecom = wire.ecom
    # Every value that is sent is judged, whether it is used or not: a schema cannot know what is used.
    items = _one_item(ecom) if ecom is not None else None
    if wire.items:
        items = _items(wire.items)
    props = _props(wire.props) if wire.props is not None else None
    event_type = CANONICAL[wire.event_type]
    ts = wire.ts
    if isinstance(wire, WireFlatEvent):
        user, age = _whole(wire.user_id, "user_id"), _whole(wire.user_age, "user_age")
        if _is_flat(wire):
            ts = wire.timestamp if _is_null(ts) else ts
            items = _with_category(items, wire.product_category)
            props = _with_flat(props, wire.user_action, age)
            if wire.location:
                event.geo = Geo(wire.location.upper())
            event.user_id = None if user in (None, "") else str(user)
            event.is_flat = True
    event.event_type = event_type if event_type is not VIEW else viewed(items)
    event.items = items
    event.props = props
    event.consent = _consent(wire.consent) if wire.consent is not None else UNKNOWN_CONSENT
    # An empty text is no value. No loop over names: it would take twice the time.
    if wire.event_id is not None:
        event.event_id = wire.event_id
    if ts is not ABSENT:
        event.ts = _instant(ts)
    if wire.sent_at is not ABSENT and (sent_at := _instant(wire.sent_at)) is not None:
        event.sent_at = sent_at
    if wire.anonymous_id is not None:
        event.anonymous_id = wire.anonymous_id
    if wire.session_hint or wire.session_id:
        event.session_hint = wire.session_hint or wire.session_id
    if wire.page_view_id:
        event.page_view_id = wire.page_view_id
    if wire.page_url:
        event.page_url = wire.page_url
    if wire.page_title:
        event.page_title = wire.page_title
    if wire.referrer:
        event.referrer = wire.referrer
    if wire.device is not None and wire.device.type:
        event.device = _DEVICES[wire.device.type]
    if wire.order_id:
        event.order_id = wire.order_id
    if wire.refund_id:
        event.refund_id = wire.refund_id
    if wire.value is not ABSENT:
        event.value = money(wire.value, "value")
    if wire.tax is not ABSENT:
        event.tax = money(wire.tax, "tax")
    if wire.shipping is not ABSENT:
        event.shipping = money(wire.shipping, "shipping")
    if wire.discount is not ABSENT:
        event.discount = money(wire.discount, "discount")
    currency = wire.currency or (ecom.currency if ecom is not None else None)
    if currency:
        event.currency = currency.upper()
    if wire.coupon:
        event.coupon = wire.coupon
    if wire.sdk:
        event.sdk = wire.sdk
    if wire.contract_version is not None:
        event.contract_version = _whole(wire.contract_version, "contract_version")
    if wire.is_test:
        event.is_test = True


def _is_segment(text: bytes) -> bool:
    """A message without event_type is Segment's, whatever else is wrong with it."""
    try:
        return _decode_head(text).event_type is None
    except (msgspec.DecodeError, RecursionError):
        return False


def _refusal(text: bytes, message: str) -> Refusal:
    """msgspec stops at the first wrong value; what follows may not even be JSON, which weighs more."""
    try:
        _decode_raw(text)
    except msgspec.DecodeError:
        return Refusal(Reason.NOT_JSON)
    explained, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".").replace("[...]", "") or None
    reason = next(reason for pattern, reason in _REASONS if pattern.search(explained))
    if reason is Reason.WRONG_TYPE and field is None:
        return Refusal(Reason.NOT_AN_OBJECT)
    if reason is Reason.UNKNOWN_VALUE and field in ("event_type", "event", "type"):
        reason = Reason.UNKNOWN_EVENT_TYPE
    return Refusal(reason, field)


# What msgspec says, most special first. Tests hold every one of them, so that a new version of msgspec
# that speaks differently is noticed.
_REASONS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"array` of length"), Reason.TOO_MANY_ITEMS),
    (re.compile(r"of length >="), Reason.EMPTY),
    (re.compile(r"of length <="), Reason.TOO_LONG),
    (re.compile(r"matching regex"), Reason.BAD_FORMAT),
    (re.compile(r"^Invalid enum value"), Reason.UNKNOWN_VALUE),
    (re.compile(r"out of range|^Expected `(int|float)` [<>]"), Reason.OUT_OF_RANGE),
    (re.compile(r""), Reason.WRONG_TYPE),
)


def money(raw: Raw, field: str) -> str | None:
    text = bytes(raw)
    if text == _NULL:
        return None
    money = read_money(text)
    if type(money) is Reason:
        raise RefusedField(money, field)
    return money


def price(raw: Raw, field: str) -> str | None:
    text = money(raw, field)
    if text is not None and text[0] == "-":
        raise RefusedField(Reason.OUT_OF_RANGE, field)
    return text


def _instant(raw: Raw) -> int | None:
    text = bytes(raw)
    return None if text == _NULL else read_instant(text)


def _is_null(raw: Raw) -> bool:
    return raw is ABSENT or bytes(raw) == _NULL


def _whole(value: Any, field: str) -> Any:
    """2.0 is 2; 2.5 is refused; what is not a float is left alone."""
    if type(value) is not float:
        return value
    if not value.is_integer():
        raise RefusedField(Reason.NOT_AN_INTEGER, field)
    return int(value)


def _consent(consent: WireConsent) -> Consent:
    return _CONSENTS[consent.analytics, consent.marketing]


def _items(sent: list[WireItem]) -> tuple[Item, ...]:
    items: list[Item] = []
    for item in sent:
        try:
            items.append(_item(item))
        except RefusedField as refused:
            raise refused.within(f"items[{len(items)}]") from None
    return tuple(items)


def _one_item(ecom: WireEcom) -> tuple[Item]:
    try:
        return (_item(ecom),)
    except RefusedField as refused:
        raise refused.within("ecom") from None


def _item(item: WireItem) -> Item:
    qty = item.qty
    position = item.position
    return Item(
        item.product_id or None,
        item.name or None,
        item.category or None,
        item.variant or None,
        None if item.price is ABSENT else price(item.price, "price"),
        1 if qty is None else qty if type(qty) is int else _whole(qty, "qty"),
        None if item.discount is ABSENT else money(item.discount, "discount"),
        item.list_name or None,
        position if type(position) is not float else _whole(position, "position"),
    )


def viewed(items: tuple[Item, ...] | None) -> str:
    is_product = any(item.product_id or item.name for item in items or ())
    return "view_item" if is_product else "page_view"


# --- props ---------------------------------------------------------------------------------------


def _known_reader(name: str, annotation: Any) -> Callable[[Any], Any]:
    """The check of one known key, made from its declaration in WireProps: a text or an integer."""
    field = f"props.{name}"
    kinds = msgspec.inspect.type_info(annotation)
    while isinstance(kinds, msgspec.inspect.Metadata):
        kinds = kinds.type
    kind = kinds.types[0]

    def read_text(value: Any) -> str | None:
        if type(value) is str:
            if len(value) > kind.max_length:
                raise RefusedField(Reason.TOO_LONG, field)
            return value or None
        if value is None:
            return None
        raise RefusedField(Reason.WRONG_TYPE, field)

    def read_integer(value: Any) -> int | None:
        if type(value) is int or type(value) is float:
            if not kind.ge <= value <= kind.le:
                raise RefusedField(Reason.OUT_OF_RANGE, field)
            return value if type(value) is int else _whole(value, field)
        if value is None:
            return None
        raise RefusedField(Reason.WRONG_TYPE, field)

    return read_text if isinstance(kind, msgspec.inspect.StrType) else read_integer


_KNOWN: dict[str, Callable[[Any], Any]] = {
    field.name: _known_reader(field.name, field.type) for field in msgspec.structs.fields(WireProps)
}


def _props(sent: dict[str, Any]) -> Props | None:
    known: dict[str, Any] = {}
    own: list[OwnProp] = []
    own_keys = 0
    for key, value in sent.items():
        read = _KNOWN.get(key)
        if read is not None:
            value = read(value)
            if value is not None:
                known[key] = value
            continue
        own_keys += 1
        if own_keys > MAX_OWN_PROPS:
            raise RefusedField(Reason.TOO_MANY_PROPS, "props")
        if not key or len(key) > MAX_OWN_KEY_LENGTH:
            raise RefusedField(Reason.TOO_LONG if key else Reason.EMPTY, "props")
        if value is not None:
            own.append(OwnProp(key, value if _is_short(value) else _own_text(key, value)))
    if not known and not own:
        return None
    if own:
        own.sort(key=_key)
        known["own"] = tuple(own)
    return Props(**known)


def _key(prop: OwnProp) -> str:
    return prop.key


def _is_short(value: Any) -> bool:
    return type(value) is str and len(value) <= MAX_OWN_VALUE_LENGTH


def _own_text(key: str, value: Any) -> str:
    """Own values are texts: numbers and booleans become their JSON text, equal numbers the same one."""
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is str:
        raise RefusedField(Reason.TOO_LONG, f"props.{key}")
    if type(value) not in (int, float):
        raise RefusedField(Reason.WRONG_TYPE, f"props.{key}")
    if not -OWN_NUMBER_LIMIT < value < OWN_NUMBER_LIMIT:
        raise RefusedField(Reason.OUT_OF_RANGE, f"props.{key}")
    return str(int(value)) if value == int(value) else rfc8785.dumps(value).decode()


# --- the older flat form -------------------------------------------------------------------------


def _is_flat(wire: WireFlatEvent) -> bool:
    return (
        wire.user_action is not None
        or wire.location is not None
        or wire.product_category is not None
        or not _is_null(wire.timestamp)
    )


def _with_category(items: tuple[Item, ...] | None, category: str | None) -> tuple[Item, ...] | None:
    if not category:
        return items
    if not items:
        return (Item(category=category, qty=1),)
    first = msgspec.structs.replace(items[0], category=items[0].category or category)
    return (first, *items[1:])


def _with_flat(props: Props | None, user_action: str | None, user_age: int | None) -> Props | None:
    props = props or Props()
    props.page_kind = props.page_kind or user_action or None
    if props.user_age is None:
        props.user_age = user_age
    return props if props != _NO_PROPS else None


# --- Segment's messages --------------------------------------------------------------------------


def _from_segment(message: SegmentMessage) -> Event:
    if message.type is None:
        raise RefusedField(Reason.MISSING_EVENT_TYPE, "event_type")
    if message.type == "track" and message.event is None:
        raise RefusedField(Reason.MISSING_EVENT_TYPE, "event")
    sent = message.properties or SegmentProperties()
    items = _segment_items(sent)
    event_type = CANONICAL[message.event] if message.type == "track" else "page_view"
    page = message.context.page if message.context else None
    library = message.context.library if message.context else None
    sdk = "/".join(filter(None, (library.name, library.version))) if library else None
    original = message.originalTimestamp
    tax = money(sent.tax, "properties.tax")
    shipping = money(sent.shipping, "properties.shipping")
    return Event(
        event_type=viewed(items) if event_type is VIEW else event_type,
        event_id=message.messageId,
        ts=_instant(message.timestamp if _is_null(original) else original),
        sent_at=_instant(message.sentAt),
        anonymous_id=message.anonymousId,
        page_url=(page and page.url) or sent.url or None,
        page_title=(page and page.title) or sent.title or None,
        referrer=(page and page.referrer) or sent.referrer or None,
        items=items,
        order_id=sent.order_id or None,
        refund_id=sent.refund_id or None,
        value=_segment_value(sent, tax, shipping),
        tax=tax,
        shipping=shipping,
        discount=money(sent.discount, "properties.discount"),
        currency=sent.currency.upper() if sent.currency else None,
        coupon=sent.coupon or None,
        props=Props(search_query=sent.query) if sent.query else None,
        consent=_consent(message.consent) if message.consent is not None else UNKNOWN_CONSENT,
        sdk=sdk or None,
    )


def _segment_items(sent: SegmentProperties) -> tuple[Item, ...] | None:
    """The products, else the one product that Segment's single-product events spread over properties."""
    alone = _segment_item(sent, "properties")
    if sent.products:
        return tuple([_segment_item(p, f"properties.products[{n}]") for n, p in enumerate(sent.products)])
    return (alone,) if alone.product_id or alone.name else None


def _segment_item(product: SegmentProduct, at: str) -> Item:
    return Item(
        product_id=product.product_id or None,
        name=product.name or None,
        category=product.category or None,
        variant=product.variant or None,
        price=price(product.price, at + ".price"),
        qty=1 if product.quantity is None else _whole(product.quantity, at + ".quantity"),
        position=_whole(product.position, at + ".position"),
    )


def _segment_value(sent: SegmentProperties, tax: str | None, shipping: str | None) -> str | None:
    """Goods only: subtotal, else revenue, else total less tax and shipping, as Segment defines them."""
    subtotal = money(sent.subtotal, "properties.subtotal")
    revenue = money(sent.revenue, "properties.revenue")
    total = money(sent.total, "properties.total")
    if subtotal is not None or revenue is not None or total is None:
        return subtotal if subtotal is not None else revenue
    goods = read_money(str(Decimal(total) - Decimal(tax or 0) - Decimal(shipping or 0)).encode())
    return goods if type(goods) is str else None
