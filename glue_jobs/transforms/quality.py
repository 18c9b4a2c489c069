"""The checks that a run ends with."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def uncovered_lines(objects: DataFrame, events: DataFrame, repeats: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Objects whose lines have not exactly one outcome each: (object, lines, outcomes, lines_with_outcome).

    `objects` as tables.INGESTED_OBJECTS; the other three need object and line. Empty when the ledger holds.
    """
    outcomes = (
        events.select("object", "line")
        .unionByName(repeats.select("object", "line"))
        .unionByName(quarantine.select("object", "line"))
        .groupBy("object", "line")
        .agg(F.count(F.lit(1)).alias("outcomes"))
        .groupBy("object")
        .agg(F.sum("outcomes").alias("outcomes"), F.count(F.lit(1)).alias("lines_with_outcome"))
    )
    expected = F.col("lines") - F.col("lines_lost")
    found = F.coalesce(F.col("outcomes"), F.lit(0))
    distinct = F.coalesce(F.col("lines_with_outcome"), F.lit(0))
    return (
        objects.join(outcomes, on="object", how="left")
        .where((found != expected) | (distinct != expected))
        .select("object", "lines", "lines_lost", found.alias("outcomes"), distinct.alias("lines_with_outcome"))
    )


def repeated_events(events: DataFrame) -> DataFrame:
    """(event_id, ts_date) that stand in `events` more than once. Empty when nothing is counted twice."""
    return events.groupBy("event_id", "ts_date").agg(F.count(F.lit(1)).alias("copies")).where(F.col("copies") > 1)
