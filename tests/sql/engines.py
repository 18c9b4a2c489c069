"""Engines for tests over tables that no catalog knows: in memory, or in a folder of files."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from clicklake.local.sql import Engine, read_queries
from glue_jobs.tables import TABLES


def open_tables(tables: Mapping[str, pa.Table]) -> Engine:
    """An engine over tables in memory."""
    return Engine(ArrowTables(tables), read_queries("views"))


def open_folder(folder: Path) -> Engine:
    """An engine over a folder of Parquet or NDJSON files, one a table."""
    return Engine(FolderTables(folder), read_queries("views"))


class ArrowTables:
    """Tables held in memory."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._tables = dict(tables)

    def names(self) -> list[str]:
        return sorted(self._tables)

    def scan(self, name: str) -> str | None:
        return _identifier(f"arrow_{name}") if name in self._tables else None

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        for name, table in self._tables.items():
            connection.register(f"arrow_{name}", table)


class FolderTables:
    """The lake's tables from a folder: `<table>.parquet`, or `<table>.ndjson` read with the columns
    and types of glue_jobs/tables.py; a table without a file is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        return sorted(TABLES)

    def scan(self, name: str) -> str | None:
        if name not in TABLES:
            return None
        parquet, lines = self._folder / f"{name}.parquet", self._folder / f"{name}.ndjson"
        if parquet.exists():
            return f"read_parquet({_quoted(str(parquet))})"
        types = {column.name: duckdb_type(column.type) for column in TABLES[name].columns}
        if lines.exists():
            columns = ", ".join(f"{_quoted(column)}: {_quoted(kind)}" for column, kind in types.items())
            return f"read_json({_quoted(str(lines))}, format = 'newline_delimited', columns = {{{columns}}})"
        columns = ", ".join(f"cast(null as {kind}) as {_identifier(name)}" for name, kind in types.items())
        return f"(select {columns} where false)"

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        pass


def duckdb_type(spark_type: str) -> str:
    """DuckDB's name of a Spark SQL type: array<struct<a:int>> is STRUCT("a" INTEGER)[]."""
    simple = {"string": "VARCHAR", "int": "INTEGER", "timestamp_ntz": "TIMESTAMP", "timestamp": "TIMESTAMPTZ"}
    if spark_type.startswith("array<"):
        return duckdb_type(spark_type[6:-1]) + "[]"
    if spark_type.startswith("struct<"):
        fields = (field.split(":", 1) for field in _split_at_commas(spark_type[7:-1]))
        return f"STRUCT({', '.join(f'{_identifier(name)} {duckdb_type(kind)}' for name, kind in fields)})"
    if spark_type.startswith("map<"):
        return f"MAP({', '.join(duckdb_type(kind) for kind in _split_at_commas(spark_type[4:-1]))})"
    return simple.get(spark_type, spark_type.upper())


def _split_at_commas(text: str) -> list[str]:
    """Splits at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _identifier(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("duckdb")


def _quoted(text: str) -> str:
    return exp.Literal.string(text).sql("duckdb")
