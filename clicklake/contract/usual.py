"""The usual way to read events: msgspec decodes them straight into the lines that are written.

By types that are stricter than the contract: what they take, decode.py takes with the same values. What they
refuse is not judged here: decode.py reads it again, by the rule for all events.
"""

from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta, Raw, Struct

from clicklake.contract.decode import UNKNOWN_CONSENT, RefusedField, money, price, viewed
from clicklake.contract.event import Consent, Device, Item, Props
from clicklake.contract.instants import read_sent_instant
from clicklake.contract.json_text import repair_escapes
from clicklake.contract.limits import MAX_EVENT_BYTES, MAX_EVENTS, MAX_ITEMS
from clicklake.contract.memo import Memo
from clicklake.contract.names import CANONICAL, VIEW
from clicklake.contract.raw import DraftLine
from clicklake.contract.requests import BOM, Body, ContentKind, split_body
from clicklake.contract.wire import (
    ABSENT,
    Age,
    Count,
    Currency,
    DeviceType,
    EventId,
    EventTypeName,
    Milliseconds,
    Percent,
    Quantity,
    ShopId,
    Text,
    Url,
    Version,
    VisitorId,
)

_NOT_EMPTY = Meta(min_length=1)
_ShopId = Annotated[ShopId, _NOT_EMPTY] | None
_Text = Annotated[Text, _NOT_EMPTY] | None
_Url = Annotated[Url, _NOT_EMPTY] | None


def _whole(number: Any) -> Any:
    """Of a number that may be sent as 2.0 too, the integer."""
    return get_args(number)[0]


class _Device(Device, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    type: DeviceType


class _Consent(Consent, frozen=True, forbid_unknown_fields=True, gc=False):
    pass


class _Item(Item, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    product_id: _ShopId = None
    name: _Text = None
    category: _Text = None
    variant: _Text = None
    price: Raw = ABSENT
    qty: _whole(Quantity) | None = None
    discount: Raw = ABSENT
    list_name: _Text = None
    position: _whole(Count) | None = None


class _Props(Props, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    search_query: _Text = None
    results_count: _whole(Count) | None = None
    link_url: _Url = None
    element_id: _Text = None
    engaged_ms: _whole(Milliseconds) | None = None
    scroll_pct: _whole(Percent) | None = None
    page_kind: _Text = None
    user_age: _whole(Age) | None = None
    own: None = None


_SENT = {
    "event_type": EventTypeName,
    "event_id": EventId,
    "ts": str | int | None,
    "sent_at": str | int | None,
    "anonymous_id": VisitorId | None,
    "session_hint": _ShopId,
    "session_id": _ShopId,
    "page_view_id": _ShopId,
    "page_url": _Url,
    "page_title": _Text,
    "referrer": _Url,
    "device": _Device | None,
    "items": Annotated[list[_Item], Meta(min_length=1, max_length=MAX_ITEMS)] | None,
    "order_id": _ShopId,
    "refund_id": _ShopId,
    "value": Raw,
    "tax": Raw,
    "shipping": Raw,
    "discount": Raw,
    "currency": Currency | None,
    "coupon": _Text,
    "props": _Props | None,
    "consent": _Consent | None,
    "sdk": _Text,
    "contract_version": _whole(Version) | None,
    "is_test": bool | None,
}
_REQUIRED = ("event_type", "event_id")


def _field(name: str) -> tuple[Any, ...]:
    sent = _SENT.get(name)
    if name in _REQUIRED:
        return name, sent
    return name, sent, ABSENT if sent is Raw else None


UsualLine = msgspec.defstruct(
    "UsualLine",
    # What the function sets is not in _SENT, and None here whatever is sent; so is the one-product form.
    [_field(name) for name in (*DraftLine.__struct_fields__, "session_id", "ecom")],
    bases=(DraftLine,),
    omit_defaults=True,
    kw_only=True,
    gc=False,
)


class _KnownLine(UsualLine, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """A line from a whole body, whose depth nobody looked at: msgspec must not skip anything in it."""


class _Envelope(Struct, forbid_unknown_fields=True):
    events: Annotated[list[_KnownLine], Meta(max_length=MAX_EVENTS)]
    batch: None = None
    sent_at: str | int | None = None
    sentAt: str | int | None = None


_decode_line = msgspec.json.Decoder(UsualLine).decode
_decode_list = msgspec.json.Decoder(Annotated[list[_KnownLine], Meta(max_length=MAX_EVENTS)]).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_NO_PROPS = _Props()
_moneys = Memo(lambda text: money(text, "") or ABSENT)
_prices = Memo(lambda text: price(text, "") or ABSENT)


def read_events(body: bytes, kind: ContentKind, *, accept_flat: bool) -> Body:
    """A body's events: usual ones decoded to lines, if all of them are usual; else undecoded, by split_body."""
    # The flat form has keys that no usual event has.
    return (None if accept_flat else split_usual_body(body, kind)) or split_body(body, kind)


def split_usual_body(body: bytes, kind: ContentKind) -> Body | None:
    """As split_body, with every event decoded to a line; None where one of them is not usual, or where the
    body is larger than an event may be."""
    if kind is ContentKind.NDJSON or len(body) > MAX_EVENT_BYTES:
        return None
    body = repair_escapes(body.removeprefix(BOM)).strip(b" \t\r\n")
    try:
        if body.startswith(b"["):
            lines, sent_at = _decode_list(body), None
        else:
            envelope = _decode_envelope(body)
            lines, sent_at = envelope.events, envelope.sent_at if envelope.sent_at is not None else envelope.sentAt
        for line in lines:
            _settle(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RefusedField):
        return None
    return Body(lines, read_sent_instant(sent_at) if sent_at is not None else None)


def usual_line(text: bytes) -> DraftLine | None:
    """The line of an event from its JSON (see read_text); None where it is not usual."""
    try:
        line = _decode_line(text)
        _settle(line)
    except (msgspec.DecodeError, RefusedField):
        return None
    return line


def _settle(line: Any) -> None:
    """Makes of what was sent what is written, in place; the rest is the same."""
    items = line.items
    if items is not None:
        for item in items:
            if item.price is not ABSENT:
                item.price = _prices[bytes(item.price)]
            if item.discount is not ABSENT:
                item.discount = _moneys[bytes(item.discount)]
            if item.qty is None:
                item.qty = 1
    event_type = CANONICAL[line.event_type]
    line.event_type = event_type if event_type is not VIEW else viewed(items)
    if line.ts is not None:
        line.ts = read_sent_instant(line.ts)
    if line.sent_at is not None:
        line.sent_at = read_sent_instant(line.sent_at)
    if line.session_id is not None:
        line.session_hint = line.session_hint or line.session_id
        line.session_id = None
    if line.value is not ABSENT:
        line.value = _moneys[bytes(line.value)]
    if line.tax is not ABSENT:
        line.tax = _moneys[bytes(line.tax)]
    if line.shipping is not ABSENT:
        line.shipping = _moneys[bytes(line.shipping)]
    if line.discount is not ABSENT:
        line.discount = _moneys[bytes(line.discount)]
    if line.currency is not None:
        line.currency = line.currency.upper()
    if line.props is not None and line.props == _NO_PROPS:
        line.props = None
    if line.consent is None:
        line.consent = UNKNOWN_CONSENT
