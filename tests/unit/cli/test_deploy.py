import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from clicklake.cli import deploy
from clicklake.cli.deploy import Terraform, check, create_views, destroy, in_order_of_use
from clicklake.local.places import TwinError
from clicklake.local.sql import read_queries, translate_view


class Athena:
    """Says of each query that it runs, then how it ended."""

    def __init__(self, state: str = "SUCCEEDED") -> None:
        self.queries: list[str] = []
        self.state = state
        self.is_running = True

    def start_query_execution(self, *, QueryString: str, QueryExecutionContext: dict, WorkGroup: str) -> dict:
        self.queries.append(QueryString)
        assert (QueryExecutionContext, WorkGroup) == ({"Database": "db"}, "shop")
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, *, QueryExecutionId: str) -> dict:
        self.is_running = not self.is_running
        status = {"State": "RUNNING"} if self.is_running else {"State": self.state, "StateChangeReason": "line 1:1"}
        return {"QueryExecution": {"Status": status}}


def test_a_view_comes_after_those_it_rests_on():
    names = in_order_of_use("db")
    views = read_queries("views")
    assert sorted(names) == sorted(views)
    for place, name in enumerate(names):
        assert translate_view(views[name], "db").rests_on & set(views) <= set(names[:place])


def test_every_view_is_made_in_athena():
    athena = Athena()
    names = create_views(athena, "db", "shop", pause=lambda seconds: None)
    assert [query.split(" as\n")[0] for query in athena.queries] == [f"create or replace view {n}" for n in names]


def test_a_view_that_fails_is_named_with_athenas_reason():
    with pytest.raises(TwinError, match=r"the view \w+: line 1:1"):
        create_views(Athena("FAILED"), "db", "shop", pause=lambda seconds: None)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a build, and a terraform that need not be installed."""
    for name in ("terraform/environments/dev.tfvars", "build/ingest.zip", "build/layer.zip"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(deploy.shutil, "which", lambda name: f"/bin/{name}")
    return tmp_path


def test_without_terraform_one_sentence_says_how_to_get_it(tree, monkeypatch):
    monkeypatch.setattr(deploy.shutil, "which", lambda name: None)
    with pytest.raises(TwinError, match="Terraform is not installed"):
        check("dev", tree / "terraform")


def test_an_unknown_environment_is_told_the_known_ones(tree):
    with pytest.raises(TwinError, match="choose one of dev"):
        check("prd", tree / "terraform")


def test_a_missing_build_is_told(tree):
    (tree / "build/layer.zip").unlink()
    with pytest.raises(TwinError, match="make build"):
        check("dev", tree / "terraform")


def test_missing_credentials_are_told(tree, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers those it found
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tree / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tree / "none"))
    with pytest.raises(TwinError, match="no AWS credentials"):
        check("dev", tree / "terraform")


SLOW_TERRAFORM = """#!/bin/sh
trap 'sleep 1; echo the state is put away; exit 1' INT
echo at work
while :; do sleep 0.05; done
"""
PLAN_WITHOUT_AWS = """
import signal, sys
from clicklake.cli import deploy
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it
deploy.check = deploy.Terraform.enter = lambda *_: None
sys.exit(deploy.main(["plan"]))
"""


def test_ctrl_c_leaves_terraform_the_time_to_put_its_state_away(tmp_path):
    terraform = tmp_path / "terraform"
    terraform.write_text(SLOW_TERRAFORM)
    terraform.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-c", PLAN_WITHOUT_AWS],
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "at work\n"
        os.killpg(process.pid, signal.SIGINT)
        said, complaint = process.communicate(timeout=30)
    assert said == "the state is put away\n"
    assert complaint.startswith("Stopped. ") and complaint.count("\n") == 1
    assert process.returncode == 130


class Recorded(Terraform):
    """Records what would be run on a deployed lake."""

    def run(self, *arguments: str) -> None:
        RUNS.append(arguments)

    def outputs(self) -> dict[str, str]:
        return {"region": "us-east-1", "bucket_name": "lake"}


RUNS: list[tuple[str, ...]] = []


class S3:
    """A page of one key each, as S3 gives it; of a key that ends with a + there is a delete marker."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, name: str) -> "S3":
        assert name == "list_object_versions"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict]:
        found = [key for key in self.keys if key.startswith(Prefix)]
        return [{"DeleteMarkers" if key.endswith("+") else "Versions": [{"Key": key}]} for key in found] or [{}]


@pytest.mark.parametrize(
    ("keys", "deletes_data", "is_destroyed"),
    [
        (["raw/a"], False, False),
        (["results/events/a.parquet"], False, False),
        (["raw/a+", "raw/b"], False, False),
        (["raw/a+"], False, True),
        (["raw/a"], True, True),
        (["reference/jobs/refresh_lake.py", "state/gate.json"], False, True),
    ],
)
def test_events_are_deleted_only_when_asked_for(monkeypatch, keys, deletes_data, is_destroyed):
    RUNS.clear()
    monkeypatch.setattr(deploy, "clients_of", lambda region: lambda service: S3(*keys))
    if is_destroyed:
        destroy(Recorded("dev"), [], deletes_data=deletes_data)
        assert [run[0] for run in RUNS] == ["apply", "destroy"]
    else:
        with pytest.raises(TwinError, match="DATA=delete"):
            destroy(Recorded("dev"), [], deletes_data=deletes_data)
        assert RUNS == []


class Replicated(Recorded):
    def outputs(self) -> dict[str, Any]:
        return super().outputs() | {"replica": {"bucket_name": "copy", "region": "eu-west-1"}}


def test_the_copy_in_another_region_is_looked_at_and_emptied_too(monkeypatch):
    RUNS.clear()
    lakes = {"us-east-1": S3(), "eu-west-1": S3("raw/a")}
    monkeypatch.setattr(deploy, "clients_of", lambda region: lambda service: lakes[region])
    with pytest.raises(TwinError, match=r"The bucket copy holds events.*DATA=delete"):
        destroy(Replicated("dev"), [], deletes_data=False)
    assert RUNS == []
    destroy(Replicated("dev"), [], deletes_data=True)
    assert "-target=module.lake.module.replica[0].aws_s3_bucket.this" in RUNS[0]


def test_where_nothing_is_deployed_nothing_is_destroyed():
    class Nowhere(Recorded):
        def outputs(self) -> dict[str, str]:
            return {}

    with pytest.raises(TwinError, match="Nothing is deployed as dev"):
        destroy(Nowhere("dev"), [], deletes_data=True)
