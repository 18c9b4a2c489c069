"""The real configuration, with the real provider, on the emulator: applied, unchanged by a second plan,
and gone after destroy. Where moto differs from AWS, emulator.py mends it.
"""

import base64
import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest

from clicklake.buffer import to_messages
from clicklake.cli.build import ROOT
from clicklake.cli.deploy import Terraform, apply, check, destroy
from clicklake.endpoints import Endpoints
from clicklake.local import emulator as emulators
from clicklake.local.gateway import make_event
from clicklake.local.places import TwinError
from clicklake.local.sql import connect
from clicklake.paths import raw_key
from tests.terraform.deployed import Deployed
from tests.terraform.workbench import Workbench, set_up, terraform_environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed: see docs/deploy.md"),
]

REGION = "us-east-1"
# What a role may do and does not do here, and why it may. Every role's log is written by AWS's runtime.
NOT_SEEN_HERE = {
    "ingest": {"sqs:SendMessage": "while S3 takes nothing; tests/integration/ingest does it"},
    "drain": {
        "sqs:ReceiveMessage": "Lambda reads the queue with the function's role",
        "sqs:DeleteMessage": "Lambda, after the function's answer",
        "sqs:GetQueueAttributes": "Lambda, before it begins to read",
    },
    "gate": {},
    "admin": {
        "lambda:InvokeFunction": "the emulator runs no functions",
        "s3:GetObject": "there is a report only after Athena's answers",
    },
    "job": {
        "s3:AbortMultipartUpload": "Iceberg, where a large file could not be written to its end",
    },
    "maintenance": {
        "s3:AbortMultipartUpload": "Iceberg, where a large file could not be written to its end",
        "s3:DeleteObject": "nothing has expired in a lake of minutes; tests/spark does it",
        "glue:CreateTable": "after an upgrade with new tables, where upkeep comes before a refresh",
        "glue:UpdateTable": "a lake of one refresh has nothing to compact; tests/spark does it",
    },
}
# On the emulator a bucket's name cannot stand in the host's, and there is no account to ask for.
EMULATED_PROVIDER = """
provider "aws" {{
{alias}
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}}
"""


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.terraform.emulator", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def aws(endpoint_url: str) -> Any:
    session = boto3.Session(aws_access_key_id="emulator", aws_secret_access_key="emulator", region_name=REGION)
    return lambda service: session.client(service, endpoint_url=endpoint_url)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, endpoint_url: str, aws: Any) -> Iterator[Workbench]:
    """The dev deployment, as `make deploy` makes it. The last test destroys it."""
    folder: Path = tmp_path_factory.mktemp("deployed")
    emulated = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
    }
    workbench = set_up(folder, terraform_environment(emulated), has_layer=True)
    aliases = ("", '  alias = "us_east_1"', '  alias = "replica"')
    override = "".join(EMULATED_PROVIDER.format(alias=alias) for alias in aliases)
    (workbench.configuration / "emulator_override.tf").write_text(override)
    # AWS's own layer with awswrangler: the emulator has only what was put there.
    content = {"ZipFile": (folder / "build/drain.zip").read_bytes()}
    layer = aws("lambda").publish_layer_version(LayerName="pandas", Content=content)["LayerVersionArn"]
    (workbench.configuration / "layer.auto.tfvars").write_text(
        f'report_layer_arn = "{layer}"\nmaintenance_schedule = "cron(0 3 ? * SUN *)"\n'
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in emulators.FOREIGN_VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in workbench.environment.items():
            monkeypatch.setenv(name, value)
        terraform = terraform_of(workbench)
        check("dev", terraform.folder)
        terraform.enter()
        apply(terraform, ["-auto-approve"])
        yield workbench


def terraform_of(workbench: Workbench) -> Terraform:
    return Terraform("dev", workbench.configuration)


def outputs(deployed: Workbench) -> dict[str, Any]:
    return terraform_of(deployed).outputs()


def test_a_second_plan_is_empty(deployed):
    options = ["-input=false", "-no-color", "-detailed-exitcode"]
    done = deployed.terraform("plan", *terraform_of(deployed).variables(), *options, is_expected_to_fail=True)
    assert done.returncode == 0, done.stdout


def test_what_was_built_is_what_lambda_has(deployed, aws):
    names = {each.removeprefix("clicklake-dev-") for each in outputs(deployed)["function_names"].values()}
    for name in names | {"drain"}:
        found = aws("lambda").get_function(FunctionName=f"clicklake-dev-{name}")["Configuration"]
        digest = hashlib.sha256((deployed.folder / f"build/{name}.zip").read_bytes()).digest()
        assert found["CodeSha256"] == base64.b64encode(digest).decode()
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])


