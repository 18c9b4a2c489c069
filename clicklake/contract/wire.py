"""What a sender may write: every field of every form, with its rule, an example and a note on privacy.

The JSON Schema, the OpenAPI document and the field dictionary are generated from these types. A null
is an absent value everywhere; keys that are not named here are ignored, so that older and newer senders
get along. Money and instants stay undecoded here (Raw): their digits must not go through a float.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from clicklake.contract.event import ConsentState
from clicklake.contract.limits import (
    MAX_ID_LENGTH,
    MAX_INT32,
    MAX_ITEMS,
    MAX_SAFE_INTEGER,
    MAX_SHOP_ID_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_URL_LENGTH,
)
from clicklake.contract.names import CANONICAL

ABSENT = Raw(b"null")

EventTypeName = Literal[tuple(sorted(CANONICAL))]

EventId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH)]
# `(?!\n)$`: Python's $ alone also matches before a newline at the end.
VisitorId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH, pattern=r"^[A-Za-z0-9._:-]*(?!\n)$")]
ShopId = Annotated[str, Meta(max_length=MAX_SHOP_ID_LENGTH)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_LENGTH)]
Url = Annotated[str, Meta(max_length=MAX_URL_LENGTH)]
Currency = Annotated[str, Meta(pattern=r"^[A-Za-z]{3}(?!\n)$")]
Country = Annotated[str, Meta(pattern=r"^[A-Za-z]{2}(?!\n)$")]

# 2.0 is an integer in JSON Schema, so a float is read too and must turn out whole.
Count = Annotated[int, Meta(ge=0, le=MAX_INT32)] | Annotated[float, Meta(ge=0, le=MAX_INT32)]
Quantity = Annotated[int, Meta(ge=1, le=10_000)] | Annotated[float, Meta(ge=1, le=10_000)]
Version = Annotated[int, Meta(ge=1, le=MAX_INT32)] | Annotated[float, Meta(ge=1, le=MAX_INT32)]
Percent = Annotated[int, Meta(ge=0, le=100)] | Annotated[float, Meta(ge=0, le=100)]
Age = Annotated[int, Meta(ge=0, le=150)] | Annotated[float, Meta(ge=0, le=150)]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)] | Annotated[float, Meta(ge=0, le=MAX_SAFE_INTEGER)]
UserNumber = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)] | Annotated[float, Meta(ge=0, le=MAX_SAFE_INTEGER)]

Money = Annotated[Raw, Meta(extra_json_schema={"x-type": "money"})]
Price = Annotated[Raw, Meta(extra_json_schema={"x-type": "price"})]
Instant = Annotated[Raw, Meta(extra_json_schema={"x-type": "instant"})]

DeviceType = Literal["mobile", "desktop", "tablet", "bot", "other"]


def _says(description: str, *examples: Any, pii: str = "no") -> Meta:
    """What the field dictionary says of a field; pii: what it tells of a person and what is done about it."""
    return Meta(description=description, examples=list(examples), extra_json_schema={"x-pii": pii})


class WireDevice(Struct, gc=False):
    type: Annotated[
        DeviceType | None,
        _says("kind of device; where absent, told from the user agent", "mobile"),
    ] = None


class WireConsent(Struct, gc=False):
    analytics: Annotated[ConsentState | None, _says("may the visit be measured; absent is unknown", "granted")] = None
    marketing: Annotated[ConsentState | None, _says("may click ids be kept; absent is unknown", "denied")] = None


class WireItem(Struct, gc=False):
    product_id: Annotated[ShopId | None, _says("the shop's product", "sku-1042")] = None
    name: Annotated[Text | None, _says("name of the product", "Mechanical keyboard")] = None
    category: Annotated[Text | None, _says("its category", "keyboards")] = None
    variant: Annotated[Text | None, _says("its variant", "black")] = None
    price: Annotated[Price, _says("unit price after the item's discount, not negative", "89.90", 89.9)] = ABSENT
    qty: Annotated[Quantity | None, _says("how many; absent is 1", 2)] = None
    discount: Annotated[Money, _says("discount on the item", "10")] = ABSENT
    list_name: Annotated[Text | None, _says("list in which it was shown", "search results")] = None
    position: Annotated[Count | None, _says("place in that list", 3)] = None


class WireEcom(WireItem, gc=False):
    currency: Annotated[Currency | None, _says("ISO 4217, of the price", "EUR")] = None


class WireProps(Struct, gc=False):
    """The known keys of props. Every other key is the shop's own."""

    search_query: Annotated[
        Text | None, _says("what was searched for", "usb c hub", pii="may hold personal data: scrubbed")
    ] = None
    results_count: Annotated[Count | None, _says("number of results", 12)] = None
    link_url: Annotated[
        Url | None,
        _says("target of a click", "https://shop.example/sale", pii="query reduced to the allow-list"),
    ] = None
    element_id: Annotated[Text | None, _says("element clicked", "buy-now")] = None
    engaged_ms: Annotated[
        Milliseconds | None, _says("milliseconds in the foreground of this page view so far", 15000)
    ] = None
    scroll_pct: Annotated[Percent | None, _says("deepest scroll in percent", 75)] = None
    page_kind: Annotated[Text | None, _says("home, list, product, cart, checkout or your own", "product")] = None
    user_age: Annotated[Age | None, _says("age in years", 35, pii="personal: dropped unless the shop turns it on")] = (
        None
    )


