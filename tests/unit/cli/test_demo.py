"""How the demo ends: with everything written, and with exit code 0 only where the comparison explains it all."""

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from clicklake.cli import demo
from clicklake.cli.app import app
from clicklake.cli.making import Made
from clicklake.shop import simulate
from clicklake.shop.truth import write_truth
from clicklake.verify.checks import Check

SOUND = Check("tables", "events", "7 rows", "7 rows", True)
WRONG = Check("figures", "all: orders", "35", "34", False, "one too many")


def end_of_demo(checks: list[Check], report: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    with write_truth(report.parent / "truth") as writer:
        assert list(simulate(days=1, until=datetime(2026, 3, 1, tzinfo=UTC), visitors=0.01, truth=writer))
    made = Made(lake=None, engine=None, raw=(), truth=report.parent / "truth")
    monkeypatch.setattr(demo, "made_lake", lambda *_: nullcontext(made))
    monkeypatch.setattr(demo, "show", lambda _: None)
    monkeypatch.setattr(demo, "render", lambda _: "<html></html>")
    monkeypatch.setattr(demo, "check_made", lambda _: checks)
    return CliRunner().invoke(app, ["demo", "--report", str(report)], env={"COLUMNS": "200"})


def test_a_demo_whose_numbers_are_explained_ends_well(tmp_path, monkeypatch):
    ended = end_of_demo([SOUND], tmp_path / "report.html", monkeypatch)
    assert ended.exit_code == 0
    assert "Verified: 1 comparisons" in ended.output
    assert "0 devices that people share" in ended.output


def test_an_unexplained_difference_fails_the_demo_after_everything_is_written(tmp_path, monkeypatch):
    report = tmp_path / "report.html"
    ended = end_of_demo([SOUND, WRONG], report, monkeypatch)
    assert ended.exit_code == 1
    assert report.read_text() == "<html></html>"
    for words in ("NOT verified: 1 of 2 comparisons", "one too many", str(report)):
        assert words in ended.output
