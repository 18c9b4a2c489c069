"""From changed events to everything computed from them: which rows, which days, one commit a table."""

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.arguments import Settings
from glue_jobs.arrivals import EVENT_KEY, Outcome
from glue_jobs.lake import Lake, days_around, days_from, on_days, settle, settle_if_small
from glue_jobs.runtime import at_once, few, is_small
from glue_jobs.tables import EVENTS, ORDERS, TABLES
from glue_jobs.transforms import daily
from glue_jobs.transforms.behaviour import is_judged
from glue_jobs.transforms.identity import identify, owner_at
from glue_jobs.transforms.orders import build_orders, order_events
from glue_jobs.transforms.place_in_time import local_date
from glue_jobs.transforms.restate import restated
from glue_jobs.transforms.sessionize import is_sessionable, sessionize
from glue_jobs.transforms.summarize_sessions import summarize_sessions

# Days read on either side of a touched one: a session lasts a day at most, and a page may be left a day later.
REACH_DAYS = 2
# A session of 24 hours ends up to so many days after the one it began on: two where one between has 23 hours.
SESSION_DAYS = 2


@dataclass(frozen=True)
class Days:
    """The days whose numbers have to be written again, by what changed on them.

    `revenue` are those of `orders`, and those on which only refunds, or the channels of orders, are others now.
    """

    events: set[date]
    sessions: set[date]
    orders: set[date]
    revenue: set[date]
    persons: set[date]

    @property
    def traffic(self) -> set[date]:
        return self.events | self.sessions | self.orders

    @property
    def daily(self) -> set[date]:
        return self.traffic | self.revenue


def collect_days(rows: DataFrame, *columns: str) -> set[date]:
    """The days in date columns."""
    return _days_in(rows, F.array(*columns))


def _days_in(rows: DataFrame, days: str | Column) -> set[date]:
    """The days in a column of arrays of dates."""
    found = rows.select(F.explode(days).alias("day")).distinct().collect()
    return {row.day for row in found if row.day is not None}


# What is computed of an event's visit, and may change with later events.
_VERDICT = ("session_id", "set_aside_session_id", "bot_reasons")
# What sessions are cut by, and what is told of the cut.
_CUT_BY = (
    *("visitor_id", "event_id", "ts_date", "event_date", "occurred_at", "ts_quality", "event_type", "page_view_id"),
    *("user_id", "engaged_ms", "sdk", "is_bot", "stored", "_is_new", *_VERDICT),
)


def _is_changed() -> Column:
    return F.col("_is_new") | F.col("_is_renamed") | ~F.struct(*_VERDICT).eqNullSafe(F.col("stored"))


def _is_counted_anew() -> Column:
    """New, or a bot's where it was not, or the reverse, or of another visit that is set aside."""
    return (
        F.col("_is_new")
        | ~F.col("bot_reasons").eqNullSafe(F.col("stored.bot_reasons"))
        | ~F.col("set_aside_session_id").eqNullSafe(F.col("stored.set_aside_session_id"))
    )


@dataclass(frozen=True)
class SessionedEvents:
    """The rows of every visitor concerned, with sessions as they are now, and what they were before.

    `rows`: event columns, is_member, _is_new, _is_renamed, and `stored`, a struct of _VERDICT as it was.
    """

    rows: DataFrame
    window: set[date] | None  # of stored events; None in an empty lake
    stored_changes: int
    counted_days: set[date]  # of events that count anew
    has_verified: bool  # among the new events

    @property
    def is_first_load(self) -> bool:
        return self.window is None


