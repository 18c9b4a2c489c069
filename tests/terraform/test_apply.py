"""The real configuration, with the real provider, on the emulator: applied, unchanged by a second plan,
and gone after destroy. Where moto differs from AWS, emulator.py mends it.
"""

import base64
import gzip
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

from clicklake.buffer import to_messages
from clicklake.cli.build import ROOT
from clicklake.cli.deploy import Terraform, apply, check, destroy
from clicklake.cli.deployment import Deployment, find_deployment, refresh
from clicklake.cli.proof import PARTS, dollars, prove
from clicklake.cli.query import ask_athena
from clicklake.local import emulator as emulators
from clicklake.local.gateway import make_event
from clicklake.local.places import TwinError
from clicklake.paths import raw_key
from lambdas.ingest.identity import ingest_id
from tests.terraform.follow_readme import left_over
from tests.terraform.workbench import Workbench, emulator, set_up, terraform_environment

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
    "admin": {},
    "report": {
        "glue:GetDatabase": "Athena, with the asker's rights",
        "glue:GetTables": "Athena, with the asker's rights",
        "s3:GetBucketLocation": "Athena, with the asker's rights",
        "s3:ListBucket": "Athena, with the asker's rights",
        "s3:AbortMultipartUpload": "awswrangler, where a large page could not be written to its end",
    },
    "job": {
        "s3:AbortMultipartUpload": "Iceberg, where a large file could not be written to its end",
        "s3:DeleteObject": "Iceberg, of a table's metadata files those older than twenty commits",
    },
    "maintenance": {
        "s3:AbortMultipartUpload": "Iceberg, where a large file could not be written to its end",
        "s3:DeleteObject": "nothing has expired in a lake of minutes; tests/spark does it",
        "glue:CreateTable": "after an upgrade with new tables, where upkeep comes before a refresh",
        "glue:UpdateTable": "a lake of one refresh has nothing to compact; tests/spark does it",
    },
}


@pytest.fixture(scope="module")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator(tmp_path_factory.mktemp("emulator")) as url:
        yield url


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
    (workbench.configuration / "upkeep.auto.tfvars").write_text('maintenance_schedule = "cron(0 3 ? * SUN *)"\n')
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


def test_a_new_edge_secret_goes_to_cloudfront_and_changes_nothing_else(deployed):
    secret, plan = "module.ingest.aws_ssm_parameter.edge_secret", deployed.folder / "secret.plan"
    chosen = [*terraform_of(deployed).variables(), "-input=false", f"-replace={secret}", f"-out={plan}"]
    deployed.terraform("plan", *chosen)
    planned = json.loads(deployed.terraform("show", "-json", str(plan)).stdout)["resource_changes"]
    changed = {each["address"]: each["change"]["actions"] for each in planned if each["change"]["actions"] != ["no-op"]}
    assert changed == {secret: ["delete", "create"], "module.edge.aws_cloudfront_distribution.site": ["update"]}


def test_what_was_built_is_what_lambda_has(deployed, aws):
    names = {each.removeprefix("clicklake-dev-") for each in outputs(deployed)["function_names"].values()}
    for name in names | {"drain"}:
        found = aws("lambda").get_function(FunctionName=f"clicklake-dev-{name}")["Configuration"]
        digest = hashlib.sha256((deployed.folder / f"build/{name}.zip").read_bytes()).digest()
        assert found["CodeSha256"] == base64.b64encode(digest).decode()
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])


def test_the_layer_knows_nothing_of_the_machine_it_was_built_on(deployed):
    # Nothing in it is compressed; so the same lock file gives the same bytes in every folder.
    assert str(ROOT).encode() not in (deployed.folder / "build/layer.zip").read_bytes()


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


# --- what was deployed is what runs: the emulator's hands do it


def call(aws: Any, name: str, event: dict[str, Any]) -> Any:
    done = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    answer = json.loads(done["Payload"].read())
    assert "FunctionError" not in done, answer
    return answer


@pytest.fixture(scope="module")
def found(deployed: Workbench) -> Deployment:
    return find_deployment("dev")


def test_every_part_that_an_emulator_keeps_is_proved(found):
    """The dry part of `make proof`: smoke test, views, saved queries, report, administrators and more."""
    proofs = list(prove([part for part in PARTS if part.is_kept], found))
    assert len(proofs) >= 10
    assert {proof.part: proof.seen for proof in proofs if not proof.is_proved} == {}


def test_what_a_run_costs_is_estimated_from_what_ran(found):
    glue, athena = dollars(found)
    runs = found.client("glue").get_job_runs(JobName=found.refresh_job)["JobRuns"]
    assert glue >= len(runs) * 2 * 60 / 3600 * 0.44
    assert athena > 0


def test_a_query_that_athena_refuses_is_one_sentence(found):
    with pytest.raises(TwinError, match=r"^Athena: .*nope[^\n]*$"):
        ask_athena(found, "select nope from events")


