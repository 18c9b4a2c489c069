"""What a run read: typed rows of new raw lines, and which of them the lake keeps."""

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from glue_jobs.lake import MAX_LITERALS, Lake, days_around, on_days, settle
from glue_jobs.raw_objects import NO_DATE, object_date_column
from glue_jobs.runtime import few
from glue_jobs.tables import QUARANTINE, REPEATS
from glue_jobs.transforms.deduplicate import first_refusals, rank_copies

EVENT_KEY = ["event_id", "ts_date"]
# So few are ranked all: finding those that came more than once would cost a query more.
FEW_EVENTS = 100_000


@dataclass(frozen=True)
class Outcome:
    """What becomes of each line that was read.

    `winners` are the accepted rows to store; `removed` the stored rows that they replace or that a new
    reading no longer gives, as they were; `renamed` stored rows that only get another verified user
    (event_id, ts_date, event_date, visitor_id, and the new user_id).
    """

    winners: DataFrame
    removed: DataFrame
    has_removed: bool
    renamed: DataFrame
    repeats: DataFrame
    quarantine: DataFrame
    inserted: int
    replaced: int
    renamed_count: int
    duplicates: int
    quarantined: int

    @property
    def stored(self) -> int:
        return self.inserted + self.replaced


def judge(lake: Lake, arrivals: DataFrame, covered: DataFrame | None = None) -> Outcome:
    """Holds typed lines against the lake: what is new, what replaces, what repeats, what is refused.

    `covered` (object, line) are lines that are read again: what is stored of them does not compete.
    """
    lines = arrivals.where(F.col("line") > 0)
    accepted = lines.where(F.col("reason").isNull())
    read = lines.groupBy("ts_date", F.col("reason").isNotNull().alias("is_refused")).count().collect()
    refused = _judge_refused(lake, lines.where(F.col("reason").isNotNull()), covered, any(r.is_refused for r in read))
    count = sum(row["count"] for row in read if not row.is_refused)
    stored = _stored_copies(lake, accepted, {row.ts_date for row in read if not row.is_refused}, covered)
    # An event that came once and is not stored needs no ranking.
    several = accepted if count <= FEW_EVENTS else _in_several_copies(accepted, stored)
    ranked = settle(rank_copies(several, stored))
    new = ranked.where(~F.col("is_stored"))
    counts = (
        ranked.groupBy("is_stored", "is_kept", "has_stored")
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(~F.col("least_user_id").eqNullSafe(F.col("user_id"))).alias("renamed"),
        )
        .collect()
    )

    def total(*, is_stored: bool, is_kept: bool, has_stored: bool | None = None) -> int:
        return sum(
            row.rows
            for row in counts
            if row.is_stored == is_stored and row.is_kept == is_kept and has_stored in (None, row.has_stored)
        )

    repeated = total(is_stored=False, is_kept=False)
    unranked = count - total(is_stored=False, is_kept=True) - repeated
    winners = accepted
    if repeated or stored is not None:
        # Copies are few beside events, so the many rows stay where they are and the few go to them.
        losers = new.where(~F.col("is_kept")).select("object", "line")
        winners = winners.join(_small(losers, repeated), on=["object", "line"], how="left_anti")
    renamed_new = sum(row.renamed for row in counts if not row.is_stored and row.is_kept)
    if renamed_new:
        users = new.where(F.col("is_kept") & ~F.col("least_user_id").eqNullSafe(F.col("user_id")))
        users = users.select("object", "line", "least_user_id")
        winners = winners.join(_small(users, renamed_new), on=["object", "line"], how="left")
        winners = winners.withColumn("user_id", F.coalesce("least_user_id", "user_id")).drop("least_user_id")
    winners = winners.drop("reason", "field", "fault", "raw_line", "object_date")

    old = ranked.where(F.col("is_stored"))
    # An empty frame that the planner knows to be empty: what is joined to it or united with it costs nothing.
    removed = lake.read("events").where(F.lit(False))
    replaced = total(is_stored=True, is_kept=False)
    if replaced:
        removed = settle(_stored_rows(lake, old.where(~F.col("is_kept")), stored))
    if covered is not None:
        again = lake.read("events").join(covered, on=["object", "line"], how="left_semi")
        removed = settle(removed.unionByName(again.select(*removed.columns)))
    renamed = old.where(F.col("is_kept") & ~F.col("least_user_id").eqNullSafe(F.col("user_id")))
    renamed = renamed.select(*EVENT_KEY, F.col("least_user_id").alias("user_id"))
    renamed_count = sum(row.renamed for row in counts if row.is_stored and row.is_kept)
    if renamed_count:
        where_stored = stored.select(*EVENT_KEY, "event_date", "visitor_id")
        renamed = settle(renamed.join(where_stored, on=EVENT_KEY, how="inner"))
    else:
        renamed = removed.limit(0).select(*EVENT_KEY, "user_id", "event_date", "visitor_id")
    repeats = (
        new.where(~F.col("is_kept"))
        .unionByName(old.where(~F.col("is_kept")))
        .withColumn("object_date", object_date_column(F.col("object")))
        .select(*REPEATS.data_columns)
        .unionByName(refused.repeats)
    )
    return Outcome(
        winners=winners,
        removed=removed,
        has_removed=replaced > 0 or covered is not None,
        renamed=renamed,
        repeats=repeats,
        quarantine=refused.quarantine,
        inserted=total(is_stored=False, is_kept=True, has_stored=False) + unranked,
        replaced=total(is_stored=False, is_kept=True, has_stored=True),
        renamed_count=renamed_count,
        duplicates=repeated + refused.repeated,
        quarantined=refused.quarantined,
    )


