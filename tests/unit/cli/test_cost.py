import csv
import io
import json

import pytest
from typer.testing import CliRunner

from clicklake.cli.app import app
from clicklake.cli.cost import minutes_of
from clicklake.cost.bill import bill
from clicklake.cost.usage import Workload
from clicklake.local.places import TwinError


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("daily", 1_440), ("hourly", 60), ("5-minutes", 5), ("rate(6 hours)", 360), ("15 minutes", 15), ("1 day", 1_440)],
)
def test_a_cadence_is_a_name_or_a_rate(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "weekly", "rate(2 minutes)", "rate(2 days)", "rate(0 hours)", "hourly daily"])
def test_another_cadence_is_refused_with_what_was_expected(text):
    with pytest.raises(TwinError, match="expected daily, hourly, 5-minutes"):
        minutes_of(text)


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["cost", *arguments])
    if done.exception:
        raise done.exception
    return done.stdout


def test_json_has_every_line_with_its_source():
    found = json.loads(told("--refresh", "hourly", "--flex", "--firewall", "--output", "json"))
    month = bill(Workload(refresh_minutes=60, is_flex=True, has_firewall=True))
    assert found["usd"] == pytest.approx(month.usd, abs=1e-4)
    assert sum(line["usd"] for line in found["lines"]) == pytest.approx(found["usd"], abs=1e-3)
    assert {"WAF", "Glue", "S3"} <= {line["service"] for line in found["lines"]}
    assert all(line["source"] and line["evidence"] for line in found["lines"])


def test_csv_has_a_row_a_line():
    rows = list(csv.DictReader(io.StringIO(told("--output", "csv"))))
    assert len(rows) == len(bill(Workload()).lines)


def test_the_table_ends_with_the_sum_and_how_far_it_may_be_off():
    out = " ".join(told().split())
    assert f"{bill(Workload()).usd:,.2f}" in out
    assert "so much that the whole is" in out


def test_too_much_for_the_workers_is_one_sentence():
    with pytest.raises(TwinError, match="take more of them"):
        told("--events-per-day", "1000000000")
