"""Exactly once: of all copies of an event, the earliest is kept."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

COPY_COLUMNS = ["event_id", "ts_date", "received_at", "ingest_id", "position", "object", "line", "user_id"]


def rank_copies(arrivals: DataFrame, stored: DataFrame | None = None) -> DataFrame:
    """Of each (event_id, ts_date), which copy is kept: the least by (received_at, ingest_id, position).

    Both inputs have COPY_COLUMNS. A tie means the same line read twice: the stored one stays, then the
    least (object, line), which no compared table shows. Returns the copies with `is_stored`, `is_kept`,
    `has_stored` (the event is in the lake), and `least_user_id` over all copies.
    """
    copies = arrivals.select(*COPY_COLUMNS, F.lit(False).alias("is_stored"))
    if stored is not None:
        copies = copies.unionByName(stored.select(*COPY_COLUMNS, F.lit(True).alias("is_stored")))
    event = Window.partitionBy("event_id", "ts_date")
    in_order = event.orderBy("received_at", "ingest_id", "position", F.col("is_stored").desc(), "object", "line")
    return copies.withColumns(
        {
            "is_kept": F.row_number().over(in_order) == 1,
            "has_stored": F.max("is_stored").over(event),
            "least_user_id": F.min("user_id").over(event),
        }
    )


def first_refusals(refused: DataFrame) -> DataFrame:
    """Refused lines with `is_kept`: of lines equal in (ingest_id, position), the least (object, line)."""
    same_line = Window.partitionBy("ingest_id", "position").orderBy("object", "line")
    return refused.withColumn("is_kept", F.row_number().over(same_line) == 1)
