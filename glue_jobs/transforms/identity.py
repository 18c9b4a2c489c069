"""Which person a visitor is, from the verified users seen on it."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

BACKDATED = "interval 30 days"


def identify(verified: DataFrame) -> DataFrame:
    """Rows of (visitor_id, valid_from, person_id): one for each change of a visitor's verified user.

    `verified` holds every event of these visitors that has a user_id: visitor_id, occurred_at, event_id,
    ts_date, user_id. The first user owns the visitor from 30 days before their first event, each later
    one from theirs; signing out changes nothing.
    """
    in_order = Window.partitionBy("visitor_id").orderBy("occurred_at", "event_id", "ts_date")
    before = F.lag("user_id").over(in_order)
    changes = verified.withColumn("before", before).where(
        F.col("before").isNull() | (F.col("before") != F.col("user_id"))
    )
    valid_from = F.when(F.col("before").isNull(), F.expr(f"occurred_at - {BACKDATED}")).otherwise(F.col("occurred_at"))
    # Two users in one instant: the later by event_id is in force from then on.
    at_once = Window.partitionBy("visitor_id", "valid_from").orderBy(
        F.col("occurred_at").desc(), F.col("event_id").desc(), F.col("ts_date").desc()
    )
    return (
        changes.withColumn("valid_from", valid_from)
        .withColumn("number", F.row_number().over(at_once))
        .where(F.col("number") == 1)
        .select("visitor_id", "valid_from", F.col("user_id").alias("person_id"))
    )


def owner_at(visits: DataFrame, identity: DataFrame, moment: str) -> DataFrame:
    """Adds person_id: who owned the visitor at the instant in column `moment`; the visitor_id if nobody did.

    `visits` has visitor_id and `moment`; rows stay as they are in number.
    """
    spans = _spans(identity)
    is_owner = (
        (F.col("v.visitor_id") == F.col("i.visitor_id"))
        & (F.col(f"v.{moment}") >= F.col("i.valid_from"))
        & (F.col("i.valid_until").isNull() | (F.col(f"v.{moment}") < F.col("i.valid_until")))
    )
    return (
        visits.alias("v")
        .join(spans.alias("i"), on=is_owner, how="left")
        .select("v.*", F.coalesce("i.person_id", "v.visitor_id").alias("person_id"))
    )


def person_days(visitor_days: DataFrame, identity: DataFrame) -> DataFrame:
    """(event_date, person_id), distinct: the persons who owned a visitor between its first and last
    active event of the day. `visitor_days` as tables.VISITOR_DAYS."""
    spans = _spans(identity)
    overlaps = (
        (F.col("d.visitor_id") == F.col("i.visitor_id"))
        & (F.col("d.last_active_at") >= F.col("i.valid_from"))
        & (F.col("i.valid_until").isNull() | (F.col("d.first_active_at") < F.col("i.valid_until")))
    )
    # Before the first owner the visitor stands for itself.
    first_owned = identity.groupBy("visitor_id").agg(F.min("valid_from").alias("owned_from"))
    owned = (
        visitor_days.alias("d").join(spans.alias("i"), on=overlaps, how="inner").select("d.event_date", "i.person_id")
    )
    unowned = (
        visitor_days.join(first_owned, on="visitor_id", how="left")
        .where(F.col("owned_from").isNull() | (F.col("first_active_at") < F.col("owned_from")))
        .select("event_date", F.col("visitor_id").alias("person_id"))
    )
    return owned.unionByName(unowned).distinct()


def _spans(identity: DataFrame) -> DataFrame:
    changes = Window.partitionBy("visitor_id").orderBy("valid_from")
    return identity.select(
        "visitor_id", "valid_from", "person_id", F.lead("valid_from").over(changes).alias("valid_until")
    )
