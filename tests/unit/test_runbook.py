"""The runbook knows every alarm, and what it names is there. Its recipe for objects is followed here."""

import re

import pytest

from clicklake import endpoints
from clicklake.cli.app import app
from clicklake.local import emulator
from clicklake.local.places import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
MONITORING = (ROOT / "terraform" / "modules" / "monitoring" / "main.tf").read_text(encoding="utf-8")


def test_every_alarm_has_its_place_and_no_other():
    alarms = set(re.findall(r"^    ([a-z-]+) = \{$", MONITORING, re.MULTILINE)) | {"quarantine"}
    part = RUNBOOK.split("## Alarms")[1].split("## Recipes")[0]
    assert set(re.findall(r"^### (.+)$", part, re.MULTILINE)) == alarms
    for alarm in part.split("\n### ")[1:]:
        assert "**Check" in alarm or "**Cure**" in alarm, alarm


def test_files_and_commands_that_it_names_exist():
    for path in re.findall(r"`(tests/[\w/.]+)`", RUNBOOK):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w/.-]+\.md)\)", RUNBOOK):
        assert (ROOT / "docs" / path).exists(), path
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"`clicklake ([a-z]+)", RUNBOOK))
    assert named and named <= commands


def test_settings_that_it_names_are_variables():
    variables = set(re.findall(r'^variable "(\w+)"', (ROOT / "terraform" / "variables.tf").read_text(), re.MULTILINE))
    named = {
        "old_versions_days",
        "refresh_schedule",
        "late_limit_days",
        "monthly_budget_usd",
        "scan_limit_gb",
        "throttle",
    }
    named |= {"maintenance_schedule", "replica_region", "chat_webhook_parameter", "job"}
    assert all(f"`{name}`" in RUNBOOK for name in named) and named <= variables


@pytest.mark.parametrize("harm", ["deleted", "overwritten"])
def test_an_object_comes_back_from_its_old_version(harm, monkeypatch):
    with emulator.running() as running:
        lake = running.create_lake()
        for name, value in lake.environment().items():
            monkeypatch.setenv(name, value)
        s3 = endpoints.client("s3")
        bucket, key = lake.bucket, "raw/year=2026/month=01/day=01/hour=00/events-a-1.ndjson.gz"
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key=key, Body=b"kept")
        if harm == "deleted":
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=b"spoilt")
        versions = s3.list_object_versions(Bucket=bucket, Prefix="raw/year=2026/month=01/day=01/")["Versions"]
        oldest = versions[-1]  # S3 lists the newest first
        s3.copy_object(
            Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key, "VersionId": oldest["VersionId"]}
        )
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"kept"
