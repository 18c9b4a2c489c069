"""Sessions, computed from events: islands of activity, cut at a day, named after their first event."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from glue_jobs.transforms.place_in_time import milliseconds

GAP_SECONDS = 1_800
CAP_SECONDS = 86_400
PASSIVE_TYPES = ("page_leave", "page_ping")


def is_sessionable() -> F.Column:
    """True for events that can belong to a session: consented, from a browser, neither bot nor test."""
    return (
        F.col("visitor_id").isNotNull()
        & ~F.col("is_bot")
        & ~F.col("is_test")
        & ~F.coalesce(F.col("origin"), F.lit("browser")).isin("server", "import")
    )


def sessionize(events: DataFrame, gap_seconds: int = GAP_SECONDS, cap_seconds: int = CAP_SECONDS) -> DataFrame:
    """Adds session_id, `is_member` and `island` (its number among the visitor's) to sessionable events.

    A visitor's events in order of (occurred_at, event_id) form an island while no gap exceeds
    `gap_seconds`; every `cap_seconds` of an island begin a new session. A session's id is built from the
    visitor and its first event that is not passive, so the same events give the same ids in any run.
    Passive events before that first one are no members: they take the session of the earliest page_view
    with their page_view_id, not more than a day before or a gap after them, else none.
    """
    visitor = Window.partitionBy("visitor_id").orderBy("at_ms", "event_id", "ts_date")
    island = Window.partitionBy("visitor_id", "island")
    part = Window.partitionBy("visitor_id", "island", "part")
    # Rows without a page stand alone: the frame costs the square of its rows.
    page = (
        Window.partitionBy("visitor_id", F.coalesce("page_view_id", F.concat(F.lit("\n"), "event_id")))
        .orderBy("at_ms")
        .rangeBetween(-CAP_SECONDS * 1000, gap_seconds * 1000)
    )
    order = F.struct("at_ms", "event_id", "ts_date")
    is_passive = F.col("event_type").isin(*PASSIVE_TYPES)
    is_break = F.coalesce(F.col("at_ms") - F.lag("at_ms").over(visitor) > gap_seconds * 1000, F.lit(False))
    is_member = F.coalesce(order >= F.col("first_active"), F.lit(False))
    own_session = F.substring(F.sha2(F.concat("visitor_id", F.lit("\n"), F.col("first_active.event_id")), 256), 1, 32)
    page_view = F.when(F.col("event_type") == "page_view", F.struct("at_ms", "event_id", "ts_date", "own_session"))
    page_session = F.when(F.col("page_view_id").isNotNull(), F.col("page_view.own_session"))
    return (
        events.withColumn("at_ms", milliseconds(F.col("occurred_at")))
        .withColumn("island", F.sum(is_break.cast("int")).over(visitor))
        .withColumn("island_start_ms", F.min("at_ms").over(island))
        .withColumn("part", F.floor((F.col("at_ms") - F.col("island_start_ms")) / (cap_seconds * 1000)))
        .withColumn("first_active", F.min(F.when(~is_passive, order)).over(part))
        .withColumns({"is_member": is_member, "own_session": F.when(is_member, own_session)})
        .withColumn("page_view", F.min(page_view).over(page))
        .withColumn("session_id", F.coalesce("own_session", page_session))
        .drop("at_ms", "island_start_ms", "part", "first_active", "own_session", "page_view")
    )
