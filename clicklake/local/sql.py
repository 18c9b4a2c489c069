"""DuckDB in Athena's place: Athena's SQL over the lake's tables and views.

    engine = connect(Endpoints.from_environment())
    engine.query("select event_type, count(*) as events from clickstream_db.events group by 1")

Views are the files of athena_queries/views. A query reads the metadata of the tables it uses, and
of no others, each time anew: it sees the last commit of every table.
"""

import importlib.metadata
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import sqlglot
from botocore.exceptions import BotoCoreError, ClientError
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from clicklake.endpoints import Endpoints
from glue_jobs.tables import TABLES

DATABASE = "clickstream_db"
READ_ONLY = "Only SELECT, WITH, DESCRIBE and SHOW can be run here: the lake is read-only."

# The views read these many times in one query, and each scan looks up Iceberg's metadata again: being
# small (a row a day and value, or a run), they are copied into memory once a commit.
_HELD_IN_MEMORY = frozenset({"daily_traffic", "daily_orders", "daily_active", "daily_products", "refresh_runs"})

_EXTENSIONS = ("avro", "httpfs", "iceberg")
_CATALOGS = ("", "awsdatacatalog")
_SHOW_TABLES = re.compile(r"show\s+(tables|views)\b", re.IGNORECASE)
_SHOW_DATABASES = re.compile(r"show\s+(databases|schemas)\b", re.IGNORECASE)
_SHOW_COLUMNS = re.compile(r"(?:show\s+columns\s+(?:from|in)|describe|desc)\s+(\S+)$", re.IGNORECASE)
_DEFINITION_COMMENT = re.compile(r"\A\s*--\s*(.*)")


class QueryError(Exception):
    """A query that cannot be answered; the text is one sentence for the person who wrote it."""


class TableSource(Protocol):
    """Where tables come from. `scan` answers None for a table that does not exist, else the DuckDB
    expression to select from: a changed expression means a changed table."""

    def names(self) -> list[str]: ...

    def scan(self, name: str) -> str | None: ...

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None: ...


class GlueTables:
    """The Iceberg tables of a database in the Glue catalog."""

    def __init__(self, endpoints: Endpoints, database: str) -> None:
        self._endpoints = endpoints
        self._database = database
        self._glue = endpoints.client("glue", connect_timeout=5, retries={"max_attempts": 2})

    def names(self) -> list[str]:
        pages = self._call(lambda: list(self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database)))
        return sorted(
            table["Name"]
            for page in pages or []
            for table in page["TableList"]
            if "metadata_location" in table.get("Parameters", {})
        )

    def scan(self, name: str) -> str | None:
        answer = self._call(lambda: self._glue.get_table(DatabaseName=self._database, Name=name))
        location = answer and answer["Table"].get("Parameters", {}).get("metadata_location")
        return f"iceberg_scan({_quoted(location)})" if location else None

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        for extension in _EXTENSIONS:
            connection.execute(f"load {_quoted(str(_extension_path(extension)))}")
        connection.execute(self._endpoints.duckdb_secret())

    def _call(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise QueryError(f"The Glue catalog refused: {error.response['Error'].get('Message')}") from error
        except BotoCoreError as error:
            where = self._endpoints.endpoint_url or "AWS"
            raise QueryError(f"The Glue catalog at {where} does not answer ({error}).") from error


def connect(endpoints: Endpoints, database: str = DATABASE) -> "Engine":
    """An engine over the Iceberg tables of the Glue catalog that `endpoints` points at."""
    return Engine(GlueTables(endpoints, database), read_queries("views"), database)


def read_queries(kind: str) -> dict[str, str]:
    """The SQL files of athena_queries/<kind> (views, saved) by name."""
    folder = files("athena_queries").joinpath(kind)
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    }


@dataclass(frozen=True)
class View:
    """A view in DuckDB's dialect, and the relations it selects from."""

    source: str
    rests_on: frozenset[str]


