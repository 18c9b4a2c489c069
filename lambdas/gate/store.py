"""What the gate asks of S3 and Glue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from clicklake.endpoints import client
from clicklake.paths import GATE_KEY
from lambdas.gate.news import Run, Seen

# Enough to find a good one behind some failures and their retries.
RUNS_TO_LOOK_AT = 20


@dataclass(frozen=True)
class Clients:
    s3: Any
    glue: Any


def connect() -> Clients:
    return Clients(s3=client("s3"), glue=client("glue"))


def read_seen(s3: Any, bucket: str) -> Seen | None:
    # A role that may not list gets no clear answer for a missing key, so the listing is asked.
    if not s3.list_objects_v2(Bucket=bucket, Prefix=GATE_KEY, MaxKeys=1).get("KeyCount"):
        return None
    body = s3.get_object(Bucket=bucket, Key=GATE_KEY)["Body"].read()
    return Seen.from_json(body.decode("utf-8", "replace"))


def write_seen(s3: Any, bucket: str, seen: Seen) -> None:
    s3.put_object(Bucket=bucket, Key=GATE_KEY, Body=seen.to_json().encode(), ContentType="application/json")


def count_objects(s3: Any, bucket: str, prefix: str) -> int:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sum(page.get("KeyCount", 0) for page in pages)


def last_runs(glue: Any, job: str) -> list[Run]:
    """The newest first, without the rebuilds and reparses that went well: they take nothing new in."""
    found = glue.get_job_runs(JobName=job, MaxResults=RUNS_TO_LOOK_AT)["JobRuns"]
    runs = [
        Run(run["JobRunState"], _moment(run["StartedOn"]))
        for run in found
        if "StartedOn" in run and (_is_refresh(run) or run["JobRunState"] != "SUCCEEDED")
    ]
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def _is_refresh(run: dict[str, Any]) -> bool:
    return (run.get("Arguments", {}).get("--command") or "refresh") == "refresh"


def start(glue: Any, job: str, arguments: dict[str, str], execution_class: str) -> bool:
    """False where a run is at work already: the job takes one at a time."""
    try:
        glue.start_job_run(JobName=job, Arguments=arguments, ExecutionClass=execution_class)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConcurrentRunsExceededException":
            return False
        raise
    return True


def _moment(value: datetime) -> datetime:
    return value if value.tzinfo else value.astimezone()