def test_the_deployed_ingest_function_hashes_a_verified_user(found, aws):
    event = make_event(
        "POST",
        "/v1/user/events",
        {"content-type": "application/json", "origin": "https://shop.example"},
        json.dumps([{"event_type": "page_view", "consent": {"analytics": "granted"}}]).encode(),
        request_id="signed-in",
        time_epoch_ms=int(time.time() * 1000),
        source_ip="198.51.100.1",
        claims={"sub": "u-1"},
    )
    assert call(aws, f"{found.name}-ingest", event)["statusCode"] == 202
    (line,) = raw_lines(aws, found.bucket, ingest_id("signed-in"))
    assert line["user_id"].startswith("1.") and "u-1" not in json.dumps(line)

    # A further key, as the runbook has it.
    name = "/clicklake/dev/hash-keys"
    keys = aws("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    aws("ssm").put_parameter(Name=name, Value=f"{keys},2:{'a5' * 32}", Type="SecureString", Overwrite=True)
    aws("lambda").update_function_configuration(FunctionName=f"{found.name}-ingest", Description="With the new key")
    event["requestContext"]["requestId"] = "signed-in-again"
    assert call(aws, f"{found.name}-ingest", event)["statusCode"] == 202
    (line,) = raw_lines(aws, found.bucket, ingest_id("signed-in-again"))
    assert line["user_id"].startswith("2.")


def raw_lines(aws: Any, bucket: str, batch: str) -> list[dict[str, Any]]:
    """What raw holds of a batch."""
    keys = [each["Key"] for each in aws("s3").list_objects_v2(Bucket=bucket, Prefix="raw/")["Contents"]]
    (key,) = [key for key in keys if batch in key]
    body = gzip.decompress(aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return [json.loads(line) for line in body.splitlines()]


def test_the_deployed_drain_function_puts_back_what_waited(found, aws):
    (message,) = to_messages("a" * 32, [b'{"not": "an event"}\n'])
    records = {"Records": [{"messageId": "m-1", "body": message}]}
    assert call(aws, f"{found.name}-drain", records) == {"batchItemFailures": []}
    assert raw_lines(aws, found.bucket, "a" * 32) == [{"not": "an event"}]


def test_the_deployed_generator_sends_through_the_api(found, aws):
    assert call(aws, f"{found.name}-generator", {}) == {"accepted": 1, "refused": 0}


def test_an_administrator_starts_a_refresh_through_the_gate(found, aws):
    claims = {"authorizer": {"jwt": {"claims": {"cognito:groups": "[administrators]"}}}}
    answer = call(aws, f"{found.name}-admin", {"routeKey": "POST /v1/admin/refresh", "requestContext": claims})
    assert json.loads(answer["body"])["outcome"] == "started"
    # What comes now is not in the run that has begun.
    assert call(aws, f"{found.name}-gate", {"task": "refresh"})["outcome"] == "nothing_new"
    refresh(found.client("glue"), found.client("logs"), found.refresh_job, say=print)
    (row,) = ask_athena(found, "select count(*) as n, count_if(user_id is not null) as users from events").to_pylist()
    assert row["n"] >= 20 and row["users"] >= 1
    assert ask_athena(found, "select count(*) as n from quarantine").to_pylist() == [{"n": 1}]


def test_the_deployed_upkeep_packs_the_object_of_a_day_that_is_over(found, aws):
    key = raw_key("nothing", 0, datetime(2026, 1, 1, tzinfo=timezone.utc))
    aws("s3").put_object(Bucket=found.bucket, Key=key, Body=gzip.compress(b""))
    glue, logs, said = found.client("glue"), found.client("logs"), []
    refresh(glue, logs, found.refresh_job, {"--reconcile": "true"}, say=print)
    refresh(glue, logs, f"{found.name}-maintain-lake", say=said.append)
    assert "packed 1 raw objects" in "".join(said).lower()


def calls(endpoint_url: str) -> list[list[str]]:
    """Who asked the emulator for what, and of what."""
    with urlopen(f"{endpoint_url}/_calls") as answer:
        return json.load(answer)


def test_every_call_was_allowed_by_the_callers_policy(found, endpoint_url, aws):
    made = [each for each in calls(endpoint_url) if each[0].startswith(f"{found.name}-")]
    assert {who for who, _, _ in made} >= {f"{found.name}-{part}" for part, reasons in NOT_SEEN_HERE.items()}
    denied = [each for each in made if not is_allowed(policy_of(aws, each[0]), each[1], each[2])]
    assert denied == []


def test_every_granted_action_was_used_or_has_a_reason(found, endpoint_url, aws):
    used = {(who, action) for who, action, _ in calls(endpoint_url)}
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
    assert list(left_over(aws)) == []