class Engine:
    """Answers Athena's SQL with Arrow tables. Safe to share between threads: one query at a time."""

    def __init__(self, tables: TableSource, views: Mapping[str, str], database: str = DATABASE) -> None:
        self.database = database
        self._tables = tables
        self._view_texts = dict(views)
        # What each relation in DuckDB was made from, so that an unchanged table is not bound again.
        self._made_from: dict[str, str] = {}
        self._lock = threading.RLock()
        self._connection = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
        self._connection.execute("set autoinstall_known_extensions = false")
        self._connection.execute("set autoload_known_extensions = false")
        # Parquet holds timestamps in UTC and Athena shows them so, whatever the machine's zone is.
        self._connection.execute("set timezone = 'UTC'")
        # Athena divides integers without a remainder.
        self._connection.execute("set integer_division = true")
        self._tables.prepare(self._connection)
        self._connection.execute(f"create schema {_identifier(database)}")

    def query(self, sql: str) -> pa.Table:
        """The answer to one statement in Athena's dialect; QueryError says in a sentence what is wrong."""
        text = sql.strip().rstrip(";").strip()
        if _SHOW_DATABASES.match(text):
            return pa.table({"database_name": [self.database]})
        if _SHOW_TABLES.match(text):
            return self._show_tables(views_only=text.lower().split()[1] == "views")
        if shown := _SHOW_COLUMNS.match(text):
            return self._show_columns(shown[1])
        tree = parse(text)
        with self._lock:
            try:
                return self._run(tree.copy())
            except duckdb.IOException:
                # A refresh may have replaced the files between look-up and scan: look once more.
                self.refresh()
                try:
                    return self._run(tree.copy())
                except duckdb.Error as error:
                    raise QueryError(_sentence(error)) from error
            except duckdb.Error as error:
                raise QueryError(_sentence(error)) from error

    def relations(self) -> list[str]:
        """The names of all tables and views."""
        return sorted({*self._tables.names(), *self._view_texts})

    def refresh(self) -> None:
        """Forgets what is known of the tables; the next query looks everything up again."""
        with self._lock:
            self._made_from.clear()

    def close(self) -> None:
        self._connection.close()

    def _run(self, tree: exp.Expression) -> pa.Table:
        self._make(qualify(tree, self.database))
        return _with_athena_integers(self._connection.execute(to_duckdb(tree)).to_arrow_table())

    def _make(self, names: Iterable[str]) -> None:
        """Creates the DuckDB views that `names` need, those they rest on first."""
        changed: set[str] = set()
        for name in self._in_order_of_use(names):
            view = self._view(name)
            source = view.source if view else f"select * from {self._scan(name)}"
            if self._made_from.get(name) != source or (view and view.rests_on & changed):
                kind = "table" if view is None and name in _HELD_IN_MEMORY else "view"
                self._connection.execute(
                    f"create or replace {kind} {_identifier(self.database)}.{_identifier(name)} as {source}"
                )
                self._made_from[name] = source
                changed.add(name)

    def _in_order_of_use(self, names: Iterable[str]) -> list[str]:
        """The relations that `names` need, each after those it rests on."""
        order: dict[str, None] = {}

        def add(name: str, users: tuple[str, ...]) -> None:
            if name in users:
                raise QueryError(f"The view {name} rests on itself: {' -> '.join((*users, name))}.")
            if name in order:
                return
            view = self._view(name)
            for needed in sorted(view.rests_on if view else ()):
                add(needed, (*users, name))
            order[name] = None

        for name in sorted(names):
            add(name, ())
        return list(order)

    def _view(self, name: str) -> View | None:
        text = self._view_texts.get(name)
        return None if text is None else translate_view(text, self.database)

    def _scan(self, name: str) -> str:
        scan = self._tables.scan(name)
        if scan is None and name in TABLES:
            raise QueryError(f"The table {name} is not there yet: the first refresh makes it.")
        if scan is None:
            raise QueryError(f"There is no table {name}; the tables are: {', '.join(self.relations())}.")
        return scan

    def _show_tables(self, *, views_only: bool) -> pa.Table:
        rows = [
            {"table_name": name, "kind": "view", "one_row": _first_comment(text)}
            for name, text in self._view_texts.items()
        ]
        if not views_only:
            rows += [
                {"table_name": name, "kind": "table", "one_row": TABLES[name].grain if name in TABLES else ""}
                for name in self._tables.names()
                if name not in self._view_texts
            ]
        rows.sort(key=lambda row: row["table_name"])
        return pa.Table.from_pylist(
            rows, pa.schema([(name, pa.string()) for name in ("table_name", "kind", "one_row")])
        )

    def _show_columns(self, spelled: str) -> pa.Table:
        tree = parse(f"select * from {spelled} limit 0")
        with self._lock:
            try:
                names = qualify(tree, self.database)
                self._make(names)
                relation = self._connection.sql(to_duckdb(tree))
            except duckdb.Error as error:
                raise QueryError(_sentence(error)) from error
        table = TABLES.get(next(iter(names)))
        comments = {column.name: column.comment for column in table.columns} if table else {}
        return pa.table(
            {
                "column_name": relation.columns,
                "type": [_athena_type(str(kind)) for kind in relation.types],
                "comment": [comments.get(name, "") for name in relation.columns],
            }
        )


def parse(sql: str) -> exp.Expression:
    """The tree of one query in Athena's dialect; a QueryError where it is none."""
    # An unknown statement makes sqlglot log a warning; ours is the clearer one.
    first_word = re.sub(r"\A(\s|--[^\n]*\n|/\*.*?\*/|\()+", "", sql + "\n", flags=re.DOTALL).split(None, 1)
    if not first_word:
        raise QueryError("There is no query: write a SELECT.")
    if first_word[0].lower() not in ("select", "with", "values"):
        raise QueryError(f"{READ_ONLY} This begins with {first_word[0][:40]!r}.")
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="athena") if tree is not None]
    except SqlglotError as error:
        raise QueryError(_syntax_sentence(error)) from error
    except RecursionError as error:
        raise QueryError("The query is nested too deeply.") from error
    if len(trees) != 1:
        raise QueryError("One statement at a time, please.")
    if not isinstance(trees[0], exp.Query) or trees[0].find(exp.DML, exp.DDL, exp.Command, exp.Into):
        raise QueryError(READ_ONLY)
    return trees[0]


