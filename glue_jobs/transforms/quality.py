"""The checks that a run ends with."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def uncovered_lines(objects: DataFrame, events: DataFrame, repeats: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Objects whose lines have not exactly one outcome each: (object, lines, outcomes, lines_with_outcome).

    `objects` as tables.INGESTED_OBJECTS; the other three need object and line. Empty when the ledger holds.
    """
    # Lines are counted by a number in place of their object's long name.
    number = F.xxhash64("object").alias("number")
    outcomes = (
        events.select(number, "line")
        .unionByName(repeats.select(number, "line"))
        .unionByName(quarantine.select(number, "line"))
        .groupBy("number", "line")
        .agg(F.count(F.lit(1)).alias("outcomes"))
        .groupBy("number")
        .agg(F.sum("outcomes").alias("outcomes"), F.count(F.lit(1)).alias("lines_with_outcome"))
    )
    expected = F.col("lines") - F.col("lines_lost")
    found = F.coalesce(F.col("outcomes"), F.lit(0))
    distinct = F.coalesce(F.col("lines_with_outcome"), F.lit(0))
    return (
        objects.withColumn("number", number)
        .join(outcomes, on="number", how="left")
        .where((found != expected) | (distinct != expected))
        .select("object", "lines", "lines_lost", found.alias("outcomes"), distinct.alias("lines_with_outcome"))
    )


def repeated_events(events: DataFrame) -> DataFrame:
    """(event_id, ts_date, copies) that stand in `events` more than once. Empty when nothing is counted twice."""
    return events.groupBy("event_id", "ts_date").agg(F.count(F.lit(1)).alias("copies")).where(F.col("copies") > 1)


def may_be_repeated(events: DataFrame) -> DataFrame:
    """Numbers of events that may stand in `events` more than once: empty only if none does. Quicker than to be sure."""
    event = F.xxhash64("event_id", "ts_date").alias("event")
    return events.groupBy(event).agg(F.count(F.lit(1)).alias("copies")).where(F.col("copies") > 1)
