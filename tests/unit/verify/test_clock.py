from datetime import date
from zoneinfo import ZoneInfo

import pytest

from clicklake.verify.clock import local_date, place_in_time, ts_date
from clicklake.verify.rules import DAY_MS

from .lakes import HOUR, MINUTE, ms, oracle_of
from .lakes import line as make_line

AT = ms("2026-03-02T12:00:00")

# the fact, then ts, sent_at, received_at, and when it counts
CASES = [
    ("a_right_clock", AT, AT + 1_000, AT + 1_100, AT, "client"),
    ("without_sent_at_ts_is_believed", AT - DAY_MS, None, AT, AT - DAY_MS, "client"),
    ("exactly_five_minutes_are_believed", AT, AT + 1_000, AT + 301_000, AT, "client"),
    ("more_are_corrected", AT, AT + 1_000, AT + 301_001, AT + 300_001, "corrected"),
    ("a_clock_a_day_ahead_is_corrected", AT + DAY_MS, AT + DAY_MS + 5_000, AT + 5_000, AT, "corrected"),
    ("a_late_event_of_a_right_clock_stays", AT, AT + 9 * DAY_MS, AT + 9 * DAY_MS, AT, "client"),
    ("no_readable_ts", None, AT, AT + 7, AT + 7, "server"),
    ("sent_a_second_before_it_happened", AT, AT - 1_000, AT + 50, AT, "client"),
    ("sent_earlier_than_that", AT, AT - 1_001, AT + 50, AT + 50, "server"),
    ("a_minute_after_receipt_stays", AT + MINUTE, AT + MINUTE, AT, AT + MINUTE, "client"),
    ("later_is_clamped", AT + MINUTE + 1, AT + MINUTE + 1, AT, AT, "clamped"),
]


@pytest.mark.parametrize(
    ("ts", "sent_at", "received_at", "at", "quality"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_an_event_is_placed_in_time(ts, sent_at, received_at, at, quality):
    placed = place_in_time(ts, sent_at, received_at)
    assert (placed.occurred_at, placed.ts_quality) == (at, quality)


def test_ninety_days_late_is_taken_and_a_millisecond_more_is_too_late():
    limit = 90 * DAY_MS
    lines = [make_line(str(more), AT, sent_at=None, received_at=AT + limit + more) for more in (0, 1)]
    oracle = oracle_of(lines)
    assert [event.event_id for event in oracle.outcomes.events] == ["0"]
    assert [refused.reason for refused in oracle.outcomes.refused] == ["too_late"]


def test_ts_date_is_of_ts_as_sent_and_1970_without_one():
    assert ts_date(ms("2026-03-02T23:59:59")) == date(2026, 3, 2)
    assert ts_date(None) == date(1970, 1, 1)
    assert ts_date(-1) == date(1969, 12, 31)


def test_days_of_clock_changes_have_23_and_25_hours():
    berlin = ZoneInfo("Europe/Berlin")
    hours = [local_date(ms("2026-01-01T00:00:00") + hour * HOUR, berlin) for hour in range(365 * 24)]
    assert hours.count(date(2026, 3, 29)) == 23
    assert hours.count(date(2026, 10, 25)) == 25
    assert hours.count(date(2026, 6, 1)) == 24