def add_sessions(lake: Lake, outcome: Outcome) -> SessionedEvents:
    """Cuts sessions anew for every visitor that has a new, moved or removed event.

    Reads the stored events of these visitors around the touched days, and further where a chain of
    activity goes beyond them.
    """
    unknown = F.lit(None).cast("string")
    new = outcome.winners.withColumns({"session_id": unknown, "set_aside_session_id": unknown}).select(
        *TABLES["events"].data_columns,
        # None of it is known: a condition on the whole struct would be null, too.
        F.struct(*(F.lit(None).cast(EVENTS.type_of(c)).alias(c) for c in _VERDICT)).alias("stored"),
        F.lit(True).alias("_is_new"),
        F.lit(False).alias("_is_renamed"),
    )
    if lake.is_empty("events"):
        rows = settle(_cut(new, None))
        seen = rows.agg(*_what_is_new()).first()
        return SessionedEvents(rows, None, 0, set(seen.counted_days), seen.has_verified)
    stored = lake.read("events")
    touched = settle(
        new.select("visitor_id", "event_date")
        .unionByName(outcome.removed.select("visitor_id", "event_date"))
        .unionByName(outcome.renamed.select("visitor_id", "event_date"))
        .where(F.col("visitor_id").isNotNull())
        .distinct()
    )
    visitors = touched.select("visitor_id").distinct()
    removed_keys = outcome.removed.select(*EVENT_KEY)
    touched_days = collect_days(touched, "event_date")
    window = days_around(touched_days, REACH_DAYS)
    renamed_days = collect_days(outcome.renamed, "event_date") if outcome.renamed_count else set()
    while True:
        near = stored.where(on_days("event_date", window)).join(visitors, on="visitor_id", how="left_semi")
        if outcome.renamed_count:
            nameless = stored.where(on_days("event_date", renamed_days) & F.col("visitor_id").isNull())
            nameless = nameless.join(outcome.renamed.select(*EVENT_KEY), on=EVENT_KEY, how="left_semi")
            near = near.unionByName(nameless)
        context = near.join(removed_keys, on=EVENT_KEY, how="left_anti").select(
            *TABLES["events"].data_columns,
            F.struct(*_VERDICT).alias("stored"),
            F.lit(False).alias("_is_new"),
        )
        if outcome.renamed_count:
            users = outcome.renamed.select(*EVENT_KEY, F.col("user_id").alias("new_user_id"))
            context = (
                context.join(few(users), on=EVENT_KEY, how="left")
                .withColumn("_is_renamed", F.col("new_user_id").isNotNull())
                .withColumn("user_id", F.coalesce("new_user_id", "user_id"))
                .drop("new_user_id")
            )
        else:
            context = context.withColumn("_is_renamed", F.lit(False))
        edges = {day for day in window if not days_around({day}, 1) <= window}
        rows = settle(_cut(new.unionByName(context), edges))
        # One pass decides whether the window was wide enough and tells how much is to be updated.
        seen = rows.agg(
            F.count_if((F.col("_is_at_edge") & _is_changed()) | F.col("_is_beyond")).alias("beyond"),
            F.count_if(~F.col("_is_new") & _is_changed()).alias("stored_changes"),
            *_what_is_new(),
        ).first()
        is_removed_cut = (
            outcome.has_removed and not _beside_removed(rows.where("_is_at_edge"), outcome.removed).isEmpty()
        )
        if not seen.beyond and not is_removed_cut:
            rows = rows.drop("_is_at_edge", "_is_beyond")
            return SessionedEvents(rows, window, seen.stored_changes, set(seen.counted_days), seen.has_verified)
        window = days_around(window, REACH_DAYS)


def _what_is_new() -> list[Column]:
    return [
        F.collect_set(F.when(_is_counted_anew(), F.col("event_date"))).alias("counted_days"),
        (F.count_if(F.col("_is_new") & _is_verified()) > 0).alias("has_verified"),
    ]


def _beside_removed(rows: DataFrame, removed: DataFrame) -> DataFrame:
    """Rows whose visit or island a removed event may have been part of."""
    gone = removed.select("visitor_id", F.col("event_date").alias("gone_date"), _visit().alias("gone_visit"))
    is_near = F.abs(F.datediff("event_date", "gone_date")) <= 1
    return rows.join(gone, on="visitor_id").where((_visit() == F.col("gone_visit")) | is_near)


def _visit() -> Column:
    return F.coalesce("session_id", "set_aside_session_id")


