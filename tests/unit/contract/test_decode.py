import json
from typing import Any

import msgspec
import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.event import Consent, Device, Event, Geo, Item, OwnProp, Props
from clicklake.contract.names import CANONICAL, VIEW
from clicklake.contract.reasons import Reason, Refusal


def decode(event: Any, *, accept_flat: bool = False) -> Event | Refusal:
    text = event if isinstance(event, bytes) else json.dumps(event).encode()
    return decode_event(text, accept_flat=accept_flat)


@pytest.mark.parametrize(("sent", "canonical"), [pair for pair in CANONICAL.items() if pair[0] != VIEW])
def test_a_name_gives_its_canonical_type(sent: str, canonical: str) -> None:
    assert decode({"event_type": sent}) == Event(event_type=canonical)


@pytest.mark.parametrize(
    ("product", "canonical"),
    [
        ({}, "page_view"),
        ({"items": []}, "page_view"),
        ({"items": [{"category": "keyboards"}]}, "page_view"),
        ({"ecom": {"product_id": "a"}}, "view_item"),
        ({"items": [{"name": "Keyboard"}]}, "view_item"),
    ],
)
def test_view_is_of_an_item_where_a_product_is_given(product: dict[str, Any], canonical: str) -> None:
    event = decode({"event_type": "view", **product})
    assert isinstance(event, Event) and event.event_type == canonical


def test_the_one_product_form_becomes_the_only_item() -> None:
    ecom = {"product_id": "a", "category": "c", "currency": "eur", "price": 12.50, "qty": 2.0}
    event = decode({"event_type": "view_item", "ecom": ecom})
    assert isinstance(event, Event)
    assert event.items == (Item(product_id="a", category="c", price="12.5", qty=2),)
    assert event.currency == "EUR"


def test_items_beat_the_one_product_form() -> None:
    event = decode({"event_type": "view_item", "items": [{"product_id": "a"}], "ecom": {"product_id": "b"}})
    assert isinstance(event, Event) and event.items == (Item(product_id="a", qty=1),)


def test_own_keys_become_texts_sorted_by_key() -> None:
    props = {
        "z": "x",
        "b": 1.0,
        "a": True,
        "c": 0.5,
        "d": 2**60,
        "e": None,
        "__proto__": "p",
        "scroll_pct": 50,
    }
    event = decode({"event_type": "custom", "props": props})
    own = {"__proto__": "p", "a": "true", "b": "1", "c": "0.5", "d": str(2**60), "z": "x"}
    assert isinstance(event, Event)
    assert event.props == Props(scroll_pct=50, own=tuple(OwnProp(k, v) for k, v in own.items()))


def test_the_older_flat_form_is_read_where_it_is_accepted() -> None:
    sent = {
        "event_type": "click",
        "user_id": 17,
        "timestamp": "1767225600",
        "user_action": "product",
        "location": "de",
        "user_age": 35.0,
        "product_category": "laptops",
    }
    assert decode(sent, accept_flat=True) == Event(
        event_type="click",
        ts=1767225600000,
        user_id="17",
        geo=Geo("DE"),
        items=(Item(category="laptops", qty=1),),
        props=Props(page_kind="product", user_age=35),
        is_flat=True,
    )
    assert decode(sent) == Event(event_type="click")


def test_a_user_id_without_the_flat_form_is_never_read() -> None:
    assert decode({"event_type": "click", "user_id": "ann"}, accept_flat=True) == Event(event_type="click")


def test_a_segment_order_becomes_a_purchase_of_goods() -> None:
    sent = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m-1",
        "anonymousId": "a-1",
        "userId": "never read",
        "originalTimestamp": "2026-05-01T12:00:00Z",
        "timestamp": "2026-05-01T12:00:05Z",
        "sentAt": "2026-05-01T12:00:01Z",
        "context": {
            "page": {"url": "https://s.example/x"},
            "library": {"name": "analytics.js", "version": "2"},
        },
        "properties": {
            "order_id": "o-1",
            "total": "12.50",
            "tax": 2,
            "shipping": "1",
            "currency": "usd",
            "products": [{"product_id": "p", "price": 4.75, "quantity": 2, "position": 1}],
        },
    }
    assert decode(sent) == Event(
        event_type="purchase",
        event_id="m-1",
        anonymous_id="a-1",
        ts=1777636800000,
        sent_at=1777636801000,
        page_url="https://s.example/x",
        sdk="analytics.js/2",
        order_id="o-1",
        value="9.5",
        tax="2",
        shipping="1",
        currency="USD",
        items=(Item(product_id="p", price="4.75", qty=2, position=1),),
    )