class WireEvent(Struct, gc=False):
    event_type: Annotated[EventTypeName | None, _says("what happened; the only required field", "view_item")] = None
    event_id: Annotated[
        EventId | None,
        _says(
            "idempotency key, kept by a retry; absent: a keyed hash of the event's content",
            "0b5f6ac0-6f53-4b0e-9a3f-6f1c2d3e4f50",
        ),
    ] = None
    ts: Annotated[
        Instant,
        _says("when it happened by the browser's clock; unreadable never refuses", "2026-05-01T12:00:00.123Z"),
    ] = ABSENT
    sent_at: Annotated[
        Instant,
        _says("when this attempt was sent; the event's own beats the envelope's", "2026-05-01T12:00:01.000Z"),
    ] = ABSENT
    anonymous_id: Annotated[
        VisitorId | None,
        _says("the browser, only after consent", "v-7f3a", pii="pseudonym: dropped without consent"),
    ] = None
    session_hint: Annotated[
        ShopId | None,
        _says("the sender's own session; a hint only", "s-1", pii="pseudonym: dropped without consent"),
    ] = None
    session_id: Annotated[
        ShopId | None, _says("another name of session_hint", "s-1", pii="pseudonym: dropped without consent")
    ] = None
    page_view_id: Annotated[
        ShopId | None, _says("the page view it belongs to", "p-9", pii="pseudonym: dropped without consent")
    ] = None
    page_url: Annotated[
        Url | None,
        _says("the page", "https://shop.example/p/1042", pii="query reduced to the allow-list, fragment dropped"),
    ] = None
    page_title: Annotated[Text | None, _says("its title", "Mechanical keyboard", pii="dropped without consent")] = None
    referrer: Annotated[
        Url | None,
        _says("where the visitor came from", "https://www.google.com/", pii="host only without consent"),
    ] = None
    device: Annotated[WireDevice | None, _says("the device")] = None
    ecom: Annotated[WireEcom | None, _says("the one-product form: becomes items[0] where items is absent or empty")] = (
        None
    )
    items: Annotated[Annotated[list[WireItem], Meta(max_length=MAX_ITEMS)] | None, _says("products concerned")] = None
    order_id: Annotated[ShopId | None, _says("the shop's order", "A-1001", pii="links to the shop's order")] = None
    refund_id: Annotated[ShopId | None, _says("the shop's refund", "R-17", pii="links to the shop's refund")] = None
    value: Annotated[Money, _says("goods after all discounts, without tax and shipping", "179.80", 179.8)] = ABSENT
    tax: Annotated[Money, _says("tax", "34.16")] = ABSENT
    shipping: Annotated[Money, _says("shipping", "4.90")] = ABSENT
    discount: Annotated[Money, _says("discount on the order", "20")] = ABSENT
    currency: Annotated[Currency | None, _says("ISO 4217; absent is the shop's", "EUR")] = None
    coupon: Annotated[Text | None, _says("coupon", "SPRING")] = None
    props: Annotated[dict[str, Any] | None, _says("known properties and up to 20 keys of your own")] = None
    consent: Annotated[WireConsent | None, _says("what the visitor agreed to")] = None
    sdk: Annotated[Text | None, _says("name and version of the sender", "clicklake-js/1.0.0")] = None
    contract_version: Annotated[Version | None, _says("version of this contract", 1)] = None
    is_test: Annotated[bool | None, _says("true: a test event, counted nowhere", True)] = None


class WireFlatEvent(WireEvent, gc=False):
    """The older flat form's further keys; read only where the shop accepts that form."""

    timestamp: Annotated[Instant, _says("another name of ts", 1767225600)] = ABSENT
    user_action: Annotated[Text | None, _says("another name of props.page_kind", "product")] = None
    location: Annotated[Country | None, _says("another name of geo.country", "DE")] = None
    product_category: Annotated[Text | None, _says("another name of items[0].category", "laptops")] = None
    user_age: Annotated[
        Age | None, _says("another name of props.user_age", 35, pii="personal: dropped unless turned on")
    ] = None
    user_id: Annotated[
        Annotated[str, Meta(max_length=MAX_SHOP_ID_LENGTH)] | UserNumber | None,
        _says("the user, for test data", "user-17", pii="hashed before anything is written"),
    ] = None


class SegmentProduct(Struct, gc=False):
    product_id: ShopId | None = None
    name: Text | None = None
    category: Text | None = None
    variant: Text | None = None
    price: Price = ABSENT
    quantity: Quantity | None = None
    position: Count | None = None


class SegmentProperties(SegmentProduct, gc=False):
    products: Annotated[list[SegmentProduct], Meta(max_length=MAX_ITEMS)] | None = None
    order_id: ShopId | None = None
    refund_id: ShopId | None = None
    subtotal: Money = ABSENT
    revenue: Money = ABSENT
    total: Money = ABSENT
    tax: Money = ABSENT
    shipping: Money = ABSENT
    discount: Money = ABSENT
    currency: Currency | None = None
    coupon: Text | None = None
    query: Text | None = None
    url: Url | None = None
    title: Text | None = None
    referrer: Url | None = None


class SegmentPage(Struct, gc=False):
    url: Url | None = None
    title: Text | None = None
    referrer: Url | None = None


class SegmentLibrary(Struct, gc=False):
    name: Text | None = None
    version: Text | None = None


class SegmentContext(Struct, gc=False):
    page: SegmentPage | None = None
    library: SegmentLibrary | None = None


class SegmentMessage(Struct, gc=False):
    """A message as Segment's libraries send it. userId and traits are never read."""

    type: Literal["track", "page", "screen"] | None = None
    event: EventTypeName | None = None
    messageId: EventId | None = None
    anonymousId: VisitorId | None = None
    timestamp: Instant = ABSENT
    originalTimestamp: Instant = ABSENT
    sentAt: Instant = ABSENT
    properties: SegmentProperties | None = None
    context: SegmentContext | None = None
    consent: WireConsent | None = None
