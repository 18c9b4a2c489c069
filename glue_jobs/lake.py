"""The lake's tables: reading, committing, going back. The only module of the job that writes tables."""

from collections.abc import Callable, Collection
from datetime import date, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_jobs.runtime import CATALOG, in_one_task
from glue_jobs.tables import TABLES, Table

# Iceberg prunes files by at most 200 literals; a longer list would read the whole table.
MAX_LITERALS = 150


def on_days(column: str, days: Collection[date]) -> Column:
    """A condition on a date column that Iceberg can prune by: a list of days, or the span of a long list."""
    return F.expr(_is_on(column, days)) if days else F.lit(False)


def _is_on(column: str, days: Collection[date]) -> str:
    # As SQL text: java.sql.Date, by which Python's dates travel, knows no year below 1000.
    if len(days) <= MAX_LITERALS:
        # An empty list is no SQL; no row has this day.
        literals = ", ".join(f"date'{day}'" for day in sorted(days)) or "date'0001-01-01'"
        return f"{column} in ({literals})"
    return f"{column} between date'{min(days)}' and date'{max(days)}'"


def settle(rows: DataFrame) -> DataFrame:
    """The same rows, computed now and once. Unlike a cached frame it forgets how it was made: a run reads
    its rows in dozens of queries, and each would plan the whole way from the raw line again."""
    return in_one_task(rows).localCheckpoint(eager=True)


