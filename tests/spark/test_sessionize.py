"""Sessions in the job, case by case as in the plain-Python reading of the definitions."""

import hashlib
import time
from collections import defaultdict
from datetime import datetime, timedelta

from pyspark.sql import functions as F

from glue_jobs.runtime import tune
from glue_jobs.transforms.sessionize import sessionize
from tests.unit.verify.test_sessions import CASES

SCHEMA = (
    "event_id string, visitor_id string, occurred_at timestamp_ntz, "
    "event_type string, page_view_id string, ts_date date, ts_quality string, engaged_ms bigint, sdk string, "
    "user_id string, is_bot boolean, bot_reasons array<string>"
)
START = datetime(2026, 9, 1, 12, 0, 0)


def _sessions(spark, visits):
    """Rows of `sessionize` for events as (id, second, type, page view) of each visitor."""
    rows = [
        (i, visitor, START + timedelta(seconds=second), kind, page, START.date(), "client", *[None] * 3, False, [])
        for visitor, events in visits.items()
        for i, second, kind, page in events
    ]
    return sessionize(spark.createDataFrame(rows, SCHEMA)).collect()


def test_the_job_cuts_every_case_as_the_definitions_do(spark):
    found = {name: defaultdict(list) for name, _, _ in CASES}
    for row in _sessions(spark, {name: events for name, events, _ in CASES}):
        if row.session_id:
            found[row.visitor_id][row.session_id].append(row.event_id)
    groups = {name: sorted("".join(sorted(ids)) for ids in sessions.values()) for name, sessions in found.items()}
    assert groups == {name: sorted(expected) for name, _, expected in CASES}


def test_a_chain_of_activity_is_cut_every_24_hours(spark):
    events = [(f"{n:03}", n * 1800, "click", None) for n in range(100)]  # 49.5 hours without a gap
    sessions = {}
    for row in _sessions(spark, {"v": events}):
        sessions.setdefault(row.session_id, []).append(int(row.event_id))
    assert sorted((min(ids), max(ids)) for ids in sessions.values()) == [(0, 47), (48, 95), (96, 99)]


def test_the_id_is_built_from_the_visitor_and_the_first_event(spark):
    rows = _sessions(spark, {"v": [("first", 0, "page_view", None), ("second", 5, "click", None)]})
    named = f"v\nfirst\n{rows[0].ts_date}".encode()
    assert {row.session_id for row in rows} == {hashlib.sha256(named).hexdigest()[:32]}


def test_one_page_view_id_on_all_events_of_a_busy_visitor_is_no_work_of_its_square(spark):
    tune(spark, 0)
    fixed = {"visitor_id": "v", "event_type": "page_view", "page_view_id": "p", "ts_quality": "client"}
    nulls = {name: F.lit(None).cast(kind) for name, kind in (("engaged_ms", "bigint"), ("sdk", "string"))}
    events = spark.range(60_000).select(
        F.concat(F.lit("e"), "id").alias("event_id"),
        F.timestamp_millis(F.lit(1_788_000_000_000) + F.col("id") * 1000).cast("timestamp_ntz").alias("occurred_at"),
        F.lit(START.date()).alias("ts_date"),
        *(F.lit(value).alias(name) for name, value in fixed.items()),
        *(value.alias(name) for name, value in nulls.items()),
        F.lit(None).cast("string").alias("user_id"),
        F.lit(False).alias("is_bot"),
        F.array().cast("array<string>").alias("bot_reasons"),
    )
    began = time.monotonic()
    assert sessionize(events).select("set_aside_session_id").distinct().count() == 1
    # Compared with one another, they took minutes.
    assert time.monotonic() - began < 60
