"""The raw line: what the ingest function writes and the refresh reads. Absent is null."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from clicklake.contract.event import Consent, Device, Geo, Item, Props

# Integers are int in Spark unless they say otherwise here.
Long = Annotated[int, Meta(extra_json_schema={"x-spark": "long"})]


class RawLine(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One event or one refusal. Instants are epoch milliseconds, money is canonical text.

    A refused line has reason, field and text (the event, scrubbed); where nothing could be read
    also the length in bytes and the sha256 of what came.
    """

    ingest_id: str | None = None
    position: int | None = None
    received_at: Long | None = None
    verdict: Literal["accepted", "rejected"] | None = None
    origin: Literal["browser", "server", "import"] | None = None
    is_bot: bool | None = None
    bot_reasons: tuple[str, ...] | None = None
    maybe_repeat: bool | None = None
    is_test: bool | None = None
    browser: str | None = None
    os: str | None = None
    contract_version: int | None = None
    sdk: str | None = None
    event_id: str | None = None
    ts: Long | None = None
    sent_at: Long | None = None
    event_type: str | None = None
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
    consent: Consent | None = None
    reason: str | None = None
    field: str | None = None
    text: str | None = None
    length: int | None = None
    sha256: str | None = None


class DraftLine(RawLine, gc=False):
    """A line that is being made: user_id may still be in the clear, and is_flat is set back before it is written."""

    is_flat: bool = False
