"""Numbers per day: traffic, orders, active visitors and persons, products."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.tables import MONEY, TOTAL
from glue_jobs.transforms.channels import NOT_SET
from glue_jobs.transforms.identity import person_days
from glue_jobs.transforms.sessionize import PASSIVE_TYPES, name_session

NOT_CONSENTED = "(not consented)"
# With event_type, which differs much more between a visitor's events of a day.
EVENT_DIMENSIONS = ("country", "continent", "device_type", "browser", "os")
SESSION_DIMENSIONS = ("country", "continent", "device_type", "browser", "os", "channel", "source")
ORDER_DIMENSIONS = ("country", "continent", "device_type", "channel", "source")


def is_active() -> Column:
    """True for events that make a visitor active: consented, no bot, no test, other than page_leave and page_ping."""
    return (
        F.col("visitor_id").isNotNull()
        & ~F.col("is_bot")
        & ~F.col("is_test")
        & ~F.col("event_type").isin(*PASSIVE_TYPES)
    )


def visitor_days(events: DataFrame) -> DataFrame:
    """tables.VISITOR_DAYS from events."""
    return (
        events.where(is_active())
        .groupBy("event_date", "visitor_id")
        .agg(
            F.min("occurred_at").alias("first_active_at"),
            F.max("occurred_at").alias("last_active_at"),
            F.count(F.lit(1)).cast("int").alias("active_events"),
        )
    )


def _by_dimension(rows: DataFrame, dimensions: tuple[str, ...]) -> DataFrame:
    """Each row once per dimension, as (dimension, value), and once as (total, all)."""
    # As SQL text: Python asks the JVM for every piece of an expression.
    pairs = ["('total' as dimension, 'all' as value)"]
    pairs += [f"('{name}' as dimension, coalesce({name}, '{NOT_SET}') as value)" for name in dimensions]
    return rows.selectExpr("*", f"inline(array({', '.join(f'struct{pair}' for pair in pairs)}))")


def daily_traffic(narrowed: DataFrame, sessions: DataFrame, orders: DataFrame) -> DataFrame:
    """tables.DAILY_TRAFFIC of the days of these sessions and of the events that were narrowed.

    Events count on their event_date, sessions on their session_date. By channel and source, which belong
    to sessions, the events are those of the sessions.
    """
    keys = ["event_date", "dimension", "value"]
    by_event = _event_traffic(narrowed)
    by_session = _session_traffic(sessions, orders)
    joined = by_event.join(by_session, on=keys, how="full")
    # Channel and source rows have no events of their own: theirs are the sessions'.
    events_of_sessions = {
        "events": "s_events",
        "page_views": "s_page_views",
        "product_views": "s_product_views",
        "visitors": "s_visitors",
    }
    is_of_sessions = F.col("dimension").isin("channel", "source")
    joined = joined.withColumns(
        {
            name: F.when(is_of_sessions, F.col(of_sessions)).otherwise(F.col(name))
            for name, of_sessions in events_of_sessions.items()
        }
    )
    joined = joined.drop(*events_of_sessions.values())
    counts = [name for name in joined.columns if name not in keys]
    return joined.select(*keys, *(F.coalesce(F.col(name), F.lit(0)).alias(name) for name in counts))


def narrow(events: DataFrame) -> DataFrame:
    """What events count for, one row per visitor and combination of dimensions, so that little is exploded."""
    is_counted = ~F.col("is_bot")
    is_start = F.col("set_aside_session_id") == name_session(F.col("event_id"), F.col("ts_date"))
    counts = {
        "events": is_counted,
        "page_views": is_counted & (F.col("event_type") == "page_view"),
        "product_views": is_counted & (F.col("event_type") == "view_item"),
        "not_consented_events": is_counted & ~F.col("consent_analytics").eqNullSafe("granted"),
        "bot_events": ~is_counted,
        "set_aside_events": F.col("set_aside_session_id").isNotNull(),
        "set_aside_sessions": is_start,
    }
    return (
        events.where(~F.col("is_test"))
        .groupBy("event_date", "visitor_id", *EVENT_DIMENSIONS, "event_type")
        .agg(
            *(F.count_if(condition).alias(name) for name, condition in counts.items()),
            F.max(is_active()).alias("is_active"),
        )
    )


def _event_traffic(narrowed: DataFrame) -> DataFrame:
    of_visitor = ["event_date", "visitor_id", *EVENT_DIMENSIONS]
    counts = [name for name in narrowed.columns if name not in (*of_visitor, "event_type", "is_active")]
    sums = [*(F.sum(name).alias(name) for name in counts), F.max("is_active").alias("is_active")]
    of_visitors = narrowed.groupBy(*of_visitor).agg(*sums)
    keys = ["event_date", "dimension", "value", "visitor_id"]
    of_types = narrowed.withColumns({"dimension": F.lit("event_type"), "value": F.col("event_type")})
    return (
        _by_dimension(of_visitors, EVENT_DIMENSIONS)
        .select(*keys, *counts, "is_active")
        .unionByName(of_types.select(*keys, *counts, "is_active"))
        .groupBy(*keys)
        .agg(*sums)
        .groupBy("event_date", "dimension", "value")
        .agg(*(F.sum(name).alias(name) for name in counts), F.count_if(F.col("is_active")).alias("visitors"))
    )


def _session_traffic(sessions: DataFrame, orders: DataFrame) -> DataFrame:
    with_order = orders.where(F.col("session_id").isNotNull() & F.col("ordered_at").isNotNull())
    with_order = with_order.select("session_id").distinct().withColumn("has_order", F.lit(True))
    rows = sessions.join(with_order, on="session_id", how="left")
    reached = {
        "sessions_with_view": 1,
        "sessions_with_cart": 2,
        "sessions_with_checkout": 3,
        "sessions_with_purchase": 4,
    }
    return (
        _by_dimension(rows, SESSION_DIMENSIONS)
        .groupBy(F.col("session_date").alias("event_date"), "dimension", "value")
        .agg(
            F.sum("events").alias("s_events"),
            F.sum("page_views").alias("s_page_views"),
            F.sum("product_views").alias("s_product_views"),
            F.countDistinct("visitor_id").alias("s_visitors"),
            F.count(F.lit(1)).alias("sessions"),
            F.count_if("is_engaged").alias("engaged_sessions"),
            F.count_if("is_bounce").alias("bounces"),
            F.count_if(F.col("page_views") >= 1).alias("sessions_with_page_view"),
            F.count_if("is_single_page").alias("single_page_sessions"),
            F.sum("duration_ms").alias("duration_ms"),
            F.sum("engaged_ms").alias("engaged_ms"),
            *(F.count_if(F.col("funnel_step") >= step).alias(name) for name, step in reached.items()),
            F.count_if("has_order").alias("sessions_with_order"),
        )
    )


def daily_orders(orders: DataFrame, sessions: DataFrame, shop_currency: str) -> DataFrame:
    """tables.DAILY_ORDERS: orders on the day of the order, refunds on theirs, by the order's dimensions."""
    channels = sessions.select("session_id", "channel", "source")
    zero, none = F.lit(0).cast(MONEY), F.lit(0).cast("bigint")
    known = orders.where(F.col("ordered_at").isNotNull()).join(channels, on="session_id", how="left")
    outside = F.when(F.col("is_consented"), F.lit(NOT_SET)).otherwise(F.lit(NOT_CONSENTED))
    known = known.withColumns(
        {
            "currency": F.coalesce("currency", F.lit(shop_currency)),
            **{name: F.coalesce(F.col(name), outside) for name in ("channel", "source")},
        }
    )
    is_bot = F.col("is_bot")
    made = known.select(
        F.col("order_date").alias("event_date"),
        "currency",
        *ORDER_DIMENSIONS,
        F.lit(1).cast("bigint").alias("orders"),
        is_bot.cast("bigint").alias("bot_orders"),
        F.col("value").alias("goods"),
        "tax",
        "shipping",
        "gross_revenue",
        none.alias("refunds"),
        zero.alias("refunded"),
        F.col("value").alias("net_revenue"),
        F.when(is_bot, F.col("value")).otherwise(zero).alias("bot_net_revenue"),
    )
    given_back = known.withColumn("refund", F.explode("refunds")).select(
        F.col("refund.refund_date").alias("event_date"),
        "currency",
        *ORDER_DIMENSIONS,
        none.alias("orders"),
        none.alias("bot_orders"),
        *(zero.alias(name) for name in ("goods", "tax", "shipping", "gross_revenue")),
        F.lit(1).cast("bigint").alias("refunds"),
        F.col("refund.value").alias("refunded"),
        (-F.col("refund.value")).cast(MONEY).alias("net_revenue"),
        F.when(is_bot, -F.col("refund.value")).otherwise(zero).cast(MONEY).alias("bot_net_revenue"),
    )
    measures = [name for name in made.columns if name not in ("event_date", "currency", *ORDER_DIMENSIONS)]
    return (
        _by_dimension(made.unionByName(given_back), ORDER_DIMENSIONS)
        .groupBy("event_date", "currency", "dimension", "value")
        .agg(*(F.sum(name).alias(name) for name in measures))
    )


