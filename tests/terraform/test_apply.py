"""The real configuration, with the real provider, on the emulator: applied, unchanged by a second plan,
and gone after destroy. Where moto differs from AWS, emulator.py mends it.
"""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from clicklake.cli.build import ROOT
from tests.terraform.workbench import Workbench, set_up, terraform_environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed: see docs/deploy.md"),
]

REGION = "us-east-1"
BUCKETS = ("-target=module.lake.aws_s3_bucket.lake", "-target=module.edge.aws_s3_bucket.site")
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
def deployed(tmp_path_factory: pytest.TempPathFactory, endpoint_url: str, aws: Any) -> Workbench:
    """The dev deployment, applied. The last test destroys it."""
    folder: Path = tmp_path_factory.mktemp("deployed")
    emulated = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
    }
    workbench = set_up(folder, terraform_environment(emulated))
    aliases = ("", '  alias = "us_east_1"', '  alias = "replica"')
    override = "".join(EMULATED_PROVIDER.format(alias=alias) for alias in aliases)
    (workbench.configuration / "emulator_override.tf").write_text(override)
    # AWS's own layer with awswrangler: the emulator has only what was put there.
    content = {"ZipFile": (folder / "build/drain.zip").read_bytes()}
    layer = aws("lambda").publish_layer_version(LayerName="pandas", Content=content)["LayerVersionArn"]
    (workbench.configuration / "layer.auto.tfvars").write_text(f'report_layer_arn = "{layer}"\n')
    workbench.terraform("apply", *arguments(), "-auto-approve")
    return workbench


def arguments() -> list[str]:
    return ["-input=false", "-no-color", "-var-file=environments/dev.tfvars"]


def outputs(deployed: Workbench) -> dict[str, Any]:
    found = json.loads(deployed.terraform("output", "-json").stdout)
    return {name: each["value"] for name, each in found.items()}


def test_a_second_plan_is_empty(deployed):
    done = deployed.terraform("plan", *arguments(), "-detailed-exitcode", is_expected_to_fail=True)
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


def test_destroying_leaves_nothing(deployed, aws):
    bucket = outputs(deployed)["bucket_name"]
    aws("s3").put_object(Bucket=bucket, Key="raw/one", Body=b"")
    aws("s3").put_object(Bucket=bucket, Key="raw/one", Body=b"a second version")
    # As `make destroy DATA=delete` does it: the buckets have to know first.
    deployed.terraform("apply", *arguments(), "-auto-approve", "-var=is_destroyable=true", *BUCKETS)
    deployed.terraform("destroy", *arguments(), "-auto-approve", "-var=is_destroyable=true")
    assert deployed.terraform("state", "list").stdout == ""
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("iam").list_roles()["Roles"] == []
    assert aws("glue").get_jobs()["Jobs"] == []
    assert aws("sqs").list_queues().get("QueueUrls", []) == []
    assert aws("ssm").get_parameters_by_path(Path="/clicklake", Recursive=True)["Parameters"] == []
