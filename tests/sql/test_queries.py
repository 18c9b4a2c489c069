"""Every view and saved query against rows: a folder holds the input, a file a table, and the answer.

    views/<view>/<fact>/<table>.ndjson ... expected.ndjson
    saved/<query>/<fact>/...

A file query.sql in the folder narrows what is looked at. Columns that a row leaves out are null, tables
without a file are empty. Only the columns that the expected rows name are compared, and the order of
rows only for saved queries.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from clicklake.local.sql import Engine, parse, read_queries
from tests.sql.engines import open_folder

HERE = Path(__file__).parent
# Of 150 stages that Trino allows a query, the one that reads most (59 times) is planned with 70.
MOST_READINGS = 75
CASES = sorted(path.parent for path in HERE.glob("*/*/*/expected.ndjson"))
QUERIES = [(kind, name) for kind in ("views", "saved") for name in read_queries(kind)]


def text_of(kind: str, name: str) -> str:
    return f"select * from {name}" if kind == "views" else read_queries("saved")[name]


@pytest.fixture(scope="module")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return open_folder(tmp_path_factory.mktemp("empty"))


def name_of(case: Path) -> str:
    return "/".join(case.relative_to(HERE).parts)


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def as_json(value: Any) -> Any:
    """Money as canonical text, times in ISO 8601, so that a row compares with its line of JSON."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
    return value


def sort_key(row: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in row.items() if not isinstance(value, float)})


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_rows_are_as_expected(case: Path) -> None:
    kind, name = case.parts[-3:-1]
    expected = read_rows(case / "expected.ndjson")
    narrowed = case / "query.sql"
    sql = narrowed.read_text(encoding="utf-8") if narrowed.exists() else text_of(kind, name)
    answer = open_folder(case).query(sql).to_pylist()
    rows = [{column: as_json(value) for column, value in row.items()} for row in answer]
    if expected:
        rows = [{column: row[column] for column in expected[0]} for row in rows]
    if kind == "views":
        rows, expected = sorted(rows, key=sort_key), sorted(expected, key=sort_key)
    assert len(rows) == len(expected), rows
    for row, wanted in zip(rows, expected, strict=True):
        assert row == {
            column: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for column, value in wanted.items()
        }


@pytest.mark.parametrize(("kind", "name"), QUERIES)
def test_every_query_runs_on_empty_tables(kind: str, name: str, empty_lake: Engine) -> None:
    assert empty_lake.query(text_of(kind, name)).num_columns > 0


@pytest.mark.parametrize(("kind", "name"), QUERIES)
@pytest.mark.parametrize("dialect", ["athena", "trino"])
def test_every_query_is_one_statement_in_athenas_dialect(kind: str, name: str, dialect: str) -> None:
    assert len(sqlglot.parse(read_queries(kind)[name], read=dialect)) == 1


@pytest.mark.parametrize(("kind", "name"), QUERIES)
def test_every_query_says_first_what_it_gives(kind: str, name: str) -> None:
    text = read_queries(kind)[name]
    first = text.splitlines()[0]
    assert first.startswith("-- one row" if kind == "views" else "-- ")
    if kind == "saved":
        title, description = first.removeprefix("-- ").split(": ", 1)
        assert title and description
    assert text == text.replace("\t", "    ") and text.endswith("\n")


@pytest.mark.parametrize(("kind", "name"), QUERIES)
def test_no_query_reads_tables_so_often_that_athena_refuses_it(kind: str, name: str) -> None:
    assert readings(parse(read_queries(kind)[name]), {}) <= MOST_READINGS


def readings(query: exp.Expression, known: dict[str, int]) -> int:
    """How often a query reads a stored table: Athena puts the text of a view, or of a name after WITH, wherever the
    name stands. `known` are the readings of the names around it."""
    names = query.args.get("with_")
    for each in names.expressions if names else ():
        known = {**known, each.alias: readings(each.this, known)}
    inside = {id(node) for node in names.walk()} if names else set()
    tables = (table.name for table in query.find_all(exp.Table) if table.name and id(table) not in inside)
    return sum(known[name] if name in known else readings_of_view(name) for name in tables)


@cache
def readings_of_view(name: str) -> int:
    views = read_queries("views")
    return readings(parse(views[name]), {}) if name in views else 1


@pytest.mark.parametrize("name", read_queries("views"))
def test_every_view_has_a_case(name: str) -> None:
    assert any(case.parts[-3:-1] == ("views", name) for case in CASES)
