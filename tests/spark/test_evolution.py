"""A living table under one contract after another: fields added, widened and dropped, and no row lost."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from pyspark.sql import Column as Value
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from clicklake.endpoints import Endpoints
from clicklake.local.sql import connect
from glue_jobs import refresh_lake
from glue_jobs.evolution import NotEvolvable, changes_of
from glue_jobs.lake import Lake
from glue_jobs.tables import TABLES, Column, Table
from tests.spark.lakes import SmallLake, line

DAY, LATER = date(2026, 9, 7), date(2026, 9, 8)


def with_columns(table: str, *, new: tuple[Column, ...] = (), dropped: str = "", **types: str) -> Table:
    """TABLES' entry of a table, with columns added at its end, widened, or dropped."""
    columns = [replace(c, type=types.get(c.name, c.type)) for c in TABLES[table].columns if c.name != dropped]
    return replace(TABLES[table], columns=(*columns, *new))


@pytest.fixture
def one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(TABLES) - {"visitor_days"}:
        monkeypatch.delitem(TABLES, name)


@pytest.mark.usefixtures("one_table")
def test_a_field_added_widened_and_dropped_one_after_another(new_lake, monkeypatch):
    lake = new_lake()

    def begin_run() -> Lake:
        writer = Lake(lake.spark, lake.settings.database, "test", datetime(2026, 9, 9))
        writer.create_missing_tables()
        return writer

    def rows(*values: dict) -> DataFrame:
        columns = TABLES["visitor_days"].columns
        schema = ", ".join(f"{c.name} {c.type}" for c in columns)
        return lake.spark.createDataFrame(
            [[{"event_date": DAY, **v}.get(c.name) for c in columns] for v in values], schema
        )

    begin_run().append("visitor_days", rows({"visitor_id": "a", "active_events": 1}, {"visitor_id": "b"}))
    first = begin_run().snapshot("visitor_days")

    note = Column("note", "string", "a new field")
    monkeypatch.setitem(TABLES, "visitor_days", with_columns("visitor_days", new=(note,)))
    second_writer = begin_run()
    assert second_writer.read_as_of("visitor_days", first).columns == TABLES["visitor_days"].column_names
    second_writer.merge("visitor_days", rows({"visitor_id": "a", "active_events": 2, "note": "n"}))
    second_writer.append("visitor_days", rows({"visitor_id": "c", "note": "kept"}))

    monkeypatch.setitem(TABLES, "visitor_days", with_columns("visitor_days", active_events="bigint"))
    begin_run().merge("visitor_days", rows({"visitor_id": "b", "active_events": 2**40}))

    monkeypatch.setitem(TABLES, "visitor_days", with_columns("visitor_days", dropped="note"))
    last_writer = begin_run()
    last_writer.merge("visitor_days", rows({"visitor_id": "a", "active_events": 3}), gone=rows({"visitor_id": "none"}))
    last_writer.append("visitor_days", rows({"visitor_id": "d", "active_events": 4}))
    last_writer.overwrite("visitor_days", rows({"visitor_id": "e", "event_date": LATER}), {LATER})

    assert "note" not in last_writer.read("visitor_days").columns
    assert lake.rows("visitor_days", "visitor_id", "active_events", "note") == [
        ("a", 3, None),
        ("b", 2**40, None),
        ("c", None, "kept"),
        ("d", 4, None),
        ("e", None, None),
    ]
    then = lake.spark.read.option("snapshot-id", first).table(last_writer.name("visitor_days"))
    assert sorted(map(tuple, then.select("visitor_id", "active_events").collect()), key=repr) == [("a", 1), ("b", None)]

    # A job of the contract before: it writes what it knows into the wider table.
    monkeypatch.setitem(TABLES, "visitor_days", with_columns("visitor_days", active_events="int"))
    begin_run().append("visitor_days", rows({"visitor_id": "f", "active_events": 5}))
    assert ("f", 5) in lake.rows("visitor_days", "visitor_id", "active_events")

    monkeypatch.setitem(TABLES, "visitor_days", with_columns("visitor_days", active_events="string"))
    with pytest.raises(NotEvolvable, match="active_events is bigint in the lake and string"):
        begin_run()


