"""Raw lines to typed rows: the event's columns, or the reason why the line is refused."""

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from glue_jobs.tables import ITEM_TYPES, MONEY
from glue_jobs.transforms.behaviour import REASONS as BEHAVIOURS
from glue_jobs.transforms.behaviour import reasons
from glue_jobs.transforms.json_lines import CORRUPT, with_corrupt
from glue_jobs.transforms.place_in_time import DAY_MS

# As the contract writes money: plain decimal notation, at most 12 digits before the point and 4 after.
MONEY_PATTERN = r"^-?\d{1,12}(\.\d{1,4})?$"
MAX_MONEY = Decimal("999999999999.9999")
# Instants from year 1 to 9999, in milliseconds: wider ones overflow timestamps.
FIRST_MS, LAST_MS = -62_135_596_800_000, 253_402_300_799_999
# A gateway's clock is right: what it cannot have received (before 1970, after 2199) is no raw line of ours.
LAST_RECEIVED_MS = 7_258_118_399_999

_TEXT_FIELDS = [
    "event_id",
    "event_type",
    "user_id",
    "page_view_id",
    "session_hint",
    "page_url",
    "page_title",
    "referrer",
    "browser",
    "os",
    "order_id",
    "refund_id",
    "coupon",
    "origin",
    "sdk",
]
_MONEY_FIELDS = ("value", "tax", "shipping", "discount")
_PROPS = [
    "search_query",
    "results_count",
    "link_url",
    "element_id",
    "scroll_pct",
    "page_kind",
    "user_age",
]


def parse(lines: DataFrame, raw_line_schema: StructType, shop_currency: str) -> DataFrame:
    """One row per line: the columns of an event as sent, and `reason` and `field` where it is refused.

    `lines` has object, object_date, line, raw_line, fault, and parsed (see raw_objects.read_lines); line 0, which
    tells of the object, passes through. A line that is no JSON gets its identity from
    its text, so that a copy of it is known as a copy. Times are still numbers: received_ms, sent_ms, ts_ms.
    """
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    read_here = F.from_json("raw_line", with_corrupt(raw_line_schema), options)
    parsed = lines.withColumn("r", F.coalesce("parsed", read_here)).drop("parsed")
    is_corrupt = F.col("fault").isNotNull() | F.col("r").isNull() | F.col(f"r.{CORRUPT}").isNotNull()
    has_identity = F.col("r.ingest_id").isNotNull() & F.col("r.position").isNotNull()
    text_id = F.concat(F.lit("text:"), F.sha2(F.col("raw_line"), 256))
    missing = _first_missing("ingest_id", "position", "received_at", "verdict")
    is_accepted = F.col("r.verdict") == "accepted"
    missing_of_event = _first_missing("event_id", "event_type")
    drift = _drifted_field()
    verdict = (
        F.when(F.col("fault").isNotNull(), _refused(F.col("fault")))
        .when(is_corrupt & ~has_identity, _refused(F.lit("not_json")))
        .when(is_corrupt, _refused(F.lit("type_drift")))
        .when(missing.isNotNull(), _refused(F.lit("not_a_raw_line"), missing))
        .when(
            F.col("r.verdict") == "rejected",
            _refused(F.coalesce(F.col("r.reason"), F.lit("rejected")), F.col("r.field")),
        )
        .when(~is_accepted, _refused(F.lit("type_drift"), F.lit("verdict")))
        .when(missing_of_event.isNotNull(), _refused(F.lit("not_a_raw_line"), missing_of_event))
        .when(drift.isNotNull(), _refused(F.lit("type_drift"), drift))
    )
    # No page is in the foreground for longer than a day.
    engaged_ms = F.col("r.props.engaged_ms")
    in_range = F.col("r.received_at").between(0, LAST_RECEIVED_MS)
    return parsed.withColumn("v", verdict).select(
        "object",
        "object_date",
        "line",
        "raw_line",
        "fault",
        F.col("v.reason").alias("reason"),
        F.col("v.field").alias("field"),
        F.when(in_range, F.col("r.received_at")).alias("received_ms"),
        # Refused lines go on to the clock as well: a number out of range would overflow there.
        F.when(F.col("r.sent_at").between(FIRST_MS, LAST_MS), F.col("r.sent_at")).alias("sent_ms"),
        F.when(F.col("r.ts").between(FIRST_MS, LAST_MS), F.col("r.ts")).alias("ts_ms"),
        F.when(has_identity, F.col("r.ingest_id")).otherwise(text_id).alias("ingest_id"),
        F.when(has_identity, F.col("r.position")).otherwise(F.lit(0)).alias("position"),
        *(F.col(f"r.{name}").alias(name) for name in _TEXT_FIELDS),
        F.col("r.anonymous_id").alias("visitor_id"),
        F.col("r.device.type").alias("device_type"),
        F.col("r.geo.country").alias("country"),
        F.col("r.geo.city").alias("city"),
        _items().alias("items"),
        *(F.col(f"r.{name}").cast(MONEY).alias(name) for name in _MONEY_FIELDS),
        F.coalesce(F.col("r.currency"), F.when(_has_money(), F.lit(shop_currency))).alias("currency"),
        *(F.col(f"r.props.{name}").alias(name) for name in _PROPS),
        F.when(engaged_ms > DAY_MS, DAY_MS).otherwise(engaged_ms).alias("engaged_ms"),
        F.col("r.props.own").alias("own_props"),
        F.col("r.consent.analytics").alias("consent_analytics"),
        F.col("r.consent.marketing").alias("consent_marketing"),
        F.coalesce(F.col("r.is_bot"), F.lit(False)).alias("is_bot"),
        # What a visit's behaviour says is the job's own to say.
        F.when(F.col("r.is_bot"), F.array_except(F.coalesce("r.bot_reasons", reasons()), reasons(*BEHAVIOURS)))
        .otherwise(reasons())
        .alias("bot_reasons"),
        F.coalesce(F.col("r.maybe_repeat"), F.lit(False)).alias("maybe_repeat"),
        F.coalesce(F.col("r.is_test"), F.lit(False)).alias("is_test"),
        F.col("r.contract_version").alias("contract_version"),
    )


