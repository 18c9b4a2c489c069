"""A deployment on AWS as the commands see it: found by its name alone, through the parameters it wrote into SSM.

    deployment = find_deployment("dev")
    refresh(deployment.client("glue"), deployment.client("logs"), deployment.refresh_job, say=print)

SSM and not `terraform output`: a colleague with access to the account need not have Terraform's state.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from clicklake.endpoints import Endpoints
from clicklake.local.places import ROOT, TwinError

CONFIGURATION = ROOT / "terraform"
ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED", "CANCELLED")
# Where Glue puts what a job prints, and what it complains of; the stream's name is the run's.
JOB_OUTPUT, JOB_ERRORS = "/aws-glue/jobs/output", "/aws-glue/jobs/error"

# terraform/main.tf writes these below /clicklake/<name>/.
PARAMETERS = ("bucket", "database", "workgroup", "events-url", "site-origin", "refresh-job")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Deployment:
    environment: str
    region: str
    account: str
    bucket: str
    database: str
    workgroup: str
    events_url: str
    site_origin: str
    refresh_job: str

    @property
    def name(self) -> str:
        """What its functions' and its alarms' names begin with."""
        return f"clicklake-{self.environment}"

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client in its region; `config` are botocore Config settings."""
        return Endpoints.from_environment().client(service, **config)


def find_deployment(environment: str) -> Deployment:
    """Looks the deployment up, and points this process at its region; TwinError where there is none."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,9}", environment):
        raise TwinError(f"{environment!r} is no deployment's name: they are 2 to 10 lower-case letters and digits.")
    region = enter_region(environment)
    with in_plain_words():
        account = caller_account()
        ssm = Endpoints.from_environment().client("ssm")
        names = {f"/clicklake/{environment}/{name}": name.replace("-", "_") for name in PARAMETERS}
        found = ssm.get_parameters(Names=list(names))["Parameters"]
    settings = {names[each["Name"]]: each["Value"] for each in found}
    if not settings:
        raise TwinError(
            f"There is no deployment {environment!r} in {region} of account {account}: `make deploy ENV={environment}` "
            "makes it; if it is elsewhere, set AWS_REGION or AWS_PROFILE."
        )
    if missing := set(names.values()) - set(settings):
        listed = ", ".join(sorted(missing))
        raise TwinError(f"The deployment {environment!r} does not tell its {listed}: `make deploy ENV={environment}`.")
    return Deployment(environment=environment, region=region, account=account, **settings)


def enter_region(environment: str) -> str:
    """Points this process at the deployment's region: that of its .tfvars, of TF_VAR_region, else AWS's settings."""
    region = terraform_values(environment, CONFIGURATION, os.environ).get("region") or _region_of_session()
    if not region:
        raise TwinError(
            "No region is set: set AWS_REGION to the deployment's, as eu-central-1, or fill in `region` in "
            f"terraform/environments/{environment}.tfvars."
        )
    os.environ.update(AWS_REGION=region, AWS_DEFAULT_REGION=region)
    return region


def terraform_values(environment: str, folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of one line that Terraform would be given, as they are written there (a text without quotes)."""
    values = {name.removeprefix("TF_VAR_"): value for name, value in variables.items() if name.startswith("TF_VAR_")}
    path = folder / f"environments/{environment}.tfvars"
    text = path.read_text() if path.is_file() else ""
    values |= {name: value.strip() for name, value in re.findall(r"^(\w+)\s*=\s*([^#\n]+)", text, re.MULTILINE)}
    return {name: value.strip('"') for name, value in values.items()}


def _region_of_session() -> str | None:
    with in_plain_words():
        return os.environ.get("AWS_REGION") or boto3.Session().region_name


def caller_account() -> str:
    """The account's number; TwinError where AWS does not know who asks."""
    with in_plain_words():
        try:
            return Endpoints.from_environment().client("sts").get_caller_identity()["Account"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise TwinError(
                f"AWS does not take your credentials ({code}): sign in again, as by `aws sso login`."
            ) from error


@contextmanager
def in_plain_words() -> Iterator[None]:
    """What AWS refuses, and what does not reach it, as one sentence."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        message = re.sub(r"\s+", " ", told.get("Message", "")).strip().rstrip(".")
        raise TwinError(f"AWS refused {error.operation_name} ({told.get('Code')}): {message}.") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise TwinError(
            f"There are no AWS credentials here ({type(error).__name__}): run `aws configure`, or set AWS_PROFILE."
        ) from error
    except EndpointConnectionError as error:
        where = error.kwargs["endpoint_url"]
        raise TwinError(
            f"Nothing answers at {where}: check the network, and that the region's name is right."
        ) from error
    except BotoCoreError as error:
        raise TwinError(f"AWS could not be asked: {str(error).strip().rstrip('.')}.") from error


def refresh(
    glue: Any,
    logs: Any,
    job: str,
    arguments: Mapping[str, str] | None = None,
    *,
    say: Say,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Runs the job to its end, saying its states and what it prints; TwinError where it does not go well.

    A run that is at work already may have listed raw before the latest events came: it is waited for first.
    """
    while (run_id := _start(glue, job, arguments)) is None:
        busy = [run["Id"] for run in glue.get_job_runs(JobName=job)["JobRuns"] if run["JobRunState"] not in ENDED]
        for other in busy:
            say(f"A run is at work already ({other}): waiting for its end ...")
            _follow(glue, logs, job, other, say, pause)
        if not busy:
            pause(5)  # it has just ended, and Glue will know in a moment
    say(f"Started {run_id}; it goes on in Glue, whatever happens here.")
    run = _follow(glue, logs, job, run_id, say, pause)
    if run["JobRunState"] != "SUCCEEDED":
        why = (run.get("ErrorMessage") or "Glue gives no reason").strip().rstrip(".")
        raise TwinError(
            f"The refresh ended as {run['JobRunState']}: {why}. Its log: aws logs tail {JOB_ERRORS} "
            f"--log-stream-names {run_id} --since 3h"
        )
    say(f"The refresh went well: {run.get('ExecutionTime', 0)} s of Glue's time.")


def _start(glue: Any, job: str, arguments: Mapping[str, str] | None) -> str | None:
    """The run's id; None where one is at work: the job takes one at a time."""
    try:
        return glue.start_job_run(JobName=job, Arguments=dict(arguments or {}))["JobRunId"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConcurrentRunsExceededException":
            return None
        if code == "EntityNotFoundException":
            raise TwinError(f"There is no Glue job {job}: the deployment is not whole, run `make deploy`.") from error
        raise


def _follow(glue: Any, logs: Any, job: str, run_id: str, say: Say, pause: Callable[[float], None]) -> dict[str, Any]:
    """Waits for a run's end, which it returns."""
    printed = _printed(logs, run_id)
    state = ""
    while True:
        run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if run["JobRunState"] != state:
            state = run["JobRunState"]
            say(f"{state.lower()} ...")
        for line in next(printed):
            say(f"  {line}")
        if state in ENDED:
            return run
        pause(5)


def _printed(logs: Any, run_id: str) -> Iterator[list[str]]:
    """What the run has printed since the last asking; nothing where there is no log yet, or it may not be read."""
    place = {"logGroupName": JOB_OUTPUT, "logStreamName": run_id, "startFromHead": True}
    while True:
        try:
            answer = logs.get_log_events(**place)
        except ClientError:
            yield []
            continue
        place["nextToken"] = answer["nextForwardToken"]
        yield [line for event in answer["events"] for line in event["message"].splitlines()]
