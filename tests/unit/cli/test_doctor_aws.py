"""What the doctor finds before a deployment to AWS; the account is the emulator's."""

from pathlib import Path

import boto3
import pytest

from clicklake.cli import deployment, doctor_aws
from clicklake.cli.build import build
from clicklake.cli.doctor_aws import aws_findings
from clicklake.cli.findings import Finding

VALUES = 'region = "us-east-1"\nshop_origins = ["https://shop.example"]\nalert_email = "owner@shop.example"\n'


@pytest.fixture
def checkout(tmp_path: Path, lake, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Values and zips as they should be, and a Terraform that need not be installed."""
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.tfvars").write_text(VALUES)
    build(tmp_path / "build")
    (tmp_path / "build/layer.zip").touch()
    terraform = tmp_path / "bin/terraform"
    terraform.parent.mkdir()
    terraform.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.2"}\'\n')
    terraform.chmod(0o755)
    monkeypatch.setenv("PATH", f"{terraform.parent}:/usr/bin:/bin")
    for module in (deployment, doctor_aws):
        monkeypatch.setattr(module, "CONFIGURATION", tmp_path)
    return tmp_path


def found(checkout: Path) -> dict[str, Finding]:
    return {each.what: each for each in aws_findings("dev", checkout / "build")}


def test_a_computer_with_everything_lacks_nothing(checkout):
    findings = found(checkout)
    # The emulator has no quotas to tell.
    assert {name for name, each in findings.items() if not each.is_ok} == {"deployed", "quota"}
    assert findings["quota"].is_needed is False
    assert findings["deployed"].is_needed is False and "make deploy ENV=dev" in findings["deployed"].advice
    assert (findings["Terraform"].found, findings["account"].found) == ("1.9.2", "123456789012")


def test_what_is_missing_is_named_with_the_way_to_it(checkout, monkeypatch):
    (checkout / "environments/dev.tfvars").write_text('region = "us-east-1"\n')
    (checkout / "build/gate.zip").unlink()
    monkeypatch.setenv("PATH", "/nowhere")
    findings = found(checkout)
    assert findings["Terraform"].found == "none"
    assert "lacks shop_origins, alert_email" in findings["values"].found
    assert (findings["build"].found, findings["build"].advice) == ("without gate", "Run `make build`.")
    assert all(findings[name].is_needed for name in ("Terraform", "values", "build"))


def test_an_old_terraform_and_an_old_build_are_told(checkout):
    (checkout / "bin/terraform").write_text('#!/bin/sh\necho \'{"terraform_version": "1.4.6"}\'\n')
    (checkout / "build/gate.zip").write_bytes(b"older")
    findings = found(checkout)
    assert not findings["Terraform"].is_ok
    assert findings["build"].found == "older than the sources: gate" and not findings["build"].is_needed


def test_without_credentials_the_account_is_not_asked_further(checkout, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers those it found
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(checkout / "none"))
    findings = found(checkout)
    assert "no AWS credentials" in findings["AWS"].advice
    assert not {"account", "quota", "deployed"} & set(findings)


class Functions:
    """Lambda's account settings, which the emulator does not have."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def get_account_settings(self) -> dict:
        return {"AccountLimit": {"ConcurrentExecutions": self.calls}}


@pytest.mark.parametrize(("calls", "is_ok"), [(10, False), (1000, True)])
def test_a_new_accounts_quota_is_told(monkeypatch, calls, is_ok):
    monkeypatch.setattr(doctor_aws.Endpoints, "client", lambda endpoints, service: Functions(calls))
    finding = doctor_aws._concurrent_calls()
    assert (finding.found, finding.is_ok) == (f"{calls} concurrent calls of functions", is_ok)