def _cut(events: DataFrame, edges: set[date] | None) -> DataFrame:
    """Sessions for sessionable rows, none for the others. An island at an edge of what was read keeps the
    sessions it has: where it begins is not known."""
    events = settle_if_small(events)
    belongs = events.where(is_sessionable())
    others = events.where(~is_sessionable()).withColumn("is_member", F.lit(False))
    if edges is not None:
        others = others.withColumn("_is_at_edge", F.lit(False)).withColumn("_is_beyond", F.lit(False))
    # What the windows only carry along would be copied and sorted several times with each row.
    carried = [name for name in events.columns if name not in _CUT_BY]
    if is_small(events.sparkSession):
        # One value is cheap to carry, and a few rows are cheaper carried than read again.
        cut = _cut_sessionable(belongs.select(*_CUT_BY, F.struct(*carried).alias("carried")), edges)
        cut = cut.select("*", "carried.*").drop("carried")
    else:
        key = ["visitor_id", *EVENT_KEY]
        cut = _cut_sessionable(belongs.select(*_CUT_BY), edges)
        cut = belongs.select(*key, *carried).join(cut.hint("shuffle_hash"), on=key, how="inner")
        # Each part of a union writes files of its own: few rows should be few parts.
        others = others.hint("rebalance")
    return cut.unionByName(others)


def _cut_sessionable(events: DataFrame, edges: set[date] | None) -> DataFrame:
    if edges is None:
        return sessionize(events)
    cut = sessionize(events, on_days("event_date", edges))
    # What follows a page view of an island at an edge takes the session that is stored of that, too.
    is_at_edge = F.col("is_at_edge") | F.col("follows_edge")
    # A passive row that follows its page view's session has to follow it in full: then its own island is read further.
    follows = ~F.col("is_member") & ~F.col("follows_edge") & _visit().isNotNull()
    is_beyond = F.col("is_at_edge") & follows & ~F.struct(*_VERDICT).eqNullSafe(F.col("stored"))
    cut = cut.withColumns({"_is_at_edge": is_at_edge, "_is_beyond": is_beyond}).drop("is_at_edge", "follows_edge")
    is_kept = F.col("_is_at_edge") & ~F.col("_is_new")
    kept = {name: F.when(is_kept, F.col(f"stored.{name}")).otherwise(F.col(name)) for name in _VERDICT}
    kept["is_bot"] = F.size(kept["bot_reasons"]) > 0
    return cut.withColumns(kept)


def write_events(lake: Lake, sessioned: SessionedEvents, outcome: Outcome) -> None:
    """One commit: new events in, earlier copies in place of later ones, the session ids that changed."""
    changed = sessioned.rows.where(_is_changed())
    removed_days = collect_days(outcome.removed, "event_date") if outcome.has_removed else set()
    if not sessioned.stored_changes and not removed_days:
        lake.append("events", changed, sessioned.counted_days)
        return
    days = removed_days | collect_days(changed.where(~F.col("_is_new")), "event_date")
    gone = outcome.removed.select(*EVENT_KEY).join(
        sessioned.rows.where("_is_new").select(*EVENT_KEY), on=EVENT_KEY, how="left_anti"
    )
    lake.merge("events", changed, gone=gone, days=days)


def touched_sessions(sessioned: SessionedEvents, outcome: Outcome) -> DataFrame | None:
    """Ids of the sessions that changed or vanished; None in an empty lake, where all are new."""
    if sessioned.is_first_load:
        return None
    changed = sessioned.rows.where(_is_changed())
    return settle(
        changed.select("session_id")
        .unionByName(changed.select("stored.session_id"))
        .unionByName(outcome.removed.select("session_id"))
        .where(F.col("session_id").isNotNull())
        .distinct()
    )


