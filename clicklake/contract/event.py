"""The event as the platform keeps it: one shape, whatever form it was sent in.

What a sender may write is in wire.py; decode.py turns the one into the other. None of these can refer to
itself, so the garbage collector need not look at them (gc=False): they are made by the million. What is
not frozen may be changed by whoever asked for it to be decoded; what is frozen is shared.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

ConsentState = Literal["granted", "denied", "unknown"]


class Device(Struct, frozen=True, omit_defaults=True, gc=False):
    type: str | None = None


class Geo(Struct, frozen=True, omit_defaults=True, gc=False):
    """country is ISO 3166 alpha-2."""

    country: str | None = None
    city: str | None = None


class Item(Struct, omit_defaults=True, gc=False):
    """A product concerned. price (after the item's discount) and discount are canonical money texts."""

    product_id: str | None = None
    name: str | None = None
    category: str | None = None
    variant: str | None = None
    price: str | None = None
    qty: int | None = None
    discount: str | None = None
    list_name: str | None = None
    position: int | None = None


class OwnProp(Struct, frozen=True, gc=False):
    key: str
    value: str


class Props(Struct, omit_defaults=True, gc=False):
    """engaged_ms is milliseconds in the foreground; own are the shop's own keys, sorted by key."""

    search_query: str | None = None
    results_count: int | None = None
    link_url: str | None = None
    element_id: str | None = None
    engaged_ms: Annotated[int, Meta(extra_json_schema={"x-spark": "long"})] | None = None
    scroll_pct: int | None = None
    page_kind: str | None = None
    user_age: int | None = None
    own: tuple[OwnProp, ...] | None = None


class Consent(Struct, frozen=True, gc=False):
    analytics: ConsentState = "unknown"
    marketing: ConsentState = "unknown"


class Event(Struct, kw_only=True, gc=False):
    """An accepted event. Instants are epoch milliseconds, money is canonical text, None is absent.

    user_id is set by the older flat form only, in the clear: hash it before writing or logging.
    """

    event_type: str
    event_id: str | None = None
    ts: int | None = None
    sent_at: int | None = None
    anonymous_id: str | None = None
    session_hint: str | None = None
    page_view_id: str | None = None
    user_id: str | None = None
    page_url: str | None = None
    page_title: str | None = None
    referrer: str | None = None
    device: Device | None = None
    geo: Geo | None = None
    items: tuple[Item, ...] | None = None
    order_id: str | None = None
    refund_id: str | None = None
    value: str | None = None
    tax: str | None = None
    shipping: str | None = None
    discount: str | None = None
    currency: str | None = None
    coupon: str | None = None
    props: Props | None = None
    consent: Consent = Consent()
    sdk: str | None = None
    contract_version: int | None = None
    is_test: bool = False
    is_flat: bool = False
