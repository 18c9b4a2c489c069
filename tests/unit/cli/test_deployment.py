"""What the commands do with a deployment on AWS: names from the emulator's SSM, mocks for time and failure alone."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clicklake.cli import deployment as deployments
from clicklake.cli.build import ROOT
from clicklake.cli.deployment import (
    PARAMETERS,
    Deployment,
    enter_region,
    find_deployment,
    in_plain_words,
    refresh,
    terraform_values,
)
from clicklake.cli.query import ask_athena
from clicklake.endpoints import Endpoints
from clicklake.local.emulator import Emulator
from clicklake.local.places import TwinError


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands set the region for their process; a test's process goes on."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(deployments, "CONFIGURATION", tmp_path)


@pytest.fixture
def deployed(lake) -> Deployment:
    """What Terraform writes for a deployment `shop`, on an empty lake."""
    values = {
        "bucket": lake.bucket,
        "database": lake.database,
        "workgroup": f"group-{lake.database}",
        "events-url": "https://api.example/v1/events",
        "site-origin": "https://site.example",
        "refresh-job": "clicklake-shop-refresh-lake",
    }
    ssm = lake.endpoints().client("ssm")
    for name, value in values.items():
        ssm.put_parameter(Name=f"/clicklake/shop/{name}", Value=value, Type="String", Overwrite=True)
    return find_deployment("shop")


def test_a_deployment_is_found_by_its_name_alone(deployed, lake):
    assert (deployed.bucket, deployed.database, deployed.account) == (lake.bucket, lake.database, "123456789012")
    assert deployed.refresh_job == "clicklake-shop-refresh-lake"


def test_the_names_looked_up_are_those_that_terraform_writes():
    text = (ROOT / "terraform/main.tf").read_text()
    written = re.search(r'resource "aws_ssm_parameter" "settings".*?for_each = \{(.*?)\n  \}', text, re.DOTALL)[1]
    assert set(re.findall(r"^\s+([\w-]+)\s*=", written, re.MULTILINE)) == set(PARAMETERS)


def test_an_unknown_deployment_is_told_with_region_and_account(lake):
    with pytest.raises(TwinError, match="no deployment 'nope' in us-east-1 of account 123456789012: `make deploy"):
        find_deployment("nope")


def test_a_deployment_of_an_older_version_is_told(lake):
    lake.endpoints().client("ssm").put_parameter(Name="/clicklake/old/bucket", Value="b", Type="String")
    with pytest.raises(TwinError, match="does not tell its database, events_url, refresh_job, site_origin, workgroup"):
        find_deployment("old")


@pytest.mark.parametrize("name", ["", "Prod", "../dev", "dev-1"])
def test_what_is_no_name_is_not_looked_up(name):
    with pytest.raises(TwinError, match="no deployment's name"):
        find_deployment(name)


def test_the_region_is_the_deployments_own(tmp_path, monkeypatch):
    assert enter_region("dev") == "us-east-1"
    monkeypatch.setenv("TF_VAR_region", "eu-west-1")
    assert enter_region("dev") == "eu-west-1"
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.tfvars").write_text('# region = "x"\nregion       = "eu-central-1" # Frankfurt\n')
    assert enter_region("dev") == "eu-central-1"
    assert Endpoints.from_environment().region == "eu-central-1"


def test_no_region_is_told(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(TwinError, match="No region is set: set AWS_REGION"):
        enter_region("dev")


def test_values_are_read_as_terraform_is_given_them(tmp_path):
    (tmp_path / "environments").mkdir()
    text = '# alert_email = "no@shop.example"\nshop_origins = ["https://shop.example"]\nregion="eu-west-1"\n'
    (tmp_path / "environments/dev.tfvars").write_text(text)
    given = {"TF_VAR_region": "us-east-2", "TF_VAR_alert_email": "owner@shop.example", "HOME": "/"}
    assert terraform_values("dev", tmp_path, given) == {
        "region": "eu-west-1",
        "shop_origins": '["https://shop.example"]',
        "alert_email": "owner@shop.example",
    }


def test_what_aws_refuses_is_one_sentence(deployed):
    with (
        pytest.raises(TwinError, match=r"^AWS refused GetJobRuns \(EntityNotFoundException\): .*[^.]\.$"),
        in_plain_words(),
    ):
        deployed.client("glue").get_job_runs(JobName="nope")


# --- a refresh


class Glue:
    """A run goes from STARTING over RUNNING to `state`. Another's is at work before it, if `is_busy`."""

    def __init__(self, state: str = "SUCCEEDED", *, is_busy: bool = False) -> None:
        self.state = state
        self.ended = {"other": not is_busy}
        self.seen: dict[str, int] = {}
        self.arguments: dict[str, str] = {}

    def start_job_run(self, *, JobName: str, Arguments: dict[str, str]) -> dict:
        if JobName == "nope":
            raise ClientError({"Error": {"Code": "EntityNotFoundException"}}, "StartJobRun")
        if not all(self.ended.values()):
            raise ClientError({"Error": {"Code": "ConcurrentRunsExceededException"}}, "StartJobRun")
        self.arguments = Arguments
        return {"JobRunId": "mine"}

    def get_job_runs(self, *, JobName: str) -> dict:
        return {"JobRuns": [{"Id": "old", "JobRunState": "FAILED"}, {"Id": "other", "JobRunState": "RUNNING"}]}

    def get_job_run(self, *, JobName: str, RunId: str) -> dict:
        self.seen[RunId] = self.seen.get(RunId, 0) + 1
        state = ["STARTING", "RUNNING", self.state if RunId == "mine" else "SUCCEEDED"][self.seen[RunId] - 1]
        self.ended[RunId] = state not in ("STARTING", "RUNNING")
        return {"JobRun": {"JobRunState": state, "ExecutionTime": 83, "ErrorMessage": "out of memory"}}


