"""The whole way of an event on real parts: gateway, ingest, Spark, SQL, report. Minutes, so by marker."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from clicklake.local.places import ROOT

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "clicklake.cli"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "LAKE_BUCKET"}
    return {**kept, "CLICKLAKE_STATE": str(tmp_path / "state"), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("profile", [["--visitors", "0.2"], ["--profile", "plain", "--events-per-day", "200"]])
def test_a_small_demo_ends_with_a_balanced_ledger_and_a_report(
    environment: dict[str, str], tmp_path: Path, profile: list[str]
) -> None:
    report = tmp_path / "report.html"
    ended = subprocess.run(
        [*COMMAND, "demo", "--days", "2", "--report", str(report), *profile],
        check=False,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=570,
    )
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"is_balanced\W+yes", ended.stdout)
    assert "</html>" in report.read_text()


def test_a_lake_of_two_days_is_what_happened_in_them(environment: dict[str, str]) -> None:
    ended = subprocess.run(
        [*COMMAND, "verify", "--days", "2", "--visitors", "0.5", "--output", "json"],
        check=False,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=570,
    )
    checks = json.loads(ended.stdout)
    assert {check["part"] for check in checks} == {"tables", "ledger", "figures", "truth"}
    assert [check for check in checks if check["verdict"] != "sound"] == []
    assert ended.returncode == 0


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A live platform; gives the file of its output."""
    output = tmp_path / "output"
    with open(output, "w") as out:
        process = subprocess.Popen(
            [*COMMAND, "up", "--port", "0", "--report-port", "0", "--speed", "0.01", "--every", "1"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    yield output
    process.terminate()
    assert process.wait(timeout=30) == 130


def found(pattern: str, output: Path, seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if match := re.search(pattern, output.read_text()):
            return match[1]
        time.sleep(0.2)
    pytest.fail(f"never said {pattern!r}: {output.read_text()[-2000:]}")


def ask(sql: str, environment: dict[str, str]) -> list[dict[str, object]]:
    answer = subprocess.run(
        [*COMMAND, "query", sql, "--output", "json"],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "not there yet: the first refresh makes it" in answer.stderr:
        return []
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_an_event_sent_to_the_gateway_becomes_a_row_and_a_report(up: Path, environment: dict[str, str]) -> None:
    gateway = found(r"Gateway +(http\S+)", up, 90)
    report = found(r"Report +(http\S+)", up, 5)
    event = {"event_id": "sent-by-hand", "event_type": "page_view", "anonymous_id": "a1"}
    for _ in range(2):
        request = urllib.request.Request(gateway, json.dumps(event).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 202
    sql = "select event_id, visitor_id from events where event_id = 'sent-by-hand'"
    until = time.monotonic() + 400
    while not (rows := ask(sql, environment)) and time.monotonic() < until:
        time.sleep(2)
    assert rows == [{"event_id": "sent-by-hand", "visitor_id": "a1"}]
    with urllib.request.urlopen(report, timeout=20) as answer:
        assert answer.headers.get_content_type() == "text/html" and answer.read()
