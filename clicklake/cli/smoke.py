"""`clicklake smoke`: one test event goes the whole way through a deployment, which counts it nowhere."""

import gzip
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from clicklake.cli.deployment import Deployment, Say, find_deployment, in_plain_words, refresh
from clicklake.cli.query import ask_athena
from clicklake.cli.show import console
from clicklake.local.places import TwinError
from clicklake.paths import hour_prefixes
from lambdas.ingest.identity import ingest_id

# A batch that S3 would not take comes back from the queue within minutes.
RAW_SECONDS = 120
SEND_SECONDS = 30


@dataclass(frozen=True)
class Sent:
    """The test event, and the request it travelled in."""

    event_id: str
    ingest_id: str
    at: datetime


def run_smoke(environment: str) -> None:
    deployment = find_deployment(environment)
    console.print(f"{environment} in {deployment.region}, account {deployment.account}", markup=False)
    smoke(deployment, say=lambda line: console.print(line, markup=False, soft_wrap=True))
    console.print("The event went the whole way, and counts in no figure.")


def smoke(deployment: Deployment, say: Say) -> None:
    """Says each step with its seconds; TwinError names the step that failed and where to look."""
    functions = f"/aws/lambda/{deployment.name}-"

    def step(name: str, look_at: str, do: Callable[[], Any]) -> Any:
        started = time.monotonic()
        try:
            with in_plain_words():
                done = do()
        except TwinError as error:
            say(f"no    {name} ({time.monotonic() - started:.1f} s)")
            raise TwinError(f"The step {name!r} failed: {error} Look at {look_at}.") from error
        say(f"ok    {name} ({time.monotonic() - started:.1f} s)")
        return done

    sent = step(
        f"send to {deployment.events_url}",
        f"the logs {functions}ingest and /aws/apigateway/{deployment.name}-events",
        lambda: send(deployment.events_url),
    )
    step(
        "raw object",
        f"s3://{deployment.bucket}/raw/, the queue {deployment.name}-buffer and the log {functions}drain",
        lambda: find_raw(deployment.client("s3"), deployment.bucket, sent),
    )
    step(
        "refresh",
        f"the Glue job {deployment.refresh_job}",
        lambda: refresh(
            deployment.client("glue"),
            deployment.client("logs"),
            deployment.refresh_job,
            say=lambda line: say(f"      {line}"),
        ),
    )
    step(
        "found by SQL",
        f"the saved query refused_lines, workgroup {deployment.workgroup}",
        lambda: find(deployment, sent),
    )


def send(url: str) -> Sent:
    """Posts the event as an app would; TwinError unless it is taken."""
    now = datetime.now(timezone.utc)
    event_id = str(uuid.uuid4())
    event = {
        "event_id": event_id,
        "event_type": "page_view",
        "ts": now.isoformat(timespec="milliseconds"),
        "page_url": "https://smoke.invalid/",
        "is_test": True,
        "anonymous_id": "clicklake-smoke",
        "consent": {"analytics": "granted", "marketing": "denied"},
    }
    headers = {"content-type": "application/json", "user-agent": "clicklake-smoke"}
    message = urllib.request.Request(url, data=json.dumps(event).encode(), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(message, timeout=SEND_SECONDS) as answer:
            status, body, request_id = answer.status, answer.read(), answer.headers.get("apigw-requestid", "")
    except urllib.error.HTTPError as error:
        status, body, request_id = error.code, error.read(), ""
    except OSError as error:
        raise TwinError(f"{url} does not answer ({error}).") from error
    if status != 202 or _accepted(body) != 1:
        raise TwinError(f"the answer was {status}: {body[:300].decode('utf-8', 'replace')}.")
    return Sent(event_id, ingest_id(request_id), now)


def _accepted(body: bytes) -> Any:
    """How many events the answer says were taken; None where it is no such answer: a firewall's challenge is a 202."""
    try:
        return json.loads(body)["accepted"]
    except (ValueError, TypeError, KeyError):
        return None


def find_raw(
    s3: Any,
    bucket: str,
    sent: Sent,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The raw line that holds the event as accepted. TwinError if there is none in time."""
    until = clock() + RAW_SECONDS
    while True:
        for prefix in hour_prefixes(sent.at, datetime.now(timezone.utc)):
            listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}events-{sent.ingest_id}-")
            for found in listed.get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                line: dict[str, Any] = json.loads(gzip.decompress(body))
                if line.get("event_id") == sent.event_id and line.get("verdict") == "accepted" and line.get("is_test"):
                    return line
        if clock() > until:
            raise TwinError(f"no object of the batch {sent.ingest_id} came within {RAW_SECONDS} s.")
        pause(2)


def find(deployment: Deployment, sent: Sent) -> None:
    """The event is one row, and in none of the rows that people count."""
    day = sent.at.date().isoformat()
    rows = ask_athena(
        deployment,
        f"select count(*) as stored, count_if(is_test) as tests from events "
        f"where ts_date = date '{day}' and event_id = '{sent.event_id}'",
    ).to_pylist()
    if rows != [{"stored": 1, "tests": 1}]:
        raise TwinError(f"the event should be one row, marked as a test; SQL says {rows}.")
    counted = ask_athena(
        deployment, f"select count(*) as n from clickstream_table where event_id = '{sent.event_id}'"
    ).to_pylist()
    if counted != [{"n": 0}]:
        raise TwinError(f"a test event must not be in clickstream_table; SQL says {counted}.")