def test_the_job_finds_its_script_and_its_modules(deployed, aws):
    job = aws("glue").get_job(JobName=outputs(deployed)["refresh_job_name"])["Job"]
    for place, source in {
        job["Command"]["ScriptLocation"]: ROOT / "glue_jobs/refresh_lake.py",
        job["DefaultArguments"]["--extra-py-files"]: deployed.folder / "build/glue_jobs.zip",
    }.items():
        bucket, _, key = place.removeprefix("s3://").partition("/")
        assert aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == source.read_bytes()


def test_the_secrets_were_made_and_differ(deployed, aws):
    names = [f"/clicklake/dev/{name}" for name in ("hash-keys", "edge-secret", "server-key")]
    found = aws("ssm").get_parameters(Names=names, WithDecryption=True)["Parameters"]
    values = {each["Name"]: each["Value"] for each in found}
    assert len(set(values.values())) == 3 and all(len(value) >= 64 for value in values.values())
    assert values[names[0]].startswith("1:")


# --- what was deployed is what runs


@pytest.fixture(scope="module")
def running(deployed: Workbench, endpoint_url: str, aws: Any) -> Deployed:
    folder = deployed.folder / "running"
    folder.mkdir()
    return Deployed(endpoint_url, aws, folder)


def raw_objects(aws: Any, bucket: str) -> int:
    return aws("s3").list_objects_v2(Bucket=bucket, Prefix="raw/").get("KeyCount", 0)


def request(
    body: list[dict[str, Any]], path: str = "/v1/events", claims: dict[str, Any] | None = None
) -> dict[str, Any]:
    headers = {"content-type": "application/json", "user-agent": "Mozilla/5.0", "origin": "https://shop.example"}
    sent = json.dumps(body).encode()
    now = int(time.time() * 1000)
    name = uuid.uuid4().hex
    return make_event(
        "POST", path, headers, sent, request_id=name, time_epoch_ms=now, source_ip="198.51.100.1", claims=claims
    )


def page_view(name: str) -> dict[str, Any]:
    consent = {"analytics": "granted", "marketing": "denied"}
    return {"event_id": name, "event_type": "page_view", "page_url": "https://shop.example/", "consent": consent}


def test_the_deployed_ingest_function_stores_an_event(running, deployed, aws):
    names = outputs(deployed)
    answer = running.call(names["function_names"]["ingest"], request([page_view("e-1"), page_view("e-2")]))
    assert answer["statusCode"] == 202, answer
    user = request([page_view("e-3")], "/v1/user/events", {"sub": "u-1"})
    assert running.call(names["function_names"]["ingest"], user)["statusCode"] == 202
    assert raw_objects(aws, names["bucket_name"]) == 2


def test_the_deployed_drain_function_puts_back_what_waited(running, deployed, aws):
    before = raw_objects(aws, outputs(deployed)["bucket_name"])
    (message,) = to_messages("a" * 32, [b'{"not": "an event"}\n'])
    records = {"Records": [{"messageId": "m-1", "body": message}]}
    assert running.call("clicklake-dev-drain", records) == {"batchItemFailures": []}
    assert raw_objects(aws, outputs(deployed)["bucket_name"]) == before + 1


def test_the_deployed_gate_starts_the_job_once(running, deployed):
    gate = outputs(deployed)["function_names"]["gate"]
    assert running.call(gate, {"task": "refresh"})["outcome"] == "started"
    # The emulator's runs succeed at once.
    assert running.call(gate, {"task": "refresh"})["outcome"] == "nothing_new"
    assert running.call(gate, {"task": "measure"})["outcome"] == "measured"


