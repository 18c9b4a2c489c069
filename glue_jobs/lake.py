"""The lake's tables: reading, committing, going back. The only module of the job that writes tables."""

from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property, partial
from itertools import takewhile
from typing import Any

from pyspark.sql import Column, DataFrame, DataFrameWriterV2, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from glue_jobs.evolution import changes_of
from glue_jobs.runtime import CATALOG, at_once, in_one_task, is_small
from glue_jobs.tables import TABLES, Table

# Iceberg prunes files by at most 200 literals; a longer list would read the whole table.
MAX_LITERALS = 150
# A task keeps a Parquet writer open for each day of its rows, with a buffer for each column. Rows of more days than
# these are sorted first, and one writer is open at a time.
MAX_OPEN_DAYS = 100
# A partition is compacted from so many files on, a table's manifests from so many manifests on.
SMALL_FILES, SMALL_MANIFESTS = 4, 10
MONTH_FILE_BYTES = 32 << 20
# What a compaction that is not thorough leaves alone: files of this size, with fewer files of deleted rows than these.
SMALL_FILE_BYTES, MANY_DELETE_FILES = 4 << 20, 32
# Clocks of two runs' machines do not differ by more.
CLOCKS_DIFFER = timedelta(hours=1)
# A manifest that is on average smaller than this is small; Iceberg makes them of 8 MB.
MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True)
class Snapshot:
    """A state of a table. `is_named`: a branch or a tag points to it."""

    id: int
    committed_at: datetime
    is_named: bool


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


def _is_in_months(column: str, days: Collection[date]) -> str:
    """A condition that whole months meet: those of these days; of a long list all between."""
    months = {day.replace(day=1) for day in days}
    spans = [(first, first) for first in sorted(months)] if len(days) <= MAX_LITERALS else [(min(months), max(months))]
    ends = ((first, last.replace(day=monthrange(last.year, last.month)[1])) for first, last in spans)
    return " or ".join(f"{column} between date'{first}' and date'{last}'" for first, last in ends)


def days_around(days: Collection[date], reach: int) -> set[date]:
    """The days and those up to `reach` before and after, from year 1 to 9999."""
    return days_from(days, -reach, reach)


def days_from(days: Collection[date], first: int, last: int) -> set[date]:
    """The days from `first` to `last` days after each of these, from year 1 to 9999."""
    numbers = {day.toordinal() + distance for day in days for distance in range(first, last + 1)}
    return {date.fromordinal(number) for number in numbers if 1 <= number <= date.max.toordinal()}


def settle(rows: DataFrame) -> DataFrame:
    """The same rows, computed now and once. Unlike a cached frame it forgets how it was made: a run reads
    its rows in dozens of queries, and each would plan the whole way from the raw line again."""
    # Each query copies whole rows before it takes what it needs of them: one struct is copied at once.
    # As a type written out it is all nullable, so that the optimizer cannot give it another.
    row = F.struct("*").cast(rows.schema.simpleString())
    packed = in_one_task(rows).select(row.alias("row"))
    stays_in_memory = is_small(rows.sparkSession)
    kept = packed.localCheckpoint(eager=stays_in_memory)
    if not stays_in_memory:
        # On disk alone: in memory they would push out the tables that tasks write by, which Iceberg then closes.
        storage_level = rows.sparkSession.sparkContext._jvm.org.apache.spark.storage.StorageLevel
        kept._jdf.queryExecution().analyzed().rdd().persist(storage_level.DISK_ONLY())
        kept.count()
    return kept.select("row.*")


def settle_if_small(rows: DataFrame) -> DataFrame:
    """The same rows for a query that reads them twice. A small run would compute them twice; a large one sends them
    from task to task, and Spark then reads what was sent."""
    return settle(rows) if is_small(rows.sparkSession) else rows


class ForeignCommit(RuntimeError):
    """Among the run's commits lies one that it did not make. The run may not complete; the next one undoes both."""


