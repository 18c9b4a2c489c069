import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.contract.instants import MAX_INSTANT_MS, MIN_INSTANT_MS, read_instant

NOON = 1777636800000  # 2026-05-01T12:00:00Z

READ = {
    '"2026-05-01T12:00:00.123Z"': NOON + 123,
    '"2026-05-01T12:00:00Z"': NOON,
    '"2026-05-01T12:00:00"': NOON,
    '"2026-05-01T12:00"': NOON,
    '"2026-05-01 12:00:00,9999999999"': NOON + 999,
    '"2026-05-01t12:00:00z"': NOON,
    '"2026-05-01T14:00:00+02:00"': NOON,
    '"2026-05-01T14:00:00\\u002b0200"': NOON,
    '"2026-05-01T14:00+02"': NOON,
    '"2026-05-01T06:30:00.5-05:30"': NOON + 500,
    '"2026-05-01"': NOON - 12 * 3_600_000,
    '"2024-02-29"': 1709164800000,
    '"1969-12-31T23:59:59.9999Z"': -1,
    '"0001-01-01T00:00:00.000Z"': MIN_INSTANT_MS,
    '"9999-12-31T23:59:59.999Z"': MAX_INSTANT_MS,
    "1777636800": NOON,
    "1777636800.1239": NOON + 123,
    "1.7776368e9": NOON,
    "1777636800123": NOON + 123,
    "1777636800123.9": NOON + 123,
    '"1777636800"': NOON,
    '"1777636800123"': NOON + 123,
    "99999999999": 99999999999000,
    "100000000000": 100000000000,
    "0": 0,
    "0.0": 0,
    "1e-9": 0,
    "-1": -1000,
    "-0.0001": -1,
    "-1.5": -1500,
    '"0"': 0,
}
UNREADABLE = [
    '"yesterday"', '""', "true", "false", "[]", "{}", '"2026-05-01Z"', '"2026-13-01"', '"2026-02-30"',
    '"2025-02-29T00:00:00.000Z"', '"2026-05-01T24:00:00Z"', '"2026-05-01T12:60:00.000Z"',
    '"2026-05-01T12:00:60.000Z"', '"2026-05-01T12:00:00.000z "', '"20260501T120000Z"', '"2026-W18-5"',
    '"0000-01-01"', '"-1"', '"1777636800.5"', '"0001-01-01T00:00:00+00:01"',
    '"9999-12-31T23:59:59.999-00:01"',
    "1e999", "-1e999", "1e99999999999", "253402300800000", "-62135596801", '"' + "9" * 400 + '"', "9" * 5000,
    '"2026-05-01T12:00:00.000Z\\n"', '"\u0661\u0662\u0663"', '"2026-05-01T12:00:00.\u0661\u0662\u0663Z"',
    '"2026-05-01T12:00:0\u0000.000Z"', '"2026-05-01T12:00:+1.000Z"',
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), READ.items())
def test_an_instant_is_read_and_cut_to_the_millisecond(sent: str, expected: int) -> None:
    assert read_instant(sent.encode()) == expected


@pytest.mark.parametrize("sent", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_no_instant_is_unreadable(sent: str) -> None:
    assert read_instant(sent.encode()) is None


@given(st.integers(MIN_INSTANT_MS, MAX_INSTANT_MS))
@settings(derandomize=True, database=None)
def test_every_instant_as_a_browser_writes_it_is_read_back(instant: int) -> None:
    seconds, millis = divmod(instant, 1000)
    moment = datetime.fromtimestamp(0, UTC).toordinal() + seconds // 86_400
    day = datetime.fromordinal(moment)
    second = seconds % 86_400
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{millis:03}"
    text = f"{day.year:04}-{day.month:02}-{day.day:02}T{clock}Z"
    assert read_instant(json.dumps(text).encode()) == instant