def qualify(tree: exp.Expression, database: str) -> set[str]:
    """Spells every table of `tree` with its schema, in place, and answers the tables' names.

    Without it DuckDB takes `with events as (select * from events)` for a circle.
    """
    names = set()
    try:
        scopes = traverse_scope(tree)
    except SqlglotError as error:
        raise QueryError(f"The query cannot be understood: {_one_line(str(error))}.") from error
    for scope in scopes:
        for source in scope.sources.values():
            if not isinstance(source, exp.Table):
                continue
            if not isinstance(source.this, exp.Identifier):
                raise QueryError("Only tables and views can stand after FROM, no table functions.")
            schema, catalog = source.db.lower(), source.catalog.lower()
            if schema not in ("", database) or catalog not in _CATALOGS:
                raise QueryError(f"There is no database {source.db}; the tables are in {database}.")
            name = source.name.lower()
            names.add(name)
            source.set("catalog", None)
            source.set("db", exp.to_identifier(database, quoted=True))
            source.set("this", exp.to_identifier(name, quoted=True))
            if not source.alias:
                source.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
    return names


@lru_cache(maxsize=256)
def translate_view(text: str, database: str) -> "View":
    """A view's definition for DuckDB; kept, because translating costs more than running."""
    tree = parse(text)
    rests_on = qualify(tree, database)
    return View(to_duckdb(tree), frozenset(rests_on))


def to_duckdb(tree: exp.Expression) -> str:
    """DuckDB's spelling of a parsed query."""
    return tree.transform(_unnest_rows).transform(_count_if).transform(_extreme_by).sql(dialect="duckdb")


def _unnest_rows(node: exp.Expression) -> exp.Expression:
    """Athena's unnest spreads an array of rows over columns; DuckDB's has to be told."""
    if not isinstance(node, exp.Unnest) or len(node.expressions) != 1 or node.args.get("offset"):
        return node
    alias = node.args.get("alias")
    if alias is None or len(alias.columns) < 2:
        return node
    rows = exp.Anonymous(
        this="unnest",
        expressions=[
            node.expressions[0].copy(),
            exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2)),
        ],
    )
    return exp.Lateral(this=exp.Subquery(this=exp.select(rows)), alias=alias.copy())


def _count_if(node: exp.Expression) -> exp.Expression:
    """Of conditions that are all null Athena counts 0; DuckDB's count_if says null."""
    if not isinstance(node, exp.CountIf):
        return node
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this.copy()))


def _extreme_by(node: exp.Expression) -> exp.Expression:
    """Athena's min_by and max_by give the null of the row they find; DuckDB's go on to the next row."""
    if not isinstance(node, exp.ArgMin | exp.ArgMax) or node.args.get("count"):
        return node
    name = "arg_min_null" if isinstance(node, exp.ArgMin) else "arg_max_null"
    return exp.Anonymous(this=name, expressions=[node.this.copy(), node.expression.copy()])


def _athena_type(duckdb_name: str) -> str:
    names = {
        "hugeint": "bigint",
        "integer": "integer",
        "text": "varchar",
        "timestamp with time zone": "timestamp",
    }
    lowered = duckdb_name.lower()
    return names.get(lowered, re.sub(r"\bstruct\(", "row(", lowered))


def _with_athena_integers(answer: pa.Table) -> pa.Table:
    """DuckDB sums integers to 128 bits, which Arrow sees as decimal(38,0); Athena's sums are bigint."""
    for index, field in enumerate(answer.schema):
        if field.type == pa.decimal128(38, 0):
            try:
                answer = answer.set_column(index, field.name, answer.column(index).cast(pa.int64()))
            except pa.ArrowInvalid:
                continue  # more than 64 bits hold: no sum, but a decimal that was asked for
    return answer


def _extension_path(name: str) -> Path:
    distribution = importlib.metadata.distribution(f"duckdb-extension-{name}")
    for file in distribution.files or []:
        if file.name == f"{name}.duckdb_extension":
            return Path(str(distribution.locate_file(file)))
    raise QueryError(f"DuckDB's extension {name} is missing: install the package duckdb-extension-{name}.")


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's message in one line, without its kind and without the translated SQL."""
    text = str(error).split("\n\nLINE ")[0].split("\nLINE ")[0]
    text = re.sub(r"\A(\w+ )+Error: ", "", text)
    return _one_line(text).rstrip(".") + "."


def _syntax_sentence(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return f"Syntax error: {_one_line(str(error))}."
    first = details[0]
    near = (first.get("highlight") or first.get("end_context") or "").strip()
    # sqlglot names its own classes where a part is missing.
    what = re.sub(r"Required keyword: .*", "something is missing", first.get("description") or "")
    place = f"line {first.get('line')}, column {first.get('col')}"
    return f"Syntax error at {place}" + (f", near {near[:40]!r}" if near else "") + f": {_one_line(what).rstrip('.')}."


def _first_comment(sql: str) -> str:
    found = _DEFINITION_COMMENT.match(sql)
    return found[1].strip() if found else ""


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", text)).strip()


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