class Lake:
    """The tables as one run sees and writes them. A method that writes rows makes exactly one commit."""

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
        # Columns of an older contract, by table: they stay, nobody reads them here, and new rows have null there.
        self._retired: dict[str, StructType] = {}
        self._known: dict[str, int | None] = {}

    def name(self, table: str) -> str:
        return f"{CATALOG}.{self.database}.{table}"

    def create_missing_tables(self) -> None:
        """Creates the tables that do not exist, and makes the others what glue_jobs/tables.py says.

        Columns are added and widened; one that tables.py no longer has stays, null from then on. What is written
        from here on to a table that was by day and is by month lies in months; older files stay as they are. Raises
        NotEvolvable, before any table is changed, where a column would have to become something else.
        """
        existing = {row.tableName for row in self.spark.sql(f"show tables in {CATALOG}.{self.database}").collect()}
        statements = at_once(*(partial(self._statements, table, table.name in existing) for table in TABLES.values()))
        at_once(*(partial(self._carry_out, of_table) for of_table in statements if of_table))

    def _statements(self, table: Table, exists: bool) -> list[str]:
        """What makes the table what tables.py says."""
        if not exists:
            return [self._create_statement(table)]
        # Others may have committed since this session knew the table; from here on only this run commits.
        self.spark.catalog.refreshTable(self.name(table.name))
        stored = self.spark.read.table(self.name(table.name)).schema
        retired = [field for field in stored.fields if field.name not in table.column_names]
        if retired:
            self._retired[table.name] = StructType(retired)
        return [f"alter table {self.name(table.name)} {change}" for change in self._changes(table, stored)]

    def _carry_out(self, statements: list[str]) -> None:
        for statement in statements:
            self.before_commit()
            self.spark.sql(statement)

    def _changes(self, table: Table, stored: StructType) -> list[str]:
        """What follows `alter table NAME`, a statement each."""
        types = {field.name: field.dataType for field in stored.fields}
        new = [column for column in table.columns if column.name not in types]
        changes = []
        if new:
            added = ", ".join(f"{c.name} {c.type} comment {_text(c.comment)}" for c in new)
            changes.append(f"add columns ({added})")
        # Types are compared as text first: parsing them takes a query's planning.
        others = [c for c in table.columns if c.name in types and c.type != types[c.name].simpleString()]
        if others:
            wanted = self.spark.range(0).select(*(F.lit(None).cast(c.type).alias(c.name) for c in others)).schema
            for field in wanted.fields:
                changes += changes_of(field.name, types[field.name], field.dataType)
        # Iceberg names a partition by day after its column, and one by month NAME_month.
        if table.is_by_month and self._partition_names(table.name) == [table.day]:
            changes.append(f"replace partition field {table.day} with {table.partitions[0]}")
        return changes

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
        rows = self.spark.read.table(self.name(table))
        if table in self._retired:
            rows = rows.select(*TABLES[table].column_names)
        return in_one_task(rows)

    def read_as_of(self, table: str, snapshot: int | None) -> DataFrame:
        """The table as `snapshot` has it, in today's columns; without rows for None."""
        if snapshot is None:
            return self.read(table).limit(0)
        rows = self.spark.read.option("snapshot-id", snapshot).table(self.name(table))
        # An older snapshot has the columns of its time.
        known = set(rows.columns)
        nulls = {name: "null" for name in TABLES[table].column_names if name not in known}
        return in_one_task(rows.selectExpr(*_as_typed(TABLES[table], nulls)))

    def snapshot(self, table: str) -> int | None:
        """Id of the current snapshot; None for a table nothing was ever committed to."""
        current = self._iceberg_table(table).currentSnapshot()
        return current.snapshotId() if current is not None else None

    def snapshots(self) -> dict[str, int | None]:
        return {table: self.snapshot(table) for table in TABLES}

    def begin(self) -> dict[str, int | None]:
        """The snapshots before the run's first commit. From here on a commit of somebody else raises ForeignCommit.

        A commit that a run began before it lost its lease may land at any later time: Iceberg repeats an append
        on whatever the table has become.
        """
        self._known = self.snapshots()
        return dict(self._known)

    def _commits_since(self, table: str, snapshot: int | None) -> int | None:
        """How many commits changed rows since `snapshot`; None if the table does not come from it."""
        first = self._iceberg_table(table).snapshot(snapshot).sequenceNumber() if snapshot is not None else 0
        commits = 0
        for each in self._ancestry(table):
            if each.sequenceNumber() <= first:
                return commits if each.snapshotId() == snapshot else None
            commits += each.operation() != "replace"  # compaction keeps the rows
        # The walk may end early at a snapshot that maintenance expired; what lies before it is no news.
        return commits

    def _ancestry(self, table: str) -> Iterator[Any]:
        """The current snapshot, the one that it was made from, and so on, as far as they are known."""
        iceberg = self._iceberg_table(table)
        at = iceberg.currentSnapshot()
        while at is not None:
            yield at
            at = iceberg.snapshot(at.parentId()) if at.parentId() is not None else None

    def _notice_others(self, table: str) -> None:
        """After each commit: no other may lie between it and the one before."""
        if table not in self._known:
            return
        if self._commits_since(table, self._known[table]) not in (0, 1):
            raise ForeignCommit(f"{table} has a commit that is not of run {self.run_id}")
        self._known[table] = self.snapshot(table)

    def restore(self, table: str, snapshot: int | None) -> bool:
        """Takes back what changed rows since `snapshot`, the last completed run's. True if there was something."""
        if snapshot is None:
            return not self.is_empty(table) and self.go_back(table, None)
        if self._iceberg_table(table).snapshot(snapshot) is None:
            return False  # expired: maintenance has gone on from it
        return self._commits_since(table, snapshot) != 0 and self.go_back(table, snapshot)

    def _iceberg_table(self, table: str):
        return self._spark3_util.loadIcebergTable(self.spark._jsparkSession, self.name(table))

    @cached_property
    def _spark3_util(self) -> Any:
        # Each name on the way is looked up through every jar.
        return self.spark.sparkContext._jvm.org.apache.iceberg.spark.Spark3Util

    def _partition_names(self, table: str) -> list[str]:
        return [field.name() for field in self._iceberg_table(table).spec().fields()]

    def is_empty(self, table: str) -> bool:
        """True if the current snapshot holds no row, by Iceberg's own totals: no file is read."""
        current = self._iceberg_table(table).currentSnapshot()
        return current is None or current.summary().get("total-records") == "0"

    def bounds(self, table: str, column: str) -> tuple[Any, Any] | None:
        """The least and the greatest value of a column; None without rows. Iceberg knows them without reading files."""
        # Not by read(): Iceberg is asked only where nothing stands between the table and the question.
        rows = self.spark.read.table(self.name(table))
        found = rows.agg(F.min(column).alias("least"), F.max(column).alias("greatest")).first()
        return (found.least, found.greatest) if found.least is not None else None

    def go_back(self, table: str, snapshot: int | None) -> bool:
        """Makes `snapshot` the current one again; None empties the table. True if something changed.

        A table that nothing was committed to stays as it is: it was lost and made again, with its snapshots.
        """
        if self.snapshot(table) in (snapshot, None):
            return False
        self.before_commit()
        if snapshot is None:
            self.spark.sql(f"delete from {self.name(table)}")
        else:
            self.spark.sql(f"call {CATALOG}.system.set_current_snapshot('{self.database}.{table}', {snapshot})")
        return True

    def _stamped(self, table: str, rows: DataFrame) -> DataFrame:
        """The rows with the run's columns, in the table's order and types."""
        definition = TABLES[table]
        values = {"written_at": f"timestamp_ntz'{self.written_at}'"}
        if "run_id" not in rows.columns:
            values["run_id"] = f"'{self.run_id}'"
        return rows.selectExpr(*_as_typed(definition, values), *self._retired_as_null(table))

    def _retired_as_null(self, table: str) -> list[str]:
        return [
            f"cast(null as {field.dataType.simpleString()}) as `{field.name}`"
            for field in self._retired.get(table, StructType()).fields
        ]

    def append(self, table: str, rows: DataFrame, days: Collection[date] = ()) -> None:
        """Adds rows; `days` are theirs, where they may be many."""
        self.before_commit()
        self._writer(table, self._stamped(table, rows), days).append()
        self._notice_others(table)

    def fill(self, table: str, rows: DataFrame, days: Collection[date] = ()) -> None:
        """Adds rows to an empty table, as append does. Rows that have outlived what they were made of make way."""
        if self.is_empty(table):
            self.append(table, rows, days)
        else:
            self.overwrite(table, rows)

    def _writer(self, table: str, rows: DataFrame, days: Collection[date] | None) -> DataFrameWriterV2:
        """Writes rows of these days, or of any."""
        writer = rows.writeTo(self.name(table))
        may_be_many = days is None or len(days) > MAX_OPEN_DAYS
        if may_be_many and not TABLES[table].is_by_month:
            writer = writer.option("fanout-enabled", "false")
        return writer

    def complete(self, run: Mapping[str, Any], last: datetime | None) -> None:
        """Writes a run's row of refresh_runs. Fails where another run has completed since this one began.

        `last` is when the last run completed that this one began with.
        """
        columns = TABLES["refresh_runs"].columns
        schema = ", ".join(f"{c.name} {c.type}" for c in columns)
        row = self.spark.createDataFrame([tuple(run[c.name] for c in columns)], schema)
        # Iceberg repeats an append on whatever the table has become; a merge is refused where rows have come since
        # that it would have read: those of the runs before, a file each, it need not.
        since = f"t.completed_at >= timestamp_ntz'{last - CLOCKS_DIFFER}'" if last is not None else None
        self._merge("refresh_runs", row, None, since)

    def overwrite(self, table: str, rows: DataFrame, days: Collection[date] | None = None) -> None:
        """Replaces the rows of these days, or all rows. `rows` may have other days: those between, if days are many.

        A table by month gets the months of these days as new files, with the rows of their other days as they were.
        """
        definition = TABLES[table]
        new = self._stamped(table, rows)
        where = F.lit(True) if days is None else on_days(definition.day, days)
        if definition.is_by_month and days:
            months = F.expr(_is_in_months(definition.day, days))
            others = self.spark.read.table(self.name(table)).where(months & ~where)
            # They are few rows: one task, so one file a month.
            new, where = new.unionByName(others).coalesce(1), months
        self.before_commit()
        self._writer(table, new, days).overwrite(where)
        self._notice_others(table)

    def merge(
        self, table: str, rows: DataFrame, *, gone: DataFrame | None = None, days: Collection[date] | None = None
    ) -> None:
        """Writes `rows` over those of the same key and removes the keys in `gone`.

        `days` are the days of the table's date partition that may hold rows of these keys: only their files are read.
        """
        self._merge(table, rows, gone, _is_on(f"t.{TABLES[table].day}", days) if days is not None else None)

    def _merge(self, table: str, rows: DataFrame, gone: DataFrame | None, among: str | None) -> None:
        """`among` is a condition that rows of these keys meet in the table `t`, in literals that Iceberg prunes by."""
        definition = TABLES[table]
        source = self._stamped(table, rows).withColumn("_is_gone", F.lit(False))
        if gone is not None:
            nulls = {c.name: "null" for c in definition.columns if c.name not in definition.key}
            keys = gone.selectExpr(*_as_typed(definition, nulls), *self._retired_as_null(table), "true as _is_gone")
            source = source.unionByName(keys)
        source.createOrReplaceTempView(f"{table}_changes")
        is_same = " and ".join(filter(None, [among, *(f"t.{column} = s.{column}" for column in definition.key)]))
        columns = [name for name in source.columns if name != "_is_gone"]
        assignments = ", ".join(f"t.{name} = s.{name}" for name in columns)
        names = ", ".join(columns)
        values = ", ".join(f"s.{name}" for name in columns)
        self.before_commit()
        self.spark.sql(f"""
            merge into {self.name(table)} t using {table}_changes s
            on {is_same}
            when matched and s._is_gone then delete
            when matched then update set {assignments}
            when not matched and not s._is_gone then insert ({names}) values ({values})
        """)
        self._notice_others(table)

    # --- upkeep: commits that change no row

    def _call(self, procedure: str, table: str, arguments: str) -> Any:
        """The one row that an Iceberg procedure answers."""
        self.before_commit()
        name = f"{self.database}.{table}"
        return self.spark.sql(f"call {CATALOG}.system.{procedure}(table => '{name}', {arguments})").first()

    def total_bytes(self, table: str) -> int:
        """Size of the current snapshot's files, by Iceberg's own totals."""
        current = self._iceberg_table(table).currentSnapshot()
        return int(current.summary().get("total-files-size") or 0) if current is not None else 0

    def written_tables(self) -> list[str]:
        """Those that something was ever committed to."""
        return [table for table, snapshot in self.snapshots().items() if snapshot is not None]

    def commits_since_compaction(self, table: str) -> int:
        """How many commits changed rows since files were last compacted."""
        return sum(1 for _ in takewhile(lambda each: each.operation() != "replace", self._ancestry(table)))

    def compact(self, table: str, *, is_thorough: bool = True) -> tuple[int, int]:
        """Small files become few, and rows that were deleted or replaced leave them: (files before, after).

        Partitions that have fewer than SMALL_FILES files and no row deleted stay as they are: (0, 0). If it is not
        thorough, files of SMALL_FILE_BYTES or more stay, too, until many runs have deleted rows of theirs: so it
        writes little, however large the table is.
        """
        options = {
            "min-input-files": SMALL_FILES,
            # A file with any deleted row: each query would read both.
            "delete-file-threshold": 1 if is_thorough else MANY_DELETE_FILES,
            "remove-dangling-deletes": "true",
            # New files count as newer than every delete: the lease keeps away those who could delete meanwhile.
            "use-starting-sequence-number": "false",
        }
        strategy = ""
        if TABLES[table].is_by_month:
            # A large shop's month is several files of a few days each: a query finds its days by their statistics.
            options["target-file-size-bytes"] = MONTH_FILE_BYTES
            strategy = f"strategy => 'sort', sort_order => '{TABLES[table].day}', "
        if not is_thorough:
            options["min-file-size-bytes"] = SMALL_FILE_BYTES
        settings = ", ".join(f"'{name}', '{value}'" for name, value in options.items())
        done = self._call("rewrite_data_files", table, f"{strategy}options => map({settings})")
        return done.rewritten_data_files_count + done.removed_delete_files_count, done.added_data_files_count

    def compact_manifests(self, table: str) -> int:
        """Many small manifests become few; every query begins by reading them. How many there were, 0 if few."""
        iceberg = self._iceberg_table(table)
        manifests = list(iceberg.currentSnapshot().allManifests(iceberg.io()))
        if len(manifests) < SMALL_MANIFESTS or sum(m.length() for m in manifests) >= len(manifests) * MANIFEST_BYTES:
            return 0
        done = self._call("rewrite_manifests", table, "use_caching => false")
        return done.rewritten_manifests_count

    def history(self, table: str) -> list[Snapshot]:
        """Every snapshot that can still be read, in order of time."""
        iceberg = self._iceberg_table(table)
        # The current one is a branch's, and a person may have tagged others.
        named = {reference.snapshotId() for reference in iceberg.refs().values()}
        return [
            Snapshot(
                each.snapshotId(),
                datetime.fromtimestamp(each.timestampMillis() / 1000, timezone.utc),
                each.snapshotId() in named,
            )
            for each in iceberg.snapshots()
        ]

    def expire(self, table: str, snapshots: Collection[int]) -> None:
        """Forgets these snapshots, and deletes the files that only they had."""
        self.before_commit()
        # By the library itself: the procedure of the same name plans a dozen queries to do it.
        expiry = self._iceberg_table(table).expireSnapshots()
        # Named ones only: by age, Iceberg would take those that a run is known by.
        expiry = expiry.expireOlderThan(0)
        for snapshot in snapshots:
            expiry = expiry.expireSnapshotId(snapshot)
        expiry.commit()

    def remove_orphans(self, table: str, before: datetime) -> int:
        """Deletes what no snapshot of the table names and was in its folder before `before`: how many files."""
        self.before_commit()
        actions = self.spark.sparkContext._jvm.org.apache.iceberg.spark.actions.SparkActions
        action = actions.get(self.spark._jsparkSession).deleteOrphanFiles(self._iceberg_table(table))
        # Listed by Iceberg's own S3 client: the job needs no other.
        action = action.olderThan(int(before.timestamp() * 1000)).usePrefixListing(True)
        return sum(1 for _ in action.execute().orphanFileLocations())


def _as_typed(table: Table, values: Mapping[str, str]) -> list[str]:
    """The table's columns in its types, each its value or the column of its name.

    As SQL texts: Python asks the JVM for every piece of an expression, and tables have many columns.
    """
    return [f"cast({values.get(c.name, c.name)} as {c.type}) as {c.name}" for c in table.columns]


def _text(value: str) -> str:
    # Spark's parser knows no doubled quotes.
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
