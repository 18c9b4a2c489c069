"""From events to raw lines: what the request tells, consent, hashes, URLs, scrub. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from clicklake.contract.consent import UnknownConsent, apply_consent
from clicklake.contract.decode import fill_event, read_text
from clicklake.contract.event import Device, Geo, Item, OwnProp, Props
from clicklake.contract.fallback_id import fallback_event_id
from clicklake.contract.limits import MAX_EVENT_BYTES
from clicklake.contract.memo import Memo
from clicklake.contract.raw import DraftLine, RawLine
from clicklake.contract.reasons import Refusal
from clicklake.contract.usual import UsualLine, usual_line
from lambdas.ingest.identity import HashKeys, is_impersonal
from lambdas.ingest.rejected import excerpt, redacted_json
from lambdas.ingest.scrub import scrub_code, scrub_product, scrub_text
from lambdas.ingest.urls import NO_CLICK_IDS, is_url, reduce_url
from lambdas.ingest.viewer import Viewer

encode_lines = msgspec.json.Encoder().encode_lines


@dataclass(frozen=True, slots=True)
class Rules:
    """What the shop decided about its visitors' data. `ids` and `urls` remember what it means for
    them, `plain_urls` for the URLs of visitors who do not consent to marketing."""

    keys: HashKeys
    search_parameters: frozenset[str]
    unknown_consent: UnknownConsent
    collect_user_age: bool
    accept_flat: bool = False
    ids: Memo[str] = field(init=False, repr=False, compare=False)
    urls: Memo[str] = field(init=False, repr=False, compare=False)
    plain_urls: Memo[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", Memo(lambda text: clean_id(text, self.keys)))
        object.__setattr__(self, "urls", Memo(lambda url: reduce_url(url, self.search_parameters)))
        object.__setattr__(self, "plain_urls", Memo(lambda url: reduce_url(url, self.search_parameters, NO_CLICK_IDS)))


@dataclass(frozen=True, slots=True)
class Batch:
    """What all lines of a request have in common. `user_id` is hashed already."""

    ingest_id: str
    received_at: int
    viewer: Viewer
    user_id: str | None


def accepted_lines(
    batch: Batch, rules: Rules, sent_at: int | None
) -> Callable[[bytes | Raw | DraftLine, int], DraftLine | Refusal]:
    """Makes the line of each of the batch's events that the contract accepts, from the event as read_events
    gives it and its position.

    `sent_at` is the envelope's. Nothing personal is in a line beyond what consent allows.
    """
    viewer, agent = batch.viewer, batch.viewer.agent
    device = Device(agent.device_type) if agent.device_type else None
    geo = Geo(viewer.country, viewer.city) if viewer.country or viewer.city else None
    may_be_bot = not agent.is_bot and viewer.origin == "browser"
    keys, unknown_consent, accept_flat = rules.keys, rules.unknown_consent, rules.accept_flat
    ids = rules.ids

    def accepted_line(event: bytes | Raw | DraftLine, position: int) -> DraftLine | Refusal:
        line = event if isinstance(event, UsualLine) else read_line(event)
        if isinstance(line, Refusal):
            return line
        # What the request tells: the event says the rest, or knows better.
        line.ingest_id = batch.ingest_id
        line.position = position
        line.received_at = batch.received_at
        line.verdict = "accepted"
        line.origin = viewer.origin
        line.is_bot = agent.is_bot
        line.bot_reasons = agent.bot_reasons
        line.maybe_repeat = False
        if not line.is_test:
            line.is_test = False
        line.browser = agent.browser
        line.os = agent.os
        if line.sent_at is None:
            line.sent_at = sent_at
        if line.device is None:
            line.device = device
        if line.geo is None:
            line.geo = geo
        if line.is_flat:
            _hash_user(line, batch.user_id, keys)
        else:
            line.user_id = batch.user_id

        line = apply_consent(line, unknown_consent)
        if line.is_flat:
            line.is_flat = False
        urls = rules.urls if line.consent.marketing == "granted" else rules.plain_urls
        if may_be_bot and line.device is not None and line.device.type == "bot":
            line.is_bot, line.bot_reasons = True, ("device_type",)

        if line.event_id is None:
            line.event_id = fallback_event_id(event, keys.first)
        elif not is_impersonal(line.event_id):
            line.event_id = clean_id(line.event_id, keys)
        if line.anonymous_id is not None:
            line.anonymous_id = ids[line.anonymous_id]
        if line.session_hint is not None:
            line.session_hint = ids[line.session_hint]
        if line.page_view_id is not None:
            line.page_view_id = ids[line.page_view_id]
        if line.page_url is not None:
            line.page_url = urls[line.page_url] or None
        if line.page_title is not None:
            line.page_title = scrub_text(line.page_title)
        if line.referrer is not None:
            line.referrer = urls[line.referrer] or None
        if line.items is not None:
            for item in line.items:
                _clean_item(item, ids)
        if line.order_id is not None:
            line.order_id = ids[line.order_id]
        if line.refund_id is not None:
            line.refund_id = ids[line.refund_id]
        if line.coupon is not None:
            line.coupon = scrub_code(line.coupon)
        if line.props is not None:
            line.props = _clean_props(line.props, urls, rules.collect_user_age)
        if line.sdk is not None:
            line.sdk = scrub_code(line.sdk)
        return line

    def read_line(raw: bytes | Raw) -> DraftLine | Refusal:
        text = read_text(raw)
        if isinstance(text, Refusal):
            return text
        if not accept_flat and (usual := usual_line(text)) is not None:
            return usual
        line = DraftLine()
        return fill_event(line, text, accept_flat=accept_flat) or line

    return accepted_line


def _hash_user(line: DraftLine, verified_user: str | None, keys: HashKeys) -> None:
    """The user of an event in the older flat form, who has no other visitor id; a verified one beats it."""
    sent_user, line.user_id = line.user_id, verified_user
    if sent_user is not None:
        hashed = keys.hash_user(sent_user)
        line.user_id = verified_user or hashed
        line.anonymous_id = line.anonymous_id or f"u:{hashed}"


def rejected_line(refusal: Refusal, raw: bytes | Raw, batch: Batch, rules: Rules, *, position: int) -> RawLine:
    """The line of an event, or of a whole body, that was refused: why, and what may be kept of it."""
    sent = bytes(raw)
    is_granted_by_default = rules.unknown_consent == "granted"
    text = length = sha256 = None
    # Bodies too come here, of any size: as objects, 16 MB of {} take a gigabyte.
    if len(sent) <= MAX_EVENT_BYTES:
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
    if is_impersonal(text) or scrub_code(text) == text:
        return text
    return keys.replace_id(text)


def _clean_item(item: Item, ids: Memo[str]) -> None:
    if item.product_id is not None:
        item.product_id = ids[item.product_id]
    if item.name is not None:
        item.name = scrub_product(item.name)
    if item.category is not None:
        item.category = scrub_product(item.category)
    if item.variant is not None:
        item.variant = scrub_product(item.variant)
    if item.list_name is not None:
        item.list_name = scrub_product(item.list_name)


def _clean_props(props: Props, urls: Memo[str], collect_user_age: bool) -> Props | None:
    is_less = False
    if props.search_query is not None:
        props.search_query = scrub_product(props.search_query)
    if props.link_url is not None:
        props.link_url = urls[props.link_url] or None
        is_less = props.link_url is None
    if props.element_id is not None:
        props.element_id = scrub_code(props.element_id)
    if props.page_kind is not None:
        props.page_kind = scrub_text(props.page_kind)
    if props.own is not None:
        props.own = _clean_own(props.own, urls)
    if props.user_age is not None and not collect_user_age:
        props.user_age = None
        is_less = True
    return None if is_less and props == type(props)() else props


def _clean_own(own: tuple[OwnProp, ...], urls: Memo[str]) -> tuple[OwnProp, ...]:
    cleaned = [OwnProp(scrub_text(prop.key), _clean_value(prop.value, urls)) for prop in own]
    # A scrubbed key may have moved.
    return tuple(sorted(cleaned, key=lambda prop: prop.key))


def _clean_value(value: str, urls: Memo[str]) -> str:
    return scrub_text(urls[value] if is_url(value) else value)
