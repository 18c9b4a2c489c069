"""What changed between two readings of a daily table."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.tables import RESTATEMENTS, Table

NUMBER = RESTATEMENTS.type_of("old")


def restated(table: Table, old: DataFrame, new: DataFrame) -> DataFrame:
    """tables.RESTATEMENTS, without the run's columns: every number that is not the same in both."""
    both = _numbers(table, old, is_old=True).unionByName(_numbers(table, new, is_old=False))
    key = ["event_date", "table_name", "metric", "slice"]
    changes = both.groupBy(*key).agg(_only(F.col("is_old")).alias("old"), _only(~F.col("is_old")).alias("new"))
    return changes.where(~F.col("old").eqNullSafe(F.col("new")))


def _only(condition: Column) -> Column:
    return F.max(F.when(condition, F.col("number")))


def _numbers(table: Table, rows: DataFrame, is_old: bool) -> DataFrame:
    """One row per number: event_date, table_name, metric, slice, number, is_old."""
    slices = [name for name in table.key if name != "event_date"]
    numbers = F.array(
        *(
            F.struct(F.lit(c.name).alias("metric"), F.col(c.name).cast(NUMBER).alias("number"))
            for c in table.columns
            if c.type == "bigint" or c.type.startswith("decimal")
        )
    )
    return rows.select(
        "event_date",
        F.lit(table.name).alias("table_name"),
        F.concat_ws(" ", *slices).alias("slice"),
        F.inline(numbers),
        F.lit(is_old).alias("is_old"),
    )