class Logs:
    """A log that comes some time after the run has begun, and grows."""

    def __init__(self) -> None:
        self.asked = 0

    def get_log_events(self, *, logGroupName: str, logStreamName: str, nextToken: str = "", **_: Any) -> dict:
        assert (logGroupName, logStreamName) == ("/aws-glue/jobs/output", "mine")
        self.asked += 1
        if self.asked == 1:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetLogEvents")
        assert nextToken == ("" if self.asked == 2 else f"after {self.asked - 1}")
        return {"events": [{"message": f"line {self.asked}\n"}], "nextForwardToken": f"after {self.asked}"}


def run(glue: Glue, logs: Any = None, job: str = "job", **more: Any) -> list[str]:
    said: list[str] = []
    refresh(glue, logs or NoLogs(), job, more, say=said.append, pause=lambda seconds: None)
    return said


class NoLogs:
    def get_log_events(self, **_: Any) -> dict:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetLogEvents")


def test_a_refresh_tells_its_states_and_what_the_job_prints():
    assert run(Glue(), Logs()) == [
        "Started mine; it goes on in Glue, whatever happens here.",
        "starting ...",
        "running ...",
        "  line 2",
        "succeeded ...",
        "  line 3",
        "The refresh went well: 83 s of Glue's time.",
    ]


def test_a_run_at_work_is_waited_for_as_it_may_have_missed_the_latest_events():
    glue = Glue(is_busy=True)
    said = run(glue, **{"--reconcile": "true"})
    assert said[0] == "A run is at work already (other): waiting for its end ..."
    assert said[-1].startswith("The refresh went well")
    assert glue.arguments == {"--reconcile": "true"}


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED"])
def test_a_refresh_that_fails_tells_why_and_where_its_log_is(state):
    told = f"{state}: out of memory. Its log: aws logs tail /aws-glue/jobs/error .*mine"
    with pytest.raises(TwinError, match=told):
        run(Glue(state))


def test_a_missing_job_is_told():
    with pytest.raises(TwinError, match="There is no Glue job nope"):
        run(Glue(), job="nope")


# --- Athena: the emulator runs no query, but gives back what was queued for it


def queue(emulator: Emulator, columns: dict[str, str], rows: list[list[str]]) -> None:
    info = [{"Name": name, "Type": kind, "Precision": 18, "Scale": 4} for name, kind in columns.items()]
    data = [{"Data": [{"VarCharValue": value} for value in row]} for row in [list(columns), *rows]]
    body = json.dumps({"results": [{"rows": data, "column_info": info}]}).encode()
    urllib.request.urlopen(f"{emulator.endpoint_url}/moto-api/static/athena/query-results", body).close()


@pytest.fixture
def workgroup(deployed) -> None:
    athena = deployed.client("athena")
    place = {"ResultConfiguration": {"OutputLocation": f"s3://{deployed.bucket}/athena-results/"}}
    athena.create_work_group(Name=deployed.workgroup, Configuration=place)


def test_athenas_answer_is_read_with_its_types(emulator, deployed, workgroup):
    columns = {
        "n": "bigint",
        "value": "decimal",
        "day": "date",
        "name": "varchar",
        "share": "double",
        "is_new": "boolean",
    }
    queue(emulator, columns, [["3", "12.5000", "2026-01-02", "a, b", "0.25", "true"]])
    (row,) = ask_athena(deployed, "select 1").to_pylist()
    assert {name: str(value) for name, value in row.items()} == {
        "n": "3",
        "value": "12.5000",
        "day": "2026-01-02",
        "name": "a, b",
        "share": "0.25",
        "is_new": "True",
    }


def test_the_query_runs_in_the_deployments_workgroup_and_database(emulator, deployed, workgroup):
    queue(emulator, {"n": "bigint"}, [["3"]])
    ask_athena(deployed, "select count(*) as n from events")
    athena = deployed.client("athena")
    (asked,) = [
        each
        for name in athena.list_query_executions(WorkGroup=deployed.workgroup)["QueryExecutionIds"]
        if "count(*)" in (each := athena.get_query_execution(QueryExecutionId=name)["QueryExecution"])["Query"]
    ]
    assert asked["QueryExecutionContext"]["Database"] == deployed.database
    assert asked["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{deployed.bucket}/athena-results/")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [("drop table events", "Only SELECT"), ("select 1; select 2", "One statement"), ("select 1 +", "Syntax error")],
)
def test_only_questions_reach_athena(deployed, sql, sentence):
    # There is no workgroup: what reached the emulator would be refused in other words.
    with pytest.raises(TwinError, match=sentence):
        ask_athena(deployed, sql)