class Lake:
    """The tables as one run sees and writes them. Every method that writes makes exactly one commit."""

    def __init__(
        self,
        spark: SparkSession,
        database: str,
        run_id: str,
        written_at: datetime,
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.spark = spark
        self.database = database
        self.run_id = run_id
        self.written_at = written_at
        self.before_commit = before_commit

    def name(self, table: str) -> str:
        return f"{CATALOG}.{self.database}.{table}"

    def create_missing_tables(self) -> None:
        """Creates the tables that do not exist and adds columns that are new in glue_jobs/tables.py."""
        existing = {row.tableName for row in self.spark.sql(f"show tables in {CATALOG}.{self.database}").collect()}
        for table in TABLES.values():
            if table.name not in existing:
                self.spark.sql(self._create_statement(table))
                continue
            # Others may have committed since this session knew the table; from here on only this run commits.
            self.spark.catalog.refreshTable(self.name(table.name))
            known = set(self.read(table.name).columns)
            new = [column for column in table.columns if column.name not in known]
            if new:
                columns = ", ".join(f"{c.name} {c.type} comment {_text(c.comment)}" for c in new)
                self.spark.sql(f"alter table {self.name(table.name)} add columns ({columns})")

    def _create_statement(self, table: Table) -> str:
        columns = ",\n".join(f"  {c.name} {c.type} comment {_text(c.comment)}" for c in table.columns)
        partitions = f"partitioned by ({', '.join(table.partitions)})" if table.partitions else ""
        return f"""create table {self.name(table.name)} (
{columns}
) using iceberg {partitions}
comment {_text(table.grain)}
tblproperties (
  'format-version' = '2',
  'write.merge.mode' = 'merge-on-read',
  'write.delete.mode' = 'merge-on-read',
  'write.update.mode' = 'merge-on-read',
  'write.distribution-mode' = 'none',
  'write.spark.fanout.enabled' = 'true',
  'write.parquet.compression-codec' = 'zstd',
  'write.metadata.delete-after-commit.enabled' = 'true',
  'write.metadata.previous-versions-max' = '20'
)"""

    def read(self, table: str) -> DataFrame:
        return in_one_task(self.spark.read.table(self.name(table)))

    def read_as_of(self, table: str, snapshot: int | None) -> DataFrame:
        """The table as `snapshot` has it; without rows for None."""
        if snapshot is None:
            return self.read(table).limit(0)
        return in_one_task(self.spark.read.option("snapshot-id", snapshot).table(self.name(table)))

    def snapshot(self, table: str) -> int | None:
        """Id of the current snapshot; None for a table nothing was ever committed to."""
        current = self._iceberg_table(table).currentSnapshot()
        return current.snapshotId() if current is not None else None

    def snapshots(self) -> dict[str, int | None]:
        return {table: self.snapshot(table) for table in TABLES}

    def _iceberg_table(self, table: str):
        jvm = self.spark.sparkContext._jvm
        spark3_util = jvm.org.apache.iceberg.spark.Spark3Util
        return spark3_util.loadIcebergTable(self.spark._jsparkSession, self.name(table))

    def is_empty(self, table: str) -> bool:
        """True if the current snapshot holds no row, by Iceberg's own totals: no file is read."""
        current = self._iceberg_table(table).currentSnapshot()
        return current is None or current.summary().get("total-records") == "0"

    def go_back(self, table: str, snapshot: int | None) -> bool:
        """Makes `snapshot` the current one again; None empties the table. True if something changed."""
        if self.snapshot(table) == snapshot:
            return False
        self.before_commit()
        if snapshot is None:
            self.spark.sql(f"delete from {self.name(table)}")
        else:
            self.spark.sql(f"call {CATALOG}.system.rollback_to_snapshot('{self.database}.{table}', {snapshot})")
        return True

    def _stamped(self, table: str, rows: DataFrame) -> DataFrame:
        """The rows with the run's columns, in the table's order and types."""
        definition = TABLES[table]
        if "run_id" in definition.column_names and "run_id" not in rows.columns:
            rows = rows.withColumn("run_id", F.lit(self.run_id))
        if "written_at" in definition.column_names:
            rows = rows.withColumn("written_at", F.lit(self.written_at).cast("timestamp_ntz"))
        return rows.select(*(F.col(c.name).cast(c.type).alias(c.name) for c in definition.columns))

    def append(self, table: str, rows: DataFrame) -> None:
        self.before_commit()
        self._stamped(table, rows).writeTo(self.name(table)).append()

    def overwrite(self, table: str, rows: DataFrame, condition: Column | None = None) -> None:
        """Replaces the rows that meet `condition` (whole partitions), or all rows."""
        self.before_commit()
        where = F.lit(True) if condition is None else condition
        self._stamped(table, rows).writeTo(self.name(table)).overwrite(where)

    def merge(
        self, table: str, rows: DataFrame, gone: DataFrame | None = None, days: Collection[date] | None = None
    ) -> None:
        """Writes `rows` over those of the same key and removes the keys in `gone`.

        `days` are the days of the table's date partition that may hold rows of these keys: literals in the
        condition, so that only their files are read.
        """
        definition = TABLES[table]
        source = self._stamped(table, rows).withColumn("_is_gone", F.lit(False))
        if gone is not None:
            others = [c for c in definition.columns if c.name not in definition.key]
            keys = gone.select(*definition.key, *(F.lit(None).cast(c.type).alias(c.name) for c in others)).withColumn(
                "_is_gone", F.lit(True)
            )
            source = source.unionByName(keys)
        source.createOrReplaceTempView(f"{table}_changes")
        same_key = " and ".join(f"t.{column} = s.{column}" for column in definition.key)
        pruning = f"{_is_on(f't.{definition.partitions[0]}', days)} and " if days is not None else ""
        assignments = ", ".join(f"t.{name} = s.{name}" for name in definition.column_names)
        names = ", ".join(definition.column_names)
        values = ", ".join(f"s.{name}" for name in definition.column_names)
        self.before_commit()
        self.spark.sql(f"""
            merge into {self.name(table)} t using {table}_changes s
            on {pruning}{same_key}
            when matched and s._is_gone then delete
            when matched then update set {assignments}
            when not matched and not s._is_gone then insert ({names}) values ({values})
        """)


def _text(value: str) -> str:
    # Spark's parser knows no doubled quotes.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