@pytest.mark.usefixtures("one_table")
def test_a_table_by_day_goes_on_by_month_and_keeps_the_days_that_are_not_written(new_lake, monkeypatch):
    lake = new_lake()
    july = [date(2026, 7, day) for day in (28, 29, 30, 31)]

    def begin_run(run: str) -> Lake:
        writer = Lake(lake.spark, lake.settings.database, run, datetime(2026, 9, 9))
        writer.create_missing_tables()
        return writer

    def rows(visitor: str, *days: date) -> DataFrame:
        types = {c: TABLES["visitor_days"].type_of(c) for c in ("first_active_at", "last_active_at", "active_events")}
        frame = lake.spark.createDataFrame([(day, visitor) for day in days], "event_date date, visitor_id string")
        return frame.withColumns({name: F.lit(None).cast(kind) for name, kind in types.items()})

    by_day = replace(TABLES["visitor_days"], partitions=("event_date",))
    with monkeypatch.context() as older:
        older.setitem(TABLES, "visitor_days", by_day)
        begin_run("first").overwrite("visitor_days", rows("a", *july, DAY, LATER))
    writer = begin_run("second")
    writer.overwrite("visitor_days", rows("b", LATER), {LATER})
    writer = begin_run("third")
    writer.merge("visitor_days", rows("c", DAY), days={DAY})

    stored = lake.rows("visitor_days", "event_date", "visitor_id", "run_id")
    assert stored == [
        *((day, "a", "first") for day in july),
        (DAY, "a", "first"),
        (DAY, "c", "third"),
        (LATER, "b", "second"),
    ]
    files = lake.table("visitor_days.files").orderBy("spec_id", "record_count")
    assert [(row.spec_id, row.record_count) for row in files.collect()] == [(0, 1)] * 4 + [(1, 1), (1, 2)]
    engine = connect(Endpoints.from_environment(), lake.settings.database)
    for day, visitors in ((july[3], ["a"]), (DAY, ["a", "c"]), (LATER, ["b"])):
        asked = f"select visitor_id from visitor_days where event_date = date '{day}' order by visitor_id"
        assert engine.query(asked).column("visitor_id").to_pylist() == visitors
    assert writer.compact("visitor_days") == (4, 1), "July"
    assert lake.rows("visitor_days", "event_date", "visitor_id", "run_id") == stored
    writer.overwrite("visitor_days", rows("d", DAY).limit(0), {*july, DAY})
    assert lake.rows("visitor_days", "event_date", "visitor_id") == [(LATER, "b")]
    assert writer.bounds("visitor_days", "event_date") == (LATER, LATER)


@pytest.mark.parametrize(
    ("stored", "wanted", "changes"),
    [
        ("a int", "a bigint", ["alter column a type bigint"]),
        ("a bigint", "a int", []),
        ("a decimal(18,4)", "a decimal(20,4)", ["alter column a type decimal(20,4)"]),
        ("a array<struct<p:int>>", "a array<struct<p:bigint>>", ["alter column a.element.p type bigint"]),
        ("a array<struct<p:int>>", "a array<struct<p:int,q:string>>", ["add column a.element.q string"]),
    ],
)
def test_what_iceberg_can_do_is_done(spark, stored, wanted, changes):
    old, new = (spark.createDataFrame([], schema).schema["a"].dataType for schema in (stored, wanted))
    assert changes_of("a", old, new) == changes


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("a string", "a int"),
        ("a decimal(18,4)", "a decimal(18,2)"),
        ("a int", "a decimal(18,4)"),
        ("a array<struct<p:int,q:int>>", "a array<struct<q:int>>"),
        ("a array<struct<p:int,q:int>>", "a array<struct<q:int,p:int>>"),
    ],
)
def test_what_iceberg_cannot_do_is_refused_with_a_sentence(spark, stored, wanted):
    old, new = (spark.createDataFrame([], schema).schema["a"].dataType for schema in (stored, wanted))
    with pytest.raises(NotEvolvable, match="in the lake"):
        changes_of("a", old, new)