def daily_active(visitor_days: DataFrame, identity: DataFrame, days: DataFrame) -> DataFrame:
    """tables.DAILY_ACTIVE for `days` (event_date), from the visitor_days of these and the 29 days before.

    `days` also has first_date, the oldest day of the lake: the first 29 days have no full window.
    """
    persons = person_days(visitor_days, identity)
    return (
        days.join(_active(visitor_days, "visitor_id", days, "visitors"), on="event_date", how="left")
        .join(_active(persons, "person_id", days, "persons"), on="event_date", how="left")
        .withColumn("is_partial", F.datediff("event_date", "first_date") < 29)
        .drop("first_date")
        .na.fill(0)
    )


def _active(daily: DataFrame, who: str, days: DataFrame, name: str) -> DataFrame:
    """Distinct `who` over 1, 7 and 30 days up to each of `days`."""
    # Each active day counts for itself and the 29 days after it.
    spread = daily.select(
        F.col(who), F.col("event_date").alias("active_date"), F.explode(F.sequence(F.lit(0), F.lit(29))).alias("age")
    ).withColumn("event_date", F.date_add("active_date", F.col("age")))
    return (
        spread.join(days.select("event_date"), on="event_date", how="left_semi")
        .groupBy("event_date", who)
        .agg(F.min("age").alias("age"))
        .groupBy("event_date")
        .agg(
            F.count_if(F.col("age") == 0).alias(name),
            F.count_if(F.col("age") < 7).alias(f"{name}_7d"),
            F.count(F.lit(1)).alias(f"{name}_30d"),
        )
    )


