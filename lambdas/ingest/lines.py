"""From decoded events to raw lines: consent, hashes, URLs, scrub, and what the request tells. Pure."""

from dataclasses import dataclass
from functools import lru_cache

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from clicklake.contract.consent import UnknownConsent, apply_consent
from clicklake.contract.event import Device, Event, Geo, Item, OwnProp, Props
from clicklake.contract.fallback_id import fallback_event_id
from clicklake.contract.raw import RawLine
from clicklake.contract.reasons import Reason, Refusal
from lambdas.ingest.identity import HashKeys, is_uuid
from lambdas.ingest.rejected import excerpt, redacted_json
from lambdas.ingest.scrub import scrub_code, scrub_text
from lambdas.ingest.urls import reduce_url
from lambdas.ingest.viewer import Viewer

encode_lines = msgspec.json.Encoder().encode_lines


@dataclass(frozen=True, slots=True)
class Rules:
    """What the shop decided about its visitors' data."""

    keys: HashKeys
    search_parameters: frozenset[str]
    unknown_consent: UnknownConsent
    collect_user_age: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What all lines of a request have in common. `user_id` is hashed already."""

    ingest_id: str
    received_at: int
    viewer: Viewer
    user_id: str | None
    sent_at: int | None = None


def event_id_of(event: Event, raw: bytes | Raw, keys: HashKeys) -> str:
    """The event's own id, or one made from what was sent; never a random one."""
    if event.event_id is None:
        return fallback_event_id(raw, keys.first)
    return clean_id(event.event_id, keys)


def accepted_line(
    event: Event, batch: Batch, rules: Rules, *, position: int, event_id: str, maybe_repeat: bool
) -> RawLine:
    """The line of an event the contract accepts. Nothing personal is in it beyond what consent allows."""
    viewer = batch.viewer
    agent = viewer.agent
    keys = rules.keys
    user_id = batch.user_id
    anonymous_id = event.anonymous_id
    if event.user_id is not None:
        # Only the older flat form brings one. It has no other visitor than its user.
        flat_user = keys.hash_user(event.user_id)
        user_id = user_id or flat_user
        event = replace(event, anonymous_id=anonymous_id or f"u:{flat_user}")
    event = apply_consent(event, rules.unknown_consent)
    is_consented = event.consent.analytics == "granted"
    anonymous_id = event.anonymous_id
    device = event.device or (Device(agent.device_type) if agent.device_type else None)
    is_bot, bot_reasons = agent.is_bot, agent.bot_reasons
    if not is_bot and device is not None and device.type == "bot" and viewer.origin == "browser":
        is_bot, bot_reasons = True, ("device_type",)
    search_parameters = rules.search_parameters
    return RawLine(
        ingest_id=batch.ingest_id,
        position=position,
        received_at=batch.received_at,
        verdict="accepted",
        origin=viewer.origin,
        is_bot=is_bot,
        bot_reasons=bot_reasons,
        maybe_repeat=maybe_repeat,
        is_test=event.is_test,
        browser=agent.browser,
        os=agent.os,
        contract_version=event.contract_version,
        sdk=event.sdk and scrub_code(event.sdk),
        event_id=event_id,
        ts=event.ts,
        sent_at=batch.sent_at if event.sent_at is None else event.sent_at,
        event_type=event.event_type,
        anonymous_id=anonymous_id and clean_id(anonymous_id, keys),
        session_hint=event.session_hint and clean_id(event.session_hint, keys),
        page_view_id=event.page_view_id and clean_id(event.page_view_id, keys),
        user_id=user_id if is_consented else None,
        page_url=event.page_url and reduce_url(event.page_url, search_parameters),
        page_title=event.page_title and scrub_text(event.page_title),
        referrer=event.referrer and reduce_url(event.referrer, search_parameters),
        device=device,
        geo=event.geo or _edge_geo(viewer.country, viewer.city if is_consented else None),
        items=event.items and tuple([_clean_item(item, keys) for item in event.items]),
        order_id=event.order_id and clean_id(event.order_id, keys),
        refund_id=event.refund_id and clean_id(event.refund_id, keys),
        value=event.value,
        tax=event.tax,
        shipping=event.shipping,
        discount=event.discount,
        currency=event.currency,
        coupon=event.coupon and scrub_code(event.coupon),
        props=event.props and _clean_props(event.props, rules),
        consent=event.consent,
    )


def rejected_line(
    refusal: Refusal, raw: bytes | Raw, batch: Batch, rules: Rules, *, position: int
) -> RawLine:
    """The line of an event, or of a whole body, that was refused: why, and what may be kept of it."""
    sent = bytes(raw)
    is_granted_by_default = rules.unknown_consent == "granted"
    text = length = sha256 = None
    if refusal.reason is not Reason.TOO_LARGE:
        text = redacted_json(sent, rules.keys, rules.search_parameters, is_granted_by_default)
    if text is None:
        kept = excerpt(sent)
        text, length, sha256 = kept.text, kept.length, kept.sha256
    return RawLine(
        ingest_id=batch.ingest_id,
        position=position,
        received_at=batch.received_at,
        verdict="rejected",
        origin=batch.viewer.origin,
        reason=str(refusal.reason),
        # A field may be named by the sender: props.<their key>.
        field=refusal.field and scrub_text(refusal.field),
        text=text,
        length=length,
        sha256=sha256,
    )


def clean_id(text: str, keys: HashKeys) -> str:
    """Ids stay as they are, because others refer to them; one with an address, a phone or card number in
    it is replaced by its keyed hash, which still tells equal from different."""
    if is_uuid(text) or scrub_code(text) == text:
        return text
    return keys.replace_id(text)


@lru_cache(maxsize=1024)
def _edge_geo(country: str | None, city: str | None) -> Geo | None:
    return Geo(country, city) if country or city else None


# An item's texts may have 10 KB, so few are kept.
@lru_cache(maxsize=1024)
def _clean_item(item: Item, keys: HashKeys) -> Item:
    return replace(
        item,
        product_id=item.product_id and clean_id(item.product_id, keys),
        name=item.name and scrub_text(item.name),
        category=item.category and scrub_text(item.category),
        variant=item.variant and scrub_text(item.variant),
        list_name=item.list_name and scrub_text(item.list_name),
    )


def _clean_props(props: Props, rules: Rules) -> Props | None:
    link_url = props.link_url
    cleaned = Props(
        search_query=props.search_query and scrub_text(props.search_query),
        results_count=props.results_count,
        link_url=link_url and reduce_url(link_url, rules.search_parameters),
        element_id=props.element_id and scrub_code(props.element_id),
        engaged_ms=props.engaged_ms,
        scroll_pct=props.scroll_pct,
        page_kind=props.page_kind and scrub_text(props.page_kind),
        user_age=props.user_age if rules.collect_user_age else None,
        own=props.own and _clean_own(props.own, rules.search_parameters),
    )
    return None if cleaned == _NO_PROPS else cleaned


_NO_PROPS = Props()


def _clean_own(own: tuple[OwnProp, ...], search_parameters: frozenset[str]) -> tuple[OwnProp, ...]:
    cleaned = [OwnProp(scrub_text(prop.key), _clean_value(prop.value, search_parameters)) for prop in own]
    # A scrubbed key may have moved.
    return tuple(sorted(cleaned, key=lambda prop: prop.key))


def _clean_value(value: str, search_parameters: frozenset[str]) -> str:
    is_url = value.startswith(("http://", "https://"))
    return scrub_text(reduce_url(value, search_parameters) if is_url else value)
