"""Why an event, a line or a body is refused. A refusal is a value: nothing here is ever raised."""

from enum import StrEnum

from msgspec import Struct


class Reason(StrEnum):
    """The codes a sender sees in the answer and an analyst sees in quarantine; never renamed."""

    NOT_JSON = "not_json"
    BAD_UTF8 = "bad_utf8"
    BAD_GZIP = "bad_gzip"
    BAD_BASE64 = "bad_base64"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    MISSING_EVENT_TYPE = "missing_event_type"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    WRONG_TYPE = "wrong_type"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    BAD_FORMAT = "bad_format"
    UNKNOWN_VALUE = "unknown_value"
    NOT_AN_INTEGER = "not_an_integer"
    OUT_OF_RANGE = "out_of_range"
    NOT_MONEY = "not_money"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_MANY_ITEMS = "too_many_items"
    TOO_MANY_PROPS = "too_many_props"


MEANING: dict[Reason, str] = {
    Reason.NOT_JSON: "the body, the NDJSON line or the element is not RFC 8259 JSON (no NaN, no comments)",
    Reason.BAD_UTF8: "a text is not UTF-8",
    Reason.BAD_GZIP: "the body begins like gzip but does not inflate (given by the ingest function)",
    Reason.BAD_BASE64: "the gateway's base64 does not decode (given by the ingest function)",
    Reason.NOT_AN_OBJECT: "an event is a JSON object; this is a list, text, number, true, false or null",
    Reason.TOO_LARGE: "the event has more than 32 KB",
    Reason.TOO_DEEP: "brackets are nested too deeply",
    Reason.MISSING_EVENT_TYPE: "no event_type (or, in a Segment message, no type or event)",
    Reason.UNKNOWN_EVENT_TYPE: "event_type is neither a canonical type nor an alias; use custom for your own",
    Reason.WRONG_TYPE: "a value of another JSON type than the field's",
    Reason.EMPTY: "an empty text where one is needed",
    Reason.TOO_LONG: "a text longer than the field's limit",
    Reason.BAD_FORMAT: "a text that does not match the field's pattern",
    Reason.UNKNOWN_VALUE: "a text that is not among the field's values",
    Reason.NOT_AN_INTEGER: "a number with decimals where a whole number is needed (2.0 is 2)",
    Reason.OUT_OF_RANGE: "a number outside the field's range",
    Reason.NOT_MONEY: "neither a number nor a text in plain decimal notation",
    Reason.TOO_MANY_DECIMALS: "money with more than four significant decimals",
    Reason.TOO_MANY_ITEMS: "more than 200 items",
    Reason.TOO_MANY_PROPS: "more than 20 own keys in props",
}


class Refusal(Struct, frozen=True, gc=False):
    """What was wrong, and where: `field` is a dotted path such as `items[0].price`, None for the whole."""

    reason: Reason
    field: str | None = None
