"""The engine in Athena's place: which SQL it answers, what it says to the rest, what it reads."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from clicklake.endpoints import Endpoints
from clicklake.local.sql import Engine, QueryError, connect
from glue_jobs.tables import TABLES
from tests.sql.engines import duckdb_type, open_folder, open_tables


@pytest.fixture(scope="module")
def lake() -> Engine:
    return open_tables(
        {
            "events": pa.table({"event_id": ["a", "b"], "line": [1, 2]}),
            "orders": pa.table(
                {
                    "order_id": ["o1", "o2"],
                    "items": [[{"product_id": "p1", "qty": 2}, {"product_id": "p2", "qty": 1}], []],
                }
            ),
        }
    )


@pytest.mark.parametrize(
    "name",
    [
        "events",
        "clickstream_db.events",
        "EVENTS",
        '"clickstream_db"."events"',
        "awsdatacatalog.clickstream_db.events",
    ],
)
def test_a_table_has_the_names_it_has_in_athena(lake: Engine, name: str) -> None:
    assert lake.query(f"select count(*) as n from {name};").to_pylist() == [{"n": 2}]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("with events as (select * from events where line > 1) select event_id from events", "b"),
        ("select count_if(line > 1) from events", 1),
        ("select sum(line) / count(*) from events", 1),
        ("select sum(line) / 2e0 from events", 1.5),
        ("select sum(qty) from orders cross join unnest(items) as t (product_id, qty)", 3),
        ("select element_at(items, 2).product_id from orders where cardinality(items) > 0", "p2"),
        ("select element_at(items, 9).product_id from orders where cardinality(items) > 0", None),
        ("select cast(to_unixtime(timestamp '1970-01-01 00:01:00') as bigint)", 60),
        ("select date_diff('day', date '2026-02-28', date '2026-03-01')", 1),
        ("select cast(cast(date_add('day', -1, date '2026-03-01') as date) as varchar)", "2026-02-28"),
        ("select date_format(timestamp '2026-03-01 10:05:00', '%Y-%m')", "2026-03"),
        ("select max_by(event_id, line) from events", "b"),
        ("select cast(12.34 as decimal(18, 4))", Decimal("12.3400")),
        ("select cast('99999999999999999999' as decimal(38, 0))", Decimal("99999999999999999999")),
        ("select regexp_like(event_id, '^a') from events where line = 1", True),
        ("select cast(from_unixtime(0) as varchar) like '1970-01-01 00:00:00%'", True),
    ],
)
def test_athenas_dialect_is_understood(lake: Engine, sql: str, answer: object) -> None:
    assert lake.query(sql).column(0).to_pylist() == [answer]


def test_sums_of_integers_are_64_bits_wide_as_in_athena(lake: Engine) -> None:
    answer = lake.query("select sum(line) as s, sum(line) as s from events")
    assert answer.schema.types == [pa.int64(), pa.int64()]
    assert answer.column(0).to_pylist() == [3]


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("select * from sale", ["There is no table sale", "events", "orders", "daily_kpis"]),
        ("select * from sessions", ["The table sessions is not there yet: the first refresh makes it."]),
        ("select * from other.events", ["no database other", "clickstream_db"]),
        ("select * from events where", ["line 1", "column 26"]),
        ("select nothing from events", ['"nothing" not found', "event_id"]),
        ("select no_such_function(line) from events", ["no_such_function"]),
        ("select 1 select 2", ["line 1"]),
        ("select 1; select 2", ["One statement"]),
        ("", ["There is no query"]),
        ("-- only a comment", ["There is no query"]),
        ("drop table events", ["read-only", "'drop'"]),
        ("insert into events select * from events", ["read-only"]),
        ("create table x as select 1", ["read-only"]),
        ("copy events to 'x'", ["read-only"]),
        ("attach 'x'", ["read-only"]),
        ("select * into x from events", ["read-only"]),
        ("select * from read_csv('x.csv')", ["no table functions"]),
        ("select * from 'x.csv'", ["There is no table x.csv"]),
        ("describe sale", ["There is no table sale"]),
        ("select " + "(" * 5000 + "1" + ")" * 5000, ["nested too deeply"]),
    ],
)
def test_what_cannot_be_answered_gets_one_sentence(lake: Engine, sql: str, parts: list[str]) -> None:
    with pytest.raises(QueryError) as refused:
        lake.query(sql)
    message = str(refused.value)
    assert "\n" not in message and message.endswith(".")
    assert all(part in message for part in parts), message


def test_the_engine_answers_after_a_refusal(lake: Engine) -> None:
    with pytest.raises(QueryError):
        lake.query("select broken from events")
    assert lake.query("select 1 as one").to_pylist() == [{"one": 1}]


def test_show_tables_says_what_one_row_is(tmp_path: Path) -> None:
    rows = {row["table_name"]: row for row in open_folder(tmp_path).query("show tables").to_pylist()}
    assert rows["sessions"] == {
        "table_name": "sessions",
        "kind": "table",
        "one_row": TABLES["sessions"].grain,
    }
    assert rows["session_facts"]["kind"] == "view"
    assert rows["session_facts"]["one_row"].startswith("one row per session")


def test_describe_gives_types_in_athenas_words(tmp_path: Path) -> None:
    columns = {
        row["column_name"]: row for row in open_folder(tmp_path).query("describe clickstream_db.orders").to_pylist()
    }
    assert columns["value"]["type"] == "decimal(18,4)"
    assert columns["ordered_at"]["type"] == "timestamp"
    assert columns["is_bot"]["comment"] == "bought by a bot"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_lake_has_its_types(name: str, tmp_path: Path) -> None:
    answer = open_folder(tmp_path).query(f"select * from {name}")
    assert answer.column_names == TABLES[name].column_names


@pytest.mark.parametrize(
    ("spark", "duckdb"),
    [
        ("string", "VARCHAR"),
        ("timestamp_ntz", "TIMESTAMP"),
        ("decimal(18,4)", "DECIMAL(18,4)"),
        ("map<string,bigint>", "MAP(VARCHAR, BIGINT)"),
        ("array<struct<key:string,money:decimal(18,4)>>", 'STRUCT("key" VARCHAR, "money" DECIMAL(18,4))[]'),
    ],
)
def test_spark_types_are_translated(spark: str, duckdb: str) -> None:
    assert duckdb_type(spark) == duckdb


class CountingTables:
    """Tables that note what is asked of them; `versions` changes the rows as a commit would."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rows = {"events": 1, "sessions": 1}

    def names(self) -> list[str]:
        return sorted(self.rows)

    def scan(self, name: str) -> str | None:
        self.asked.append(name)
        return f"range({self.rows[name]}) as rows (line)" if name in self.rows else None

    def prepare(self, connection: object) -> None:
        pass


