import hashlib
from datetime import datetime, timedelta

import pytest

from glue_jobs.transforms.sessionize import sessionize

SCHEMA = (
    "event_id string, visitor_id string, occurred_at timestamp_ntz, "
    "event_type string, page_view_id string, ts_date date, ts_quality string, engaged_ms bigint, sdk string, "
    "user_id string, is_bot boolean, bot_reasons array<string>"
)
START = datetime(2026, 9, 1, 12, 0, 0)

# name of the fact, then events of one visitor as (id, second, type, page view), then the groups that share a session
CASES = [
    ("a_gap_of_exactly_30_minutes_stays", [("a", 0, "page_view", None), ("b", 1800, "click", None)], ["ab"]),
    ("a_longer_gap_splits", [("a", 0, "page_view", None), ("b", 1800.001, "click", None)], ["a", "b"]),
    (
        "a_leading_ping_is_no_member_and_has_no_session_without_its_page_view",
        [("a", 0, "page_ping", "p9"), ("b", 10, "page_view", "p1")],
        ["b"],
    ),
    (
        "a_late_leave_takes_the_session_of_its_page_view",
        [("a", 0, "page_view", "p1"), ("b", 7200, "page_leave", "p1"), ("c", 7300, "page_view", "p2")],
        ["ab", "c"],
    ),
    (
        "a_ping_within_the_island_extends_it",
        [("a", 0, "page_view", "p1"), ("b", 1700, "page_ping", "p1"), ("c", 3400, "click", "p1")],
        ["abc"],
    ),
    (
        "a_page_left_more_than_a_day_later_has_no_session",
        [("a", 0, "page_view", "p1"), ("b", 86_401, "page_leave", "p1")],
        ["a"],
    ),
]


def _sessions(spark, events, gap_seconds: int = 1800):
    rows = [
        (i, "v", START + timedelta(seconds=second), kind, page, START.date(), "client", None, None, None, False, [])
        for i, second, kind, page in events
    ]
    return sessionize(spark.createDataFrame(rows, SCHEMA), gap_seconds).collect()


@pytest.mark.parametrize(("name", "events", "groups"), CASES, ids=[case[0] for case in CASES])
def test_sessions(spark, name, events, groups):
    found = {}
    for row in _sessions(spark, events):
        if row.session_id:
            found.setdefault(row.session_id, []).append(row.event_id)
    assert sorted("".join(sorted(ids)) for ids in found.values()) == sorted(groups)


def test_a_chain_of_activity_is_cut_every_24_hours(spark):
    events = [(f"{n:03}", n * 1800, "click", None) for n in range(100)]  # 49.5 hours without a gap
    sessions = {}
    for row in _sessions(spark, events):
        sessions.setdefault(row.session_id, []).append(int(row.event_id))
    assert sorted((min(ids), max(ids)) for ids in sessions.values()) == [(0, 47), (48, 95), (96, 99)]


def test_the_id_is_built_from_the_visitor_and_the_first_event(spark):
    rows = _sessions(spark, [("first", 0, "page_view", None), ("second", 5, "click", None)])
    assert {row.session_id for row in rows} == {hashlib.sha256(b"v\nfirst").hexdigest()[:32]}