def _in_several_copies(accepted: DataFrame, stored: DataFrame | None) -> DataFrame:
    """Those of `accepted` that came more than once or are stored, and perhaps a few others."""
    event = F.xxhash64(*EVENT_KEY).alias("event")
    events = accepted.select(event)
    if stored is not None:
        events = events.unionByName(stored.select(event))
    several = settle(events.groupBy("event").count().where("count > 1").select("event"))
    accepted = accepted.withColumn("event", event)
    return accepted.join(_small(several, several.count()), on="event", how="left_semi").drop("event")


def _small(rows: DataFrame, count: int) -> DataFrame:
    return few(rows) if count < 1_000_000 else rows


@dataclass(frozen=True)
class _Refused:
    """Rows for quarantine, repeats among the refused lines, and how many of both."""

    quarantine: DataFrame
    repeats: DataFrame
    quarantined: int
    repeated: int


def _judge_refused(lake: Lake, refused: DataFrame, covered: DataFrame | None, is_any: bool) -> _Refused:
    dated = refused.withColumn("received_date", F.coalesce(F.to_date("received_at"), F.lit(NO_DATE)))
    # Where there is nothing the planner knows it, of all that is made of it, too.
    ranked = settle(first_refusals(dated)) if is_any else first_refusals(dated).where(F.lit(False))
    if not is_any or lake.is_empty("quarantine"):
        ranked = ranked.withColumn("is_known", F.lit(False))
    else:
        days = {row.received_date for row in ranked.select("received_date").distinct().collect()}
        known = lake.read("quarantine").where(on_days("received_date", days))
        if covered is not None:
            known = known.join(covered, on=["object", "line"], how="left_anti")
        known = known.select("ingest_id", "position", F.lit(True).alias("is_known"))
        ranked = ranked.join(known, on=["ingest_id", "position"], how="left")
        # Settled before anything is committed: read later, the new rows themselves would be known.
        ranked = settle(ranked.withColumn("is_known", F.coalesce("is_known", F.lit(False))))
    is_first = F.col("is_kept") & ~F.col("is_known")
    repeats = ranked.where(~is_first).select(
        "object",
        "line",
        "object_date",
        F.lit(None).cast("string").alias("event_id"),
        F.lit(None).cast("date").alias("ts_date"),
        "ingest_id",
        "position",
    )
    found = ranked.groupBy(is_first.alias("is_first")).count().collect() if is_any else []
    counts = {row.is_first: row["count"] for row in found}
    return _Refused(
        ranked.where(is_first).select(*QUARANTINE.data_columns), repeats, counts.get(True, 0), counts.get(False, 0)
    )


def _stored_copies(lake: Lake, accepted: DataFrame, days: set[date], covered: DataFrame | None) -> DataFrame | None:
    """Stored rows (all columns) of the events in `accepted`, of the ts_dates `days`; None where the table is empty.

    An event lies within a day of its ts_date, or in a partition of that stray_date: so only files of the
    batch's own days are read. Events without a readable ts all have 1970-01-01; those are sought by id.
    """
    if lake.is_empty("events"):
        return None
    keys = accepted.select(*EVENT_KEY)
    told = days - {NO_DATE}
    is_near = F.col("stray_date").isNull() & on_days("event_date", days_around(told, 1))
    where = is_near | on_days("stray_date", told)
    if NO_DATE in days:
        ids = [
            row.event_id for row in keys.where(F.col("ts_date") == F.lit(NO_DATE)).limit(10 * MAX_LITERALS).collect()
        ]
        unreadable = (F.col("stray_date") == F.lit(NO_DATE)) | (
            F.col("stray_date").isNull() & F.col("event_date").between(NO_DATE, NO_DATE + timedelta(days=1))
        )
        if len(ids) < 10 * MAX_LITERALS:
            by_id = F.lit(False)
            for first in range(0, len(ids), MAX_LITERALS):
                by_id = by_id | F.col("event_id").isin(ids[first : first + MAX_LITERALS])
            unreadable = unreadable & by_id
        where = where | unreadable
    stored = lake.read("events").where(where).join(keys, on=EVENT_KEY, how="left_semi")
    if covered is not None:
        stored = stored.join(covered, on=["object", "line"], how="left_anti")
    return stored


def _stored_rows(lake: Lake, keys: DataFrame, stored: DataFrame) -> DataFrame:
    return stored.join(keys.select(*EVENT_KEY), on=EVENT_KEY, how="left_semi").select(*lake.read("events").columns)