def test_only_the_tables_that_a_query_uses_are_looked_up() -> None:
    tables = CountingTables()
    engine = Engine(tables, {"lines": "select line from events", "more_lines": "select * from lines"})
    engine.query("select * from more_lines")
    assert tables.asked == ["events"]


def test_each_query_sees_the_last_commit_also_through_views() -> None:
    tables = CountingTables()
    engine = Engine(tables, {"lines": "select line from events", "more_lines": "select * from lines"})
    assert engine.query("select * from more_lines").num_rows == 1
    tables.rows["events"] = 5
    assert engine.query("select * from more_lines").num_rows == 5


def test_a_view_that_rests_on_itself_is_named() -> None:
    engine = Engine(CountingTables(), {"a": "select * from b", "b": "select * from a"})
    with pytest.raises(QueryError, match="a -> b -> a"):
        engine.query("select * from a")


def test_a_catalog_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    engine = connect(Endpoints("http://127.0.0.1:1", "us-east-1", "lake", "nobody", "nothing"))
    with pytest.raises(QueryError, match=r"The Glue catalog at http://127\.0\.0\.1:1 does not answer"):
        engine.query("select * from events")


def test_count_if_of_nothing_but_nulls_is_zero_as_on_athena() -> None:
    engine = open_tables({})
    sql = "select count_if(n = 0) as zeros from (values (cast(null as integer)), (null)) as t (n)"
    assert engine.query(sql).to_pylist() == [{"zeros": 0}]


def test_the_row_that_is_found_by_another_column_may_hold_a_null_as_on_athena() -> None:
    engine = open_tables({})
    sql = """
        select min_by(told, n) as first, max_by(told, n) as last
        from (values (cast(null as integer), 1), (5, 2), (null, 3)) as t (told, n)
    """
    assert engine.query(sql).to_pylist() == [{"first": None, "last": None}]