def write_sessions(lake: Lake, settings: Settings, sessioned: SessionedEvents, touched: DataFrame | None) -> set[date]:
    """Summaries of the `touched` sessions; those that vanished are removed. Returns their days, old and new."""
    if sessioned.is_first_load:
        sessions = summarize_sessions(sessioned.rows, settings.shop_time_zone, settings.shop_hosts)
        lake.fill("sessions", sessions, sessioned.counted_days)
        return collect_days(lake.read("sessions"), "session_date")
    rows = sessioned.rows.join(touched, on="session_id", how="left_semi")
    sessions = settle(summarize_sessions(rows, settings.shop_time_zone, settings.shop_hosts))
    before = lake.read("sessions").where(on_days("session_date", sessioned.window))
    before = before.join(touched, on="session_id", how="left_semi")
    before = settle(before.select("session_id", "session_date"))
    both = before.select("session_date", F.lit(True).alias("is_before"))
    both = both.unionByName(sessions.select("session_date", F.lit(False).alias("is_before"))).distinct().collect()
    gone = before.join(sessions, on="session_id", how="left_anti")
    if any(row.is_before for row in both):
        lake.merge("sessions", sessions, gone=gone.select("session_id"), days=sessioned.window)
    else:
        lake.append("sessions", sessions)
    return {row.session_date for row in both}


def write_visitor_days(lake: Lake, sessioned: SessionedEvents, outcome: Outcome, days: set[date]) -> None:
    """Who was active on these days, of the visitors whose events count anew or are gone."""
    if sessioned.is_first_load:
        lake.fill("visitor_days", daily.visitor_days(sessioned.rows), sessioned.counted_days)
        return
    if not days:
        return
    pairs = (
        sessioned.rows.where(_is_counted_anew())
        .select("event_date", "visitor_id")
        .unionByName(outcome.removed.select("event_date", "visitor_id"))
        .where(F.col("visitor_id").isNotNull())
        .distinct()
    )
    key = ["event_date", "visitor_id"]
    active = settle_if_small(daily.visitor_days(sessioned.rows.join(pairs, on=key, how="left_semi")))
    gone = pairs.join(active, on=key, how="left_anti")
    lake.merge("visitor_days", active, gone=gone, days=days)


def write_orders(
    lake: Lake, settings: Settings, sessioned: SessionedEvents, outcome: Outcome, touched: DataFrame | None
) -> tuple[set[date], set[date]]:
    """Orders that have a new, changed or removed purchase or refund, from all their events at any age.

    Returns Days.orders and Days.revenue; of the latter, also those of the orders of `touched` sessions.
    """
    time_zone = settings.shop_time_zone
    concerned = sessioned.rows.where(_is_changed()).select(*TABLES["events"].data_columns)
    concerned = concerned.unionByName(outcome.removed.select(*TABLES["events"].data_columns))
    concerned = settle(order_events(concerned))
    ids = concerned.select("order_id").distinct()
    event_days = collect_days(concerned, "event_date")
    before = lake.read("orders").where(F.lit(False))
    revenue: set[date] = set()
    if not sessioned.is_first_load and not lake.is_empty("orders"):
        # An order takes its channel from its session, and its refunds theirs from the order.
        of_sessions = lake.read("orders").join(touched, on="session_id", how="left_semi")
        revenue = _days_in(of_sessions, F.concat(_made_days("", time_zone), _refund_days("")))
        if event_days:
            before = settle(lake.read("orders").join(ids, on="order_id", how="left_semi"))
            event_days |= _days_in(before, "event_dates")
    if not event_days:
        return set(), revenue
    is_known = not sessioned.is_first_load and not before.isEmpty()
    events = concerned
    if is_known or outcome.has_removed:
        # What is stored of them, too.
        stored = order_events(lake.read("events").where(on_days("event_date", event_days)))
        events = settle(stored.join(ids, on="order_id", how="left_semi"))
    orders = settle(build_orders(events))
    made, refunded = _order_days(before, orders, time_zone)
    if sessioned.is_first_load:
        lake.fill("orders", orders)
    elif not is_known:
        lake.append("orders", orders)
    else:
        gone = before.join(orders, on="order_id", how="left_anti").select("order_id")
        lake.merge("orders", orders, gone=gone)
    return made, revenue | made | refunded


# What an order's refunds change.
_OF_REFUNDS = ("refunds", "refunded", "net_revenue", "is_cancelled", "event_dates")


