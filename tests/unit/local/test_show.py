"""Answers are safe to open in a spreadsheet, and whole for programs."""

import csv
import io
import json
from datetime import date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from rich.console import Console

from clicklake.cli.show import as_csv, as_json, as_table
from clicklake.local.places import TwinError


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"]
)
def test_a_formula_is_neutralised_in_csv(text: str) -> None:
    written = as_csv(pa.table({"search_query": [text]}))
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == ["'" + text]


def test_a_formula_inside_a_list_or_a_column_name_is_neutralised() -> None:
    written = list(csv.reader(io.StringIO(as_csv(pa.table({"=a": ["x"], "@b": [["=1"]]})), newline="")))
    assert written == [["'=a", "'@b"], ["x", '["=1"]']]


def test_numbers_dates_and_gaps_stay_what_they_are() -> None:
    rows = pa.table(
        {
            "n": [-5, None],
            "money": [Decimal("-12.3400"), Decimal("0")],
            "ratio": [0.1, float("nan")],
            "day": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5), None],
            "ok": [True, None],
        }
    )
    assert as_csv(rows) == (
        "n,money,ratio,day,at,ok\r\n-5,-12.3400,0.1,2026-01-02,2026-01-02 03:04:05,true\r\n,0.0000,,,,\r\n"
    )


def test_json_keeps_every_digit_and_every_character() -> None:
    rows = pa.table({"money": [Decimal("12345678901234.5678")], "text": ["=é\n"], "none": pa.array([None], pa.int64())})
    assert json.loads(as_json(rows)) == [{"money": "12345678901234.5678", "text": "=é\n", "none": None}]


def test_two_columns_of_one_name_are_never_one() -> None:
    rows = pa.table([[1], [2], *[[0]] * 6], names=["a", "a", *"bcdefg"])
    assert as_csv(rows).splitlines() == ["a,a,b,c,d,e,f,g", "1,2,0,0,0,0,0,0"]
    assert as_table(rows).row_count == 8
    with pytest.raises(TwinError, match=r"^Several columns are called 'a'.*\.$"):
        as_json(rows)


def test_times_of_day_and_bytes_are_text_everywhere() -> None:
    rows = pa.table({"at": [time(9, 30)], "digest": [b"\x01\xff"]})
    assert json.loads(as_json(rows)) == [{"at": "09:30:00", "digest": "01ff"}]
    assert as_csv(rows) == "at,digest\r\n09:30:00,01ff\r\n"


def test_a_terminal_gets_no_control_characters() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(as_table(pa.table({"search_query": ["\x1b[2J[bold]x\u202e"]})))
    shown = console.file.getvalue()
    assert "\x1b" not in shown and "\u202e" not in shown and "[bold]x" in shown


def test_a_long_answer_says_how_much_is_left_out() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(as_table(pa.table({"a number of some length": list(range(1000))}), limit=3))
    assert "3 of 1,000 rows" in console.file.getvalue()
