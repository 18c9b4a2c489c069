"""Orders and their refunds, from purchase and refund events."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from glue_jobs.tables import MONEY, ORDERS

ORDER_TYPES = ("purchase", "refund")


def order_key() -> Column:
    """The order an event with `goods` belongs to: its order_id; for a purchase without one, one made of its event_id.

    Null for events that are neither a purchase with money nor a refund with an order_id, and for tests.
    """
    is_purchase = (F.col("event_type") == "purchase") & F.col("goods").isNotNull()
    is_refund = (F.col("event_type") == "refund") & F.col("order_id").isNotNull()
    key = F.coalesce(F.col("order_id"), F.concat(F.lit("event:"), F.col("event_id")))
    return F.when((is_purchase | is_refund) & ~F.col("is_test"), key)


def goods_value() -> Column:
    """Goods after all discounts: value as sent, else the sum of price x qty less discount, at least 0.

    Null where neither a value nor a priced item was sent.
    """
    zero = f"cast(0 as {MONEY})"
    lines = """aggregate(
        filter(items, item -> item.price is not null),
        cast(0 as decimal(38,4)),
        (total, item) -> cast(total + cast(item.price * coalesce(item.qty, 1) as decimal(38,4)) as decimal(38,4))
    )"""
    net = f"({lines} - coalesce(discount, {zero}))"
    # Not greatest(): it passes over nulls, and a missing value would become 0.
    return F.expr(f"""coalesce(
        if(value < 0, {zero}, value),
        case when exists(items, item -> item.price is not null) then if({net} > 0, cast({net} as {MONEY}), {zero}) end
    )""")


def order_events(events: DataFrame) -> DataFrame:
    """Events that tell of orders, with `goods` (goods_value), `order_id` (order_key) and `sent_order_id`."""
    return (
        events.where(F.col("event_type").isin(*ORDER_TYPES))
        .withColumn("goods", goods_value())
        .withColumns({"sent_order_id": F.col("order_id"), "order_id": order_key()})
        .where(F.col("order_id").isNotNull())
    )


def build_orders(events: DataFrame) -> DataFrame:
    """Orders (tables.ORDERS) from every purchase and refund event of these orders, as order_events gives them.

    The earliest purchase by (occurred_at, event_id) is the order; others are repeats, and conflicts where
    value or currency differ. Refunds are deduplicated by refund_id (else event_id), the earliest counts,
    and together never exceed the order's value.
    """
    dates = events.groupBy("order_id").agg(F.array_sort(F.collect_set("event_date")).alias("event_dates"))
    purchases = _purchases(events.where(F.col("event_type") == "purchase"))
    refunds = _refunds(events.where(F.col("event_type") == "refund"), purchases)
    zero = F.lit(0).cast(MONEY)
    return (
        dates.join(purchases, on="order_id", how="left")
        .join(refunds, on="order_id", how="left")
        .withColumn("refunded", F.coalesce("refunded", zero))
        .withColumn("net_revenue", F.col("value") - F.col("refunded"))
        .withColumn("is_cancelled", (F.col("value") > 0) & (F.col("refunded") == F.col("value")))
        .select(*ORDERS.data_columns)
    )


def _purchases(purchases: DataFrame) -> DataFrame:
    order = Window.partitionBy("order_id")
    in_order = order.orderBy("occurred_at", "event_id", "ts_date")
    first = F.first(F.struct("goods", "currency")).over(in_order)
    differs = ~(F.struct("goods", "currency").eqNullSafe(F.col("first")))
    zero = F.lit(0).cast(MONEY)
    is_consented = F.col("consent_analytics").eqNullSafe("granted")
    money = {name: F.coalesce(F.col(name), zero) for name in ("tax", "shipping", "discount")}
    return (
        purchases.withColumns(
            {
                "number": F.row_number().over(in_order),
                "first": first,
                "repeats": (F.count(F.lit(1)).over(order) - 1).cast("int"),
            }
        )
        .withColumn("conflicts", F.sum(differs.cast("int")).over(order).cast("int"))
        .where(F.col("number") == 1)
        .select(
            "order_id",
            F.col("event_date").alias("order_date"),
            F.col("occurred_at").alias("ordered_at"),
            "event_id",
            "session_id",
            "visitor_id",
            "user_id",
            "currency",
            F.col("goods").alias("value"),
            *(value.alias(name) for name, value in money.items()),
            (F.col("goods") + money["tax"] + money["shipping"]).cast(MONEY).alias("gross_revenue"),
            "coupon",
            "items",
            F.col("is_bot").alias("is_bot"),
            is_consented.alias("is_consented"),
            F.col("sent_order_id").isNotNull().alias("has_order_id"),
            "repeats",
            "conflicts",
            "country",
            "country_name",
            "continent",
            "device_type",
        )
    )


def _refunds(refunds: DataFrame, purchases: DataFrame) -> DataFrame:
    """Per order the refunds, each with what it took off the goods, in order of time: in the order's currency."""
    key = F.coalesce(F.col("refund_id"), F.concat(F.lit("event:"), F.col("event_id")))
    same_refund = Window.partitionBy("order_id", "refund_key").orderBy("occurred_at", "event_id", "ts_date")
    so_far = (
        Window.partitionBy("order_id")
        .orderBy("occurred_at", "event_id", "ts_date")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    total = F.coalesce(F.col("order_value"), F.lit(0).cast(MONEY))
    # A refund without a value takes what remains; so does one that asks for more.
    wanted = F.coalesce(F.col("goods"), total).cast("decimal(38,4)")
    taken = F.least(F.sum(wanted).over(so_far), total)
    taken_before = F.least(F.sum(wanted).over(so_far) - wanted, total)
    refund = F.struct(
        F.col("refund_key").alias("refund_id"),
        F.col("event_id").alias("event_id"),
        F.col("occurred_at").alias("refunded_at"),
        F.col("event_date").alias("refund_date"),
        (taken - taken_before).cast(MONEY).alias("value"),
    )
    values = purchases.select("order_id", F.col("value").alias("order_value"))
    in_time = F.struct("occurred_at", "event_id", "ts_date")
    return (
        refunds.withColumn("refund_key", key)
        .withColumn("number", F.row_number().over(same_refund))
        .where(F.col("number") == 1)
        .join(values, on="order_id", how="left")
        .withColumns({"refund": refund, "in_time": in_time})
        .groupBy("order_id")
        .agg(
            F.transform(F.array_sort(F.collect_list(F.struct("in_time", "refund"))), lambda row: row["refund"]).alias(
                "refunds"
            ),
            F.sum("refund.value").cast(MONEY).alias("refunded"),
        )
    )