def test_missing_consent_is_unknown_and_missing_values_are_none() -> None:
    assert decode({"event_type": "login", "device": {}, "props": {}, "referrer": ""}) == Event(
        event_type="login", consent=Consent("unknown", "unknown"), device=None, props=None, referrer=None
    )
    event = decode({"event_type": "login", "device": {"type": "tablet"}, "consent": {"analytics": "denied"}})
    assert event == Event(event_type="login", device=Device("tablet"), consent=Consent("denied", "unknown"))


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"event_type": "x"}, "event_type"),
        ({"event_type": "click", "items": [{}, {"price": "a"}]}, "items[1].price"),
        ({"event_type": "click", "items": [{}, {"qty": 0}]}, "items[1].qty"),
        ({"event_type": "click", "ecom": {"price": -1}}, "ecom.price"),
        ({"event_type": "click", "device": {"type": "x"}}, "device.type"),
        ({"event_type": "click", "props": {"scroll_pct": 101}}, "props.scroll_pct"),
        ({"event_type": "click", "props": {"mine": []}}, "props.mine"),
        ({"type": "track", "event": "Product Viewed", "properties": {"price": -1}}, "properties.price"),
    ],
)
def test_a_refusal_names_the_field(event: Any, field: str) -> None:
    refusal = decode(event)
    assert isinstance(refusal, Refusal) and refusal.field == field


def test_10000_distinct_types_are_each_refused_alike() -> None:
    verdicts = {decode({"event_type": f"type_{n}"}) for n in range(10_000)}
    assert verdicts == {Refusal(Reason.UNKNOWN_EVENT_TYPE, "event_type")}


@pytest.mark.parametrize("depth", [1, 100, 199, 200, 201, 1_000, 16_000])
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_the_depth_that_is_refused_does_not_depend_on_the_stack(depth: int, brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    inner = depth - 1
    text = '{"event_type":"login","x":' + opening * inner + "1" + closing * inner + "}"
    if len(text) > 32_768:
        pytest.skip("too large to be judged by its depth")
    verdict = decode(text.encode())
    assert verdict == (Event(event_type="login") if depth <= 200 else Refusal(Reason.TOO_DEEP))


def test_many_brackets_side_by_side_are_no_depth() -> None:
    assert isinstance(decode({"event_type": "login", "x": [[{"a": [n]}] for n in range(300)]}), Event)


def test_many_broken_brackets_are_no_json() -> None:
    assert decode(b'{"event_type": "login", "x": [' + b"[}," * 150 + b"]}") == Refusal(Reason.NOT_JSON)


def test_brackets_within_texts_are_no_depth() -> None:
    assert isinstance(decode({"event_type": "login", "page_title": '["{\\"' * 300}), Event)


def test_raw_and_bytes_are_read_alike() -> None:
    text = b'{"event_type": "purchase", "value": 12.50}'
    assert decode(text) == decode_event(msgspec.Raw(text), accept_flat=False)


@pytest.mark.parametrize("text", [b'{"event_type":"login","page_title":"' + b"\\ud800" * 10 + b'"}'])
def test_half_an_emoji_costs_no_event(text: bytes) -> None:
    event = decode(text)
    assert isinstance(event, Event) and event.page_title == "\ufffd" * 10


def test_an_escaped_backslash_before_u0000_is_left_alone() -> None:
    event = decode(rb'{"event_type":"login","page_title":"\\u0000 \\\u0000"}')
    assert isinstance(event, Event) and event.page_title == "\\u0000 \\\ufffd"