def _order_days(before: DataFrame, orders: DataFrame, time_zone: str) -> tuple[set[date], set[date]]:
    """The days that orders are in which are not as `before`, but for their refunds; and all days of refunds."""
    made = [name for name in ORDERS.data_columns if name not in _OF_REFUNDS]

    def sides(rows: DataFrame, side: str) -> DataFrame:
        return rows.select("order_id", F.struct(*made).alias(f"{side}_made"), F.struct("*").alias(side))

    both = sides(before, "old").join(sides(orders, "new"), on="order_id", how="full")
    is_other = ~F.col("old_made").eqNullSafe(F.col("new_made"))
    made_days = F.concat(*(_made_days(f"{side}.", time_zone) for side in ("old", "new")))
    refund_days = F.concat(*(_refund_days(f"{side}.") for side in ("old", "new")))
    found = both.agg(F.collect_set(F.when(is_other, made_days)), F.collect_set(refund_days)).first()
    return tuple({day for days in each for day in days if day is not None} for each in found)


def _made_days(order: str, time_zone: str) -> Column:
    """The day of an order, and those its session may have begun on; `order` is what stands before its columns."""
    first = local_date(F.col(f"{order}ordered_at") - F.expr("interval 24 hours"), time_zone)
    return F.coalesce(F.sequence(first, F.col(f"{order}order_date")), _no_days())


def _refund_days(order: str) -> Column:
    return F.coalesce(f"{order}refunds.refund_date", _no_days())


def _no_days() -> Column:
    return F.array().cast("array<date>")


def write_identity(lake: Lake, settings: Settings, sessioned: SessionedEvents, outcome: Outcome) -> set[date]:
    """Ownership of the visitors on which verified users were seen in a way not yet known.

    Returns the first day from which active persons have to be counted again; empty if none.
    """
    if not (sessioned.has_verified or outcome.has_removed or outcome.renamed_count):
        return set()
    columns = ["visitor_id", "occurred_at", "event_id", "ts_date", "user_id"]
    is_verified = _is_verified()
    seen = sessioned.rows.where(F.col("_is_new") & is_verified).select(*columns)
    if lake.is_empty("identity") and not outcome.renamed_count:
        if not sessioned.has_verified:
            return set()
        rows = settle(identify(seen))
        days = _owned_days(lake, settings, rows)
        lake.append("identity", rows)
        return days
    # Visitors of whom a verified event is gone or has another user.
    retold = outcome.removed.where(is_verified).select("visitor_id")
    if outcome.renamed_count:
        renamed = sessioned.rows.where(F.col("_is_renamed") & F.col("visitor_id").isNotNull())
        retold = retold.unionByName(renamed.select("visitor_id"))
    concerned = seen.select("visitor_id").unionByName(retold)
    known = settle(lake.read("identity").join(concerned, on="visitor_id", how="left_semi"))
    owners = seen.select("visitor_id", "occurred_at", "user_id")
    owners = owner_at(owners, known, "occurred_at")
    surprising = owners.where(F.col("person_id") != F.col("user_id")).select("visitor_id")
    # A first owner is backdated, so an event before the first known one says more only by its own time.
    firsts = known.groupBy("visitor_id").agg(F.min("valid_from").alias("first_from"))
    earlier = seen.join(firsts, on="visitor_id", how="inner").where(
        F.expr("occurred_at - interval 30 days") < F.col("first_from")
    )
    uncertain = surprising.unionByName(earlier.select("visitor_id")).unionByName(retold)
    uncertain = settle(uncertain.distinct())
    if uncertain.isEmpty():
        return set()
    before = settle(known.join(uncertain, on="visitor_id", how="left_semi"))
    old = uncertain.join(before.select("visitor_id").distinct(), on="visitor_id", how="left_semi")
    fresh = uncertain.join(old, on="visitor_id", how="left_anti")
    # A visitor nobody owned so far has no verified event but the new ones; of the others all are read.
    verified = seen.join(fresh, on="visitor_id", how="left_semi")
    if outcome.renamed_count or not old.isEmpty():
        verified = _verified_events(lake, uncertain)
    rows = settle(identify(verified))
    key = ["visitor_id", "valid_from", "person_id"]
    changed = rows.join(before, on=key, how="left_anti").unionByName(
        before.select(*key).join(rows, on=key, how="left_anti")
    )
    days = _owned_days(lake, settings, changed)
    gone = before.join(rows, on=["visitor_id", "valid_from"], how="left_anti").select("visitor_id", "valid_from")
    lake.merge("identity", rows, gone=gone)
    return days