# --- the whole way: raw lines of three versions, refreshed, read again, asked


def of_version(monkeypatch: pytest.MonkeyPatch, table: Table, values: dict[str, Value], **props: str) -> None:
    """The job of another contract: its columns of events, how each new one is read from the raw line, and the types
    in the raw line's schema that changed."""
    parse, load_json = refresh_lake.parse, refresh_lake._load_json
    monkeypatch.setitem(TABLES, "events", table)

    def parse_more(*arguments):
        rows = parse(*arguments)
        for name, value in values.items():
            rows = rows.withColumn(name, value)
        return rows

    def load_more(package: str, name: str):
        loaded = load_json(package, name)
        if name.endswith("raw_line.spark.json"):
            (sent,) = (field["type"]["fields"] for field in loaded["fields"] if field["name"] == "props")
            for field in sent:
                field["type"] = props.get(field["name"], field["type"])
        return loaded

    monkeypatch.setattr(refresh_lake, "parse", parse_more)
    monkeypatch.setattr(refresh_lake, "_load_json", load_more)


@pytest.mark.slow
def test_raw_lines_of_three_versions_live_in_one_lake(new_lake, monkeypatch):
    lake: SmallLake = new_lake()
    days = {"first_day": date(2026, 9, 7), "last_day": date(2026, 9, 10)}

    def put(version: int, **fields) -> None:
        at = f"2026-09-{6 + version:02}T10:00:00"
        lake.put([line(f"e{version}", "v", at, contract_version=version, **fields)], f"version{version}", at)

    put(1, props={"results_count": 1})
    lake.run()
    first = lake.table("refresh_runs").first().snapshots["events"]

    # Version 2 adds a field, and old events may have carried it as something the contract did not know.
    put(2, gift_note="for you", props={"results_count": 2})
    lake.put([line("e1b", "v", "2026-09-07T11:00:00", gift_note="early")], "early", "2026-09-07T11:00:00")
    lake.run()
    note = Column("gift_note", "string", "what the card says")
    of_version(
        monkeypatch, with_columns("events", new=(note,)), {"gift_note": F.get_json_object("raw_line", "$.gift_note")}
    )
    lake.run(command="reparse", **days)
    assert lake.rows("events", "event_id", "gift_note") == [("e1", None), ("e1b", "early"), ("e2", "for you")]

    # Version 3 widens one.
    of_version(monkeypatch, with_columns("events", results_count="bigint"), {}, results_count="long")
    put(3, gift_note="again", props={"results_count": 2**40})
    lake.run()
    assert ("e3", 2**40) in lake.rows("events", "event_id", "results_count")

    # Version 4 drops the field of version 2: what was read stays, until it is read again.
    of_version(monkeypatch, with_columns("events", dropped="gift_note"), {})
    put(4, gift_note="nobody reads this")
    lake.run()
    assert lake.rows("events", "event_id", "gift_note", "results_count") == [
        ("e1", None, 1),
        ("e1b", "early", None),
        ("e2", "for you", 2),
        ("e3", "again", 2**40),
        ("e4", None, None),
    ]
    before = lake.prints()
    lake.run(command="rebuild")
    lake.run(command="reparse", **days)
    assert lake.prints() == before
    assert {note for _, note in lake.rows("events", "event_id", "gift_note")} == {None}
    lake.assert_every_line_has_one_outcome()

    then = lake.spark.read.option("snapshot-id", first).table(f"lake.{lake.settings.database}.events")
    assert [row.event_id for row in then.collect()] == ["e1"]
    engine = connect(Endpoints.from_environment(), lake.settings.database)
    assert engine.query("select count(*) as n from clickstream_table").to_pylist() == [{"n": 5}]