def daily_products(events: DataFrame, sessions: DataFrame, orders: DataFrame, shop_currency: str) -> DataFrame:
    """tables.DAILY_PRODUCTS: pairs of session and product on the session's day, revenue on the order's.

    `events` are those of `sessions`; `orders` those of the same days.
    """
    return (
        _product_pairs(events, sessions)
        .unionByName(_product_revenue(orders, shop_currency), allowMissingColumns=True)
        .na.fill(0)
        .withColumn("revenue", F.coalesce("revenue", F.lit(0).cast(TOTAL)))
    )


def _product_pairs(events: DataFrame, sessions: DataFrame) -> DataFrame:
    def has(event_type: str) -> Column:
        return F.max(F.col("event_type") == event_type)

    pairs = (
        events.where(F.col("session_id").isNotNull() & F.col("items").isNotNull())
        .where(F.col("event_type").isin("view_item_list", "select_item", "view_item", "add_to_cart", "purchase"))
        .select("session_id", "event_type", "occurred_at", "event_id", F.explode("items").alias("item"))
        .withColumn("product_id", F.col("item.product_id"))
        .where(F.col("product_id").isNotNull())
        .groupBy("session_id", "product_id")
        .agg(
            has("view_item_list").alias("is_listed"),
            has("select_item").alias("is_clicked"),
            has("view_item").alias("is_viewed"),
            has("add_to_cart").alias("is_added"),
            has("purchase").alias("is_bought"),
            *_last_told("occurred_at", "event_id"),
        )
    )
    return (
        pairs.join(sessions.select("session_id", "session_date"), on="session_id", how="inner")
        .groupBy(F.col("session_date").alias("event_date"), "product_id")
        .agg(
            F.max("last_name").alias("last_name"),
            F.max("last_category").alias("last_category"),
            F.count_if("is_listed").alias("impressions"),
            F.count_if(F.col("is_listed") & F.col("is_clicked")).alias("clicks"),
            F.count_if("is_viewed").alias("views"),
            F.count_if(F.col("is_viewed") & F.col("is_added")).alias("carts"),
            F.count_if(~F.col("is_viewed") & F.col("is_added")).alias("carts_without_view"),
            F.count_if(F.col("is_viewed") & F.col("is_bought")).alias("purchases"),
        )
        .withColumns({"currency": F.lit(""), **_name_and_category()})
        .drop("last_name", "last_category")
    )


def _name_and_category() -> dict[str, Column]:
    return {"product_name": F.col("last_name.name"), "category": F.col("last_category.category")}


def _last_told(*moment: str) -> list[Column]:
    """last_name and last_category: the latest that were told at all; an older sender tells none."""
    return [
        F.max(F.when(F.col(f"item.{name}").isNotNull(), F.struct(*moment, f"item.{name}"))).alias(f"last_{name}")
        for name in ("name", "category")
    ]


def _product_revenue(orders: DataFrame, shop_currency: str) -> DataFrame:
    quantity = F.coalesce(F.col("item.qty"), F.lit(1))
    return (
        orders.where(F.col("ordered_at").isNotNull() & F.col("items").isNotNull())
        .withColumn("item", F.explode("items"))
        .where(F.col("item.product_id").isNotNull())
        .groupBy(
            F.col("order_date").alias("event_date"),
            F.col("item.product_id").alias("product_id"),
            F.coalesce("currency", F.lit(shop_currency)).alias("currency"),
        )
        .agg(
            *_last_told("ordered_at", "event_id"),
            F.sum(quantity).cast("bigint").alias("quantity"),
            # An item's price is after its discount.
            F.sum(F.col("item.price") * quantity).cast(TOTAL).alias("revenue"),
        )
        .withColumns(_name_and_category())
        .drop("last_name", "last_category")
    )