def _is_verified() -> Column:
    return F.col("user_id").isNotNull() & F.col("visitor_id").isNotNull() & ~F.col("is_test") & is_judged()


def _verified_events(lake: Lake, visitors: DataFrame | None) -> DataFrame:
    events = lake.read("events").where(_is_verified())
    if visitors is not None:
        events = events.join(few(visitors), on="visitor_id", how="left_semi")
    return events.select("visitor_id", "occurred_at", "event_id", "ts_date", "user_id")


def _owned_days(lake: Lake, settings: Settings, changed: DataFrame) -> set[date]:
    """The oldest day on which the visitors of these rows of identity were active under another owner; empty if none.

    Of days before this run's own: those are touched by their events.
    """
    valid_from = changed.agg(F.min(local_date(F.col("valid_from"), settings.shop_time_zone)).alias("day")).first().day
    if valid_from is None:
        return set()
    active = lake.read("visitor_days").where(F.col("event_date") >= F.lit(valid_from))
    active = active.join(changed.select("visitor_id"), on="visitor_id", how="left_semi")
    oldest = active.agg(F.min("event_date").alias("day")).first().day
    return {oldest} if oldest is not None else set()


def write_daily(lake: Lake, settings: Settings, days: Days | None, today: date | None) -> date | None:
    """The daily tables of these days, one commit each; of all days for None. `today` was the last day until now.

    Returns the first day whose active visitors and persons may be others now; None if there is none.
    """
    touched = days.traffic if days else None
    touched_active = days.events | days.persons if days else None

    def on_touched(table: str, days_after: int = 0) -> DataFrame:
        rows = lake.read(table)
        return rows if touched is None else rows.where(on_days(TABLES[table].day, days_from(touched, 0, days_after)))

    sessions, orders = on_touched("sessions"), lake.read("orders")
    if days is not None and days.daily:
        orders = settle(orders.where(_is_counted_on(days.daily)))

    def traffic_and_active() -> date | None:
        if touched is None or touched:
            narrowed = settle_if_small(daily.narrow(on_touched("events")))
            lake.overwrite("daily_traffic", daily.daily_traffic(narrowed, sessions, orders), touched)
        return _write_active(lake, touched_active, today)

    def orders_by_day() -> None:
        if days is None:
            lake.overwrite("daily_orders", daily.daily_orders(orders, lake.read("sessions"), settings.shop_currency))
        elif days.revenue:
            made = collect_days(orders, "order_date")
            of_orders = lake.read("sessions").where(on_days("session_date", days_from(made, -SESSION_DAYS, 0)))
            of_orders = settle_if_small(of_orders.select("session_id", "channel", "source"))
            rows = daily.daily_orders(orders, of_orders, settings.shop_currency)
            lake.overwrite("daily_orders", rows.where(on_days("event_date", days.revenue)), days.revenue)

    def products_by_day() -> None:
        if touched is not None and not touched:
            return
        made = orders if touched is None else orders.where(on_days("order_date", touched))
        rows = daily.daily_products(on_touched("events", SESSION_DAYS), sessions, made, settings.shop_currency)
        lake.overwrite("daily_products", rows, touched)

    first_active, *_ = at_once(traffic_and_active, orders_by_day, products_by_day)
    return first_active


def _is_counted_on(days: set[date]) -> Column:
    """True for all orders that numbers of these days tell of, and some others: made or refunded then, or made in a
    session that began then."""
    is_made = on_days("order_date", days_from(days, 0, SESSION_DAYS))
    refunded = F.col("refunds.refund_date")
    is_refunded = (F.array_max(refunded) >= F.lit(min(days))) & (F.array_min(refunded) <= F.lit(max(days)))
    return is_made | F.coalesce(is_refunded, F.lit(False))


