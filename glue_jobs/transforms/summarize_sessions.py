"""One row per session, from its events."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.tables import SESSIONS
from glue_jobs.transforms.channels import add_visit_source, name_source
from glue_jobs.transforms.place_in_time import local_date, milliseconds
from glue_jobs.transforms.sessionize import PASSIVE_TYPES

FUNNEL = ("view_item", "add_to_cart", "begin_checkout", "purchase")
KEY_TYPES = ("add_to_cart", "begin_checkout", "purchase", "sign_up")
ENGAGED_MS = 10_000
_OF_FIRST_EVENT = ("device_type", "browser", "os", "country", "country_name", "continent")


def summarize_sessions(events: DataFrame, time_zone: str, shop_hosts: tuple[str, ...]) -> DataFrame:
    """Sessions (tables.SESSIONS) from events with session_id and is_member, as `sessionize` gives them.

    Late passive events that are no members add their engagement, nothing else.
    """
    in_session = events.where(F.col("session_id").isNotNull())
    pages = _engagement_by_page(in_session)
    in_time = F.struct("occurred_at", "event_id", "ts_date")
    events_in_time = add_visit_source(in_session, shop_hosts).withColumn("in_time", in_time)
    is_member = F.col("is_member")

    def count(*types: str) -> Column:
        return F.count_if(is_member & F.col("event_type").isin(*types)).cast("int")

    def first(value: str | Column, condition: Column) -> Column:
        return F.min_by(value, F.when(is_member & condition, F.col("in_time")))

    page_view = F.col("event_type") == "page_view"
    step_types = F.col("event_type").isin(*FUNNEL)
    grouped = events_in_time.groupBy("session_id").agg(
        F.min("visitor_id").alias("visitor_id"),
        F.min(F.when(is_member, F.col("occurred_at"))).alias("started_at"),
        F.max(F.when(is_member, F.col("occurred_at"))).alias("ended_at"),
        F.count_if(is_member).cast("int").alias("events"),
        count("page_view").alias("page_views"),
        count("view_item").alias("product_views"),
        count("search").alias("searches"),
        count("add_to_cart").alias("adds_to_cart"),
        count("begin_checkout").alias("checkouts"),
        count("purchase").alias("purchases"),
        count(*KEY_TYPES).alias("key_events"),
        F.count_if(is_member & ~F.col("event_type").isin(*PASSIVE_TYPES)).alias("active_events"),
        first("page_url", page_view).alias("entry_page"),
        F.max_by("page_url", F.when(is_member & page_view, F.col("in_time"))).alias("exit_page"),
        first(F.struct(*_OF_FIRST_EVENT), F.lit(True)).alias("first"),
        first("utm", F.col("utm").isNotNull()).alias("utm"),
        first("click", F.col("click").isNotNull()).alias("click"),
        first("external_host", F.col("external_host").isNotNull()).alias("external_host"),
        F.collect_list(
            F.when(is_member & step_types, F.struct("occurred_at", "event_id", "ts_date", "event_type"))
        ).alias("steps"),
    )
    engaged_ms = F.coalesce("engaged_ms", F.lit(0))
    is_engaged = (engaged_ms >= ENGAGED_MS) | (F.col("page_views") >= 2) | (F.col("key_events") >= 1)
    sessions = (
        _with_funnel(grouped.select("*", "first.*").drop("first"))
        .join(pages, on="session_id", how="left")
        .withColumns(
            {
                "engaged_ms": engaged_ms,
                "session_date": local_date(F.col("started_at"), time_zone),
                "duration_ms": milliseconds(F.col("ended_at")) - milliseconds(F.col("started_at")),
                "is_engaged": is_engaged,
                "is_bounce": F.when(F.col("page_views") >= 1, ~is_engaged),
                "is_single_page": (F.col("page_views") == 1) & (F.col("active_events") == 1),
                "has_purchase": F.col("purchases") > 0,
            }
        )
    )
    return name_source(sessions).select(*SESSIONS.data_columns)


def _engagement_by_page(events: DataFrame) -> DataFrame:
    """engaged_ms per session: of each page view the greatest value, so a lost or repeated ping changes nothing."""
    return (
        events.where(F.col("engaged_ms").isNotNull() & F.col("page_view_id").isNotNull())
        .groupBy("session_id", "page_view_id")
        .agg(F.max("engaged_ms").alias("engaged_ms"))
        .groupBy("session_id")
        .agg(F.sum("engaged_ms").alias("engaged_ms"))
    )


def _with_funnel(sessions: DataFrame) -> DataFrame:
    """The moment of each funnel step, each strictly after the one before by (occurred_at, event_id)."""
    previous = None
    for number, step in enumerate(FUNNEL, start=1):
        is_step = f"e -> e.event_type = '{step}'"
        if previous:
            is_step += (
                # A comparison with a struct of nulls would be true.
                f" and {previous} is not null and struct(e.occurred_at, e.event_id, e.ts_date)"
                f" > struct({previous}.occurred_at, {previous}.event_id, {previous}.ts_date)"
            )
        sessions = sessions.withColumn(f"step_{number}", F.expr(f"array_min(filter(steps, {is_step}))"))
        previous = f"step_{number}"
    depth = F.lit(0)
    moments = {}
    for number, step in enumerate(FUNNEL, start=1):
        depth = F.when(F.col(f"step_{number}").isNotNull(), F.lit(number)).otherwise(depth)
        moments[f"{step}_at"] = F.col(f"step_{number}.occurred_at")
    return sessions.withColumns({**moments, "funnel_step": depth}).drop(
        "steps", *(f"step_{number}" for number in range(1, len(FUNNEL) + 1))
    )
