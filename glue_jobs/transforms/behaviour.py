"""Visits whose pages follow one another as no person's do. Such a visit is set aside, never deleted, and judged anew
with every event that joins it.
"""

from pyspark.sql import Column, Window, WindowSpec
from pyspark.sql import functions as F

# Sorted: why a visit is set aside is an array in this order.
NO_ENGAGEMENT, TOO_FAST, TOO_REGULAR = REASONS = ("no_engagement", "too_fast", "too_regular")
# Of a visit whose sender tells engagement: so many pages and not a second of it, nor a click.
UNENGAGED_PAGES = 12
# So many times from page to page, in less than a second on average.
FAST_GAPS = 9
FAST_MS = 1_000
# So many times from page to page that differ by at most a tenth of their mean.
REGULAR_GAPS = 7
REGULAR_SHARE = 10
# Senders that tell how long a page was in the foreground.
TELLS_ENGAGEMENT = "clicklake-js/"
# What a page tells by itself, without anybody doing anything on it.
UNCAUSED_TYPES = ("page_view", "view_item", "view_item_list", "search", "page_leave", "page_ping")


def reasons(*names: str) -> Column:
    """Constant bot_reasons."""
    return F.array(*map(F.lit, names)).cast("array<string>")


def is_judged() -> Column:
    """True unless the event's own line says that it is a bot's: then its visit's behaviour does not matter."""
    return ~F.col("is_bot") | F.arrays_overlap(F.coalesce("bot_reasons", reasons()), reasons(*REASONS))


def page_gap_ms(visitor: WindowSpec, longest_ms: int) -> Column:
    """Milliseconds since the visitor's page view before, on page views with a time of their own; null if more than
    `longest_ms`. Needs at_ms, event_type, ts_quality; `visitor` is in order of time."""
    has_time = (F.col("event_type") == "page_view") & F.col("ts_quality").isin("client", "corrected")
    before = visitor.rowsBetween(Window.unboundedPreceding, -1)
    gap = F.col("at_ms") - F.last(F.when(has_time, F.col("at_ms")), ignorenulls=True).over(before)
    return F.when(has_time & (gap <= longest_ms), gap)


def behaves_like_a_bot(visit: WindowSpec) -> Column:
    """Those of REASONS that hold of the visit, as an array; empty for people, and where somebody bought or signed in.
    Needs page_gap_ms, event_type, engaged_ms, sdk, user_id."""
    gap = F.col("page_gap_ms")
    gaps, total = F.count(gap).over(visit), F.sum(gap).over(visit)
    spread = F.max(gap).over(visit) - F.min(gap).over(visit)
    pages = F.count_if(F.col("event_type") == "page_view").over(visit)
    is_silent = (
        F.col("event_type").isin(*UNCAUSED_TYPES)
        & (F.coalesce("engaged_ms", F.lit(0)) == 0)
        & F.coalesce(F.col("sdk").startswith(TELLS_ENGAGEMENT), F.lit(False))
    )
    is_person = F.count_if((F.col("event_type") == "purchase") | F.col("user_id").isNotNull()).over(visit) > 0
    holds = {
        NO_ENGAGEMENT: (pages >= UNENGAGED_PAGES) & (F.count_if(~is_silent).over(visit) == 0),
        TOO_FAST: (gaps >= FAST_GAPS) & (total < gaps * FAST_MS),
        TOO_REGULAR: (gaps >= REGULAR_GAPS) & (total > 0) & (spread * gaps * REGULAR_SHARE <= total),
    }
    found = F.array_compact(F.array(*(F.when(condition, F.lit(reason)) for reason, condition in holds.items())))
    return F.when(is_person, reasons()).otherwise(found)
