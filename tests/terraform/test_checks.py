"""What other people's tools say of the configuration: checkov, parliament, policy_sentry."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clicklake.cli.build import ROOT
from tests.terraform.workbench import planned_policies

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def run_tool(*command: str, sent: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a tool in an environment of its own; uv keeps it for the next time."""
    alone = ["--no-project", "--isolated", "--quiet", "--with-requirements", str(HERE / "checks-requirements.txt")]
    return subprocess.run(
        [sys.executable, "-m", "uv", "run", *alone, *command],
        cwd=ROOT,
        input=sent,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_checkov_finds_nothing():
    options = ["--framework", "terraform", "--compact", "--quiet", "--skip-download", "--output", "json"]
    done = run_tool("checkov", "--directory", "terraform", *options)
    report = json.loads(done.stdout)
    failed = [(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]]
    assert failed == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 200


def test_every_skipped_check_has_a_reason():
    skips = [
        line.strip()
        for path in (ROOT / "terraform").rglob("*.tf")
        for line in path.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert skips and all(re.fullmatch(r"#checkov:skip=CKV2?_AWS_\d+:.{12,}", line) for line in skips)


def test_parliament_and_policy_sentry_find_nothing(workbench):
    policies = planned_policies(workbench)
    assert len(policies) > 8
    sent = "".join(json.dumps([address, policy]) + "\n" for address, policy in policies.items())
    done = run_tool("python", str(HERE / "judge_policies.py"), sent=sent)
    assert (done.stdout, done.returncode) == ("", 0), done.stdout + done.stderr