def _refused(reason: Column, field: Column | None = None) -> Column:
    return F.struct(reason.alias("reason"), (F.lit(None) if field is None else field).cast("string").alias("field"))


def _first_missing(*names: str) -> Column:
    return F.coalesce(*(F.when(F.col(f"r.{name}").isNull(), F.lit(name)) for name in names))


def _drifted_field() -> Column:
    """Name of the first field whose value cannot become its column's type; null if there is none."""
    checks = [F.when(~F.col(f"r.{name}").rlike(MONEY_PATTERN), F.lit(name)) for name in _MONEY_FIELDS]
    checks.append(F.when(F.exists("r.items", lambda i: ~i["price"].rlike(MONEY_PATTERN)), F.lit("items.price")))
    checks.append(F.when(F.exists("r.items", lambda i: ~i["discount"].rlike(MONEY_PATTERN)), F.lit("items.discount")))
    checks.append(F.when(_items_value() > MAX_MONEY, F.lit("items")))
    checks.append(F.when(~F.col("r.received_at").between(0, LAST_RECEIVED_MS), F.lit("received_at")))
    for name in ("ts", "sent_at"):
        checks.append(F.when(~F.col(f"r.{name}").between(FIRST_MS, LAST_MS), F.lit(name)))
    return F.coalesce(*checks)


def _items_value() -> Column:
    """What the priced items come to, in either sense; null without items."""
    # As SQL text: Python asks the JVM for every piece of an expression.
    value = f"abs(coalesce(cast(item.price as {MONEY}) * coalesce(item.qty, 1), 0))"
    return F.expr(
        f"aggregate(r.items, cast(0 as decimal(38,4)), (total, item) -> cast(total + {value} as decimal(38,4)))"
    )


def _items() -> Column:
    return F.transform(
        "r.items", lambda item: F.struct(*(item[name].cast(kind).alias(name) for name, kind in ITEM_TYPES.items()))
    )


def _has_money() -> Column:
    is_priced = F.coalesce(F.exists("r.items", lambda item: item["price"].isNotNull()), F.lit(False))
    return F.coalesce(*(F.col(f"r.{name}") for name in _MONEY_FIELDS)).isNotNull() | is_priced
