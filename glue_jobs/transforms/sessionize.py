"""Sessions, computed from events: islands of activity, cut at a day, named after their first event.

What behaves like a bot's is set aside: it keeps the id that its session would have had, in a column of its own.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from glue_jobs.transforms.behaviour import behaves_like_a_bot, is_judged, page_gap_ms, reasons
from glue_jobs.transforms.place_in_time import milliseconds

GAP_SECONDS = 1_800
CAP_SECONDS = 86_400
# Decision 4: how far before a passive event its page view is sought. That reaches no further than the local day before,
# also where a day has 23 hours.
PAGE_VIEW_SECONDS = 82_800
PASSIVE_TYPES = ("page_leave", "page_ping")


def is_sessionable() -> Column:
    """True for events that can belong to a session: consented, from a browser, neither declared bot nor test."""
    return (
        F.col("visitor_id").isNotNull()
        & is_judged()
        & ~F.col("is_test")
        & ~F.coalesce(F.col("origin"), F.lit("browser")).isin("server", "import")
    )


def name_session(event_id: Column, ts_date: Column) -> Column:
    """The id of the session of `visitor_id` that begins with this event."""
    text = F.concat_ws("\n", "visitor_id", event_id, ts_date.cast("string"))
    return F.substring(F.sha2(text, 256), 1, 32)


def sessionize(events: DataFrame, is_edge: Column | None = None) -> DataFrame:
    """Adds session_id, set_aside_session_id, is_bot, bot_reasons and `is_member` to sessionable events.

    `is_edge` is true for events of days beyond which events were not read: then `is_at_edge` tells that the event's
    island has such an event, and `follows_edge` that the page view does whose session a passive event takes.

    A visitor's events in order of (occurred_at, event_id) form an island while no gap exceeds
    GAP_SECONDS; every CAP_SECONDS of an island begin a new session. A session's id is built from the
    visitor and its first event that is not passive, so the same events give the same ids in any run.
    Passive events before that first one are no members: they take the session of the earliest page_view
    with their page_view_id, not more than PAGE_VIEW_SECONDS before or a gap after them, else none.
    """
    visitor = Window.partitionBy("visitor_id").orderBy("at_ms", "event_id", "ts_date")
    so_far = visitor.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    part = Window.partitionBy("visitor_id", "island", "part")
    order = F.struct("at_ms", "event_id", "ts_date")
    is_passive = F.col("event_type").isin(*PASSIVE_TYPES)
    # Backwards from the last page view, up to the earliest that is not too far before a passive event: one way through
    # the rows, while a frame of hours around each row would cost the square of those of a page.
    sought_ms = F.col("at_ms") - F.when(is_passive, F.lit(PAGE_VIEW_SECONDS * 1000)).otherwise(F.lit(0))
    page = (
        Window.partitionBy("visitor_id", "page_view_id")
        .orderBy(sought_ms.desc(), is_passive, F.col("event_id").desc(), F.col("ts_date").desc())
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    gap_ms = F.col("at_ms") - F.lag("at_ms").over(visitor)
    # A visitor's first event has none before it.
    is_start = F.coalesce(gap_ms > GAP_SECONDS * 1000, F.lit(True))
    is_member = F.coalesce(order >= F.col("first_active"), F.lit(False))
    visit = F.struct(name_session(F.col("first_active.event_id"), F.col("first_active.ts_date")).alias("id"), "reasons")
    at_edge, follows_edge = {}, {}
    if is_edge is not None:
        at_edge["is_at_edge"] = F.max(is_edge).over(Window.partitionBy("visitor_id", "island"))
        follows_edge["follows_edge"] = ~F.col("is_member") & F.coalesce("page_view.is_at_edge", F.lit(False))
    page_view = F.when(F.col("event_type") == "page_view", F.struct("at_ms", "event_id", "ts_date", "visit", *at_edge))
    is_found = F.col("page_view_id").isNotNull() & (F.col("page_view.at_ms") <= F.col("at_ms") + GAP_SECONDS * 1000)
    is_bot = F.coalesce(F.size("visit.reasons") > 0, F.lit(False))
    return (
        events.withColumn("at_ms", milliseconds(F.col("occurred_at")))
        .withColumns(
            {
                "island": F.sum(is_start.cast("int")).over(so_far),
                "island_start_ms": F.last(F.when(is_start, F.col("at_ms")), ignorenulls=True).over(so_far),
                "page_gap_ms": page_gap_ms(visitor, GAP_SECONDS * 1000),
            }
        )
        .withColumn("part", F.floor((F.col("at_ms") - F.col("island_start_ms")) / (CAP_SECONDS * 1000)))
        .withColumns(
            {
                "first_active": F.min(F.when(~is_passive, order)).over(part),
                "reasons": behaves_like_a_bot(part),
                **at_edge,
            }
        )
        .withColumns({"is_member": is_member, "visit": F.when(is_member, visit)})
        .withColumn("page_view", F.last(page_view, ignorenulls=True).over(page))
        .withColumn("page_view", F.when(is_found, F.col("page_view")))
        .withColumns({"visit": F.coalesce("visit", "page_view.visit"), **follows_edge})
        .withColumns(
            {
                "session_id": F.when(~is_bot, F.col("visit.id")),
                "set_aside_session_id": F.when(is_bot, F.col("visit.id")),
                "is_bot": is_bot,
                "bot_reasons": F.coalesce("visit.reasons", reasons()),
            }
        )
        .drop("at_ms", "island", "page_gap_ms", "island_start_ms", "part", "first_active", "reasons", "visit")
        .drop("page_view")
    )