def test_the_deployed_admin_function_knows_its_group(running, deployed):
    admin = outputs(deployed)["function_names"]["admin"]
    asked = request([], "/v1/admin/report", {"cognito:groups": ["administrators"]}) | {
        "routeKey": "GET /v1/admin/report"
    }
    assert running.call(admin, asked)["statusCode"] == 404  # no report yet
    nobody = request([], "/v1/admin/report", {"sub": "u-1"}) | {"routeKey": "GET /v1/admin/report"}
    assert running.call(admin, nobody)["statusCode"] == 403


def test_the_deployed_job_makes_rows_that_sql_finds(running, deployed, aws):
    names = outputs(deployed)
    old_object = {
        "Bucket": names["bucket_name"],
        "Key": raw_key("nothing", 0, datetime(2026, 1, 1, tzinfo=timezone.utc)),
    }
    aws("s3").put_object(**old_object, Body=gzip.compress(b""))
    running.run_job(names["refresh_job_name"])
    endpoints = Endpoints.from_environment(running.environment("reader"))
    engine = connect(endpoints, names["database_name"])
    assert engine.query("select count(*) as n from events").to_pylist() == [{"n": 3}]
    assert engine.query("select count(*) as n from quarantine").to_pylist() == [{"n": 1}]


def test_the_deployed_upkeep_packs_the_object_of_a_day_that_is_over(running):
    said = running.run_job("clicklake-dev-maintain-lake", role="clicklake-dev-maintenance")
    assert "packed 1 raw objects" in said.lower()


def test_every_call_was_allowed_by_the_callers_policy(running, aws):
    calls = [call for call in running.calls() if call[0].startswith("clicklake-dev-")]
    assert {who for who, _, _ in calls} >= {
        f"clicklake-dev-{part}" for part in ("ingest", "drain", "gate", "admin", "job", "maintenance")
    }
    denied = [call for call in calls if not is_allowed(policy_of(aws, call[0]), call[1], call[2])]
    assert denied == []


def test_every_granted_action_was_used_or_has_a_reason(running, aws):
    used = {(who, action) for who, action, _ in running.calls()}
    for part, reasons in NOT_SEEN_HERE.items():
        who = f"clicklake-dev-{part}"
        granted = {action for statement in policy_of(aws, who) for action in as_list(statement["Action"])}
        unused = {action for action in granted if (who, action) not in used and not action.startswith("logs:")}
        assert unused == set(reasons), who


def policy_of(aws: Any, role: str) -> list[dict[str, Any]]:
    return aws("iam").get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]["Statement"]


def is_allowed(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    """For S3 by action, resource and prefix; elsewhere by action (the policy's tests look at the resources)."""
    arn, _, prefix = resource.partition("#")
    for statement in statements:
        actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
        condition = statement.get("Condition") or {}
        prefixes = [p for test in condition.values() for p in as_list(test.get("s3:prefix", []))]
        if (
            action in actions
            and (not arn or any(fnmatchcase(arn, each) for each in resources))
            and (not prefixes or any(fnmatchcase(prefix, each) for each in prefixes))
        ):
            return True
    return False


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_destroying_leaves_nothing(deployed, aws):
    bucket = outputs(deployed)["bucket_name"]
    aws("s3").put_object(Bucket=bucket, Key="raw/one", Body=b"")
    aws("s3").put_object(Bucket=bucket, Key="raw/one", Body=b"a second version")
    with pytest.raises(TwinError, match="DATA=delete"):
        destroy(terraform_of(deployed), ["-auto-approve"], deletes_data=False)
    destroy(terraform_of(deployed), ["-auto-approve"], deletes_data=True)
    assert deployed.terraform("state", "list").stdout == ""
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("iam").list_roles()["Roles"] == []
    assert aws("glue").get_jobs()["Jobs"] == []
    assert aws("sqs").list_queues().get("QueueUrls", []) == []
    assert aws("ssm").get_parameters_by_path(Path="/clicklake", Recursive=True)["Parameters"] == []
