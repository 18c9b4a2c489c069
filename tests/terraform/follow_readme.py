"""Follows the README's chapter on deploying, word for word, in a fresh copy of this tree and against the emulator.

    python -m tests.terraform.follow_readme

The commands are read from the chapter's code block; each is given to a shell, with "yes" for whoever asks. What a
reader brings along is set before: credentials, and the three values. The copy has nothing that .gitignore names.

What AWS would run is run by tests/terraform/hands.py: functions and the job from the zips that were deployed, SQL by
DuckDB. CloudFront, schedules, notices and sign-in are kept by the emulator and not tried.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

from clicklake.cli.build import ROOT
from tests.terraform.workbench import emulator, terraform_environment

CHAPTER = re.compile(r"^## Onto AWS\n.*?^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
LIMIT_SECONDS = 600


def commands(readme: str) -> list[str]:
    """The chapter's commands in order; ValueError where there is no such chapter."""
    found = CHAPTER.search(readme)
    if not found:
        raise ValueError("README.md has no chapter 'Onto AWS' with a block of commands")
    return [line.partition(" #")[0].strip() for line in found[1].splitlines() if line.strip()]


def left_over(aws: Any) -> Iterator[str]:
    """What should be gone after destroying."""
    yield from (f"bucket {each['Name']}" for each in aws("s3").list_buckets()["Buckets"])
    yield from (f"function {each['FunctionName']}" for each in aws("lambda").list_functions()["Functions"])
    yield from (f"role {each['RoleName']}" for each in aws("iam").list_roles()["Roles"])
    yield from (f"job {each['Name']}" for each in aws("glue").get_jobs()["Jobs"])
    yield from (f"database {each['Name']}" for each in aws("glue").get_databases()["DatabaseList"])
    yield from (f"queue {each}" for each in aws("sqs").list_queues().get("QueueUrls", []))
    yield from (f"topic {each['TopicArn']}" for each in aws("sns").list_topics()["Topics"])
    yield from (f"API {each['Name']}" for each in aws("apigatewayv2").get_apis()["Items"])
    yield from (f"user pool {each['Name']}" for each in aws("cognito-idp").list_user_pools(MaxResults=60)["UserPools"])
    yield from (f"alarm {each['AlarmName']}" for each in aws("cloudwatch").describe_alarms()["MetricAlarms"])
    yield from (f"rule {each['Name']}" for each in aws("events").list_rules()["Rules"])
    yield from (f"schedule {each['Name']}" for each in aws("scheduler").list_schedules()["Schedules"])
    parameters = aws("ssm").get_parameters_by_path(Path="/clicklake", Recursive=True)["Parameters"]
    yield from (f"parameter {each['Name']}" for each in parameters)
    groups = aws("logs").describe_log_groups()["logGroups"]
    # Glue's own log groups are the account's, on AWS as well.
    yield from (f"log {each['logGroupName']}" for each in groups if not each["logGroupName"].startswith("/aws-glue/"))


def follow(folder: Path) -> None:
    """Raises AssertionError at the first command that fails, and where something is left."""
    checkout = folder / "clicklake"
    made_here = [Path(line).name for line in (ROOT / ".gitignore").read_text().split()]
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", *made_here))
    (folder / "run").mkdir()
    with emulator(folder / "run") as url:
        aws_settings = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "reader",
            "AWS_SECRET_ACCESS_KEY": "emulator",
        }
        environment = terraform_environment(aws_settings)
        for command in commands((checkout / "README.md").read_text()):
            run(command, checkout, environment)
        session = boto3.Session(aws_access_key_id="reader", aws_secret_access_key="emulator", region_name="us-east-1")
        left = list(left_over(lambda service: session.client(service, endpoint_url=url)))
    assert not left, f"left after destroying: {', '.join(left)}"


def run(command: str, folder: Path, environment: Mapping[str, str]) -> None:
    print(f"$ {command}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=dict(environment),
        input="yes\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    print("\n".join(f"  {line}" for line in lines[-5 if done.returncode == 0 else -60 :]))
    print(f"  ({time.monotonic() - started:.0f} s)", flush=True)
    assert done.returncode == 0, f"`{command}` ended with {done.returncode}"


def main() -> int:
    if shutil.which("terraform") is None:
        print("Terraform is not installed here, and the README's chapter on deploying was not followed.")
        return 0
    with tempfile.TemporaryDirectory(prefix="clicklake-") as folder:
        try:
            follow(Path(folder))
        except AssertionError as error:
            print(error, file=sys.stderr)
            return 1
    print("The README's chapter on deploying works, and nothing is left of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