def _write_active(lake: Lake, touched: set[date] | None, today: date | None) -> date | None:
    """The active visitors and persons from the oldest touched day on, or from the day after `today`, which was the
    last one: days without events are between. Of all days for None.

    Returns the first day whose numbers may be others now; None if there is none.
    """
    if touched is not None and not touched:
        return None
    # The daily traffic has a row for every day with events.
    bounds = lake.bounds("daily_traffic", "event_date")
    if bounds is None:
        lake.overwrite("daily_active", lake.read("daily_active").limit(0))
        return min(touched) if touched else None
    first_day, last_day = bounds
    if touched is not None and today is not None:
        touched = touched | {min(today + timedelta(days=1), last_day)}
    first = first_day if touched is None else max(min(touched), first_day)
    written = [first + timedelta(days=n) for n in range((last_day - first).days + 1)]
    days = lake.spark.range(0, 1, 1, 1).select(
        F.explode(F.lit(written) if written else F.array().cast("array<date>")).alias("event_date"),
        F.lit(first_day).alias("first_date"),
    )
    active = lake.read("visitor_days").where(F.col("event_date") >= F.lit(first - timedelta(days=29)))
    rows = daily.daily_active(settle_if_small(active), lake.read("identity"), days)
    if first == first_day:
        lake.overwrite("daily_active", rows)
        return first if touched is None else min(touched)
    # A last day that lost its events takes the quiet days before it along: none of them is left.
    first = min(first, last_day + timedelta(days=1))
    until = max(last_day, *touched)
    lake.overwrite("daily_active", rows, days_from({first}, 0, (until - first).days))
    return first


def write_restatements(
    lake: Lake, before: dict[str, int | None], today: date | None, days: Days | None, first_active: date | None
) -> int:
    """One commit, if any published number is another now than in the snapshots `before`; returns how many are.

    Published is what a day before `today` had, the greatest day of the run before. `days` are those written
    again, None where all were; `first_active` is the first of those whose active visitors and persons were.
    """
    if today is None:
        return 0
    is_over = F.col("event_date") < F.lit(today)
    touched = active = is_over
    if days is not None:
        over = {day for day in days.daily if day < today}
        is_active_over = first_active is not None and first_active < today
        if not over and not is_active_over:
            return 0
        touched = on_days("event_date", over)
        active = is_over & (F.col("event_date") >= F.lit(first_active)) if is_active_over else F.lit(False)
    wheres = {"daily_traffic": touched, "daily_orders": touched, "daily_products": touched, "daily_active": active}
    readings = [
        (TABLES[name], lake.read_as_of(name, before[name]).where(where), lake.read(name).where(where))
        for name, where in wheres.items()
        if lake.snapshot(name) != before[name]
    ]
    rows = settle(restated(readings))
    count = rows.count()
    if count:
        lake.append("restatements", rows)
    return count


def rebuild_all(lake: Lake, settings: Settings) -> None:
    """Every derived table anew from `events`, and the session ids in `events` where they were wrong."""
    stored = lake.read("events")
    rows = stored.select(
        *TABLES["events"].data_columns,
        F.struct(*_VERDICT).alias("stored"),
        F.lit(False).alias("_is_new"),
        F.lit(False).alias("_is_renamed"),
    )
    rows = settle(_cut(rows, None))
    wrong = rows.where(_is_changed())
    wrong_days = collect_days(wrong, "event_date")
    if wrong_days:
        lake.merge("events", wrong, days=wrong_days)
    sessions = summarize_sessions(rows, settings.shop_time_zone, settings.shop_hosts)
    at_once(
        lambda: lake.overwrite("sessions", sessions),
        lambda: lake.overwrite("visitor_days", daily.visitor_days(rows)),
        lambda: lake.overwrite("orders", build_orders(settle(order_events(lake.read("events"))))),
        lambda: lake.overwrite("identity", identify(_verified_events(lake, None))),
    )
    write_daily(lake, settings, None, None)
