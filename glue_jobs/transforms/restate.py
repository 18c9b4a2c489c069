"""What changed between two readings of the daily tables."""

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.tables import RESTATEMENTS, Table

NUMBER = RESTATEMENTS.type_of("old")


def restated(readings: Iterable[tuple[Table, DataFrame, DataFrame]]) -> DataFrame:
    """tables.RESTATEMENTS, without the run's columns: every number that is not the same in a table's two readings,
    the old one and the new one."""
    numbers = (
        _numbers(table, rows, is_old) for table, old, new in readings for rows, is_old in ((old, True), (new, False))
    )
    changes = (
        reduce(DataFrame.unionByName, numbers)
        .groupBy("event_date", "table_name", "metric", "slice")
        .agg(_only(F.col("is_old")).alias("old"), _only(~F.col("is_old")).alias("new"))
    )
    return changes.where(~F.col("old").eqNullSafe(F.col("new")))


def _only(condition: Column) -> Column:
    return F.max(F.when(condition, F.col("number")))


def _numbers(table: Table, rows: DataFrame, is_old: bool) -> DataFrame:
    """One row per number: event_date, table_name, metric, slice, number, is_old."""
    slices = [name for name in table.key if name != "event_date"]
    # As SQL text: Python asks the JVM for every piece of an expression.
    numbers = ", ".join(
        f"struct('{c.name}' as metric, cast({c.name} as {NUMBER}) as number)"
        for c in table.columns
        if c.type == "bigint" or c.type.startswith("decimal")
    )
    return rows.select(
        "event_date",
        F.lit(table.name).alias("table_name"),
        F.concat_ws(" ", *slices).alias("slice"),
        F.expr(f"inline(array({numbers}))"),
        F.lit(is_old).alias("is_old"),
    )
