"""Proves a deployment on AWS, part by part: deploys it, tries what a program can try, destroys it, and prints a table.

    python -m clicklake.cli.proof --env dev [--keep]

`make proof ENV=dev` calls it. It takes about an hour, most of it waiting for CloudFront and Glue, and costs some ten
cents. It refuses where the environment is deployed already: at its end it destroys everything, events included.
What only a person can see (e-mails, pages) is listed after the table.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from clicklake.buffer import to_messages
from clicklake.cli.deploy import Terraform, apply, check, destroy, in_order_of_use
from clicklake.cli.deployment import Deployment, find_deployment, in_plain_words
from clicklake.cli.query import ask_athena
from clicklake.cli.show import as_table, console
from clicklake.cli.smoke import find_raw, send, smoke
from clicklake.cost.prices import price_list
from clicklake.local.places import TwinError
from clicklake.local.sql import read_queries
from clicklake.paths import REPORT_KEY

# What Athena bills a query at least.
ATHENA_LEAST_BYTES = 10 * 1024**2

BY_HAND = (
    "the e-mail that asks to confirm the alarms' subscription; after confirming, a mail of the alarm tried above",
    "the e-mail with the administrator's first password; signing in on the report's page, and the report there",
    "the CloudWatch dashboard, the saved queries in Athena's console, the budget and its mail",
)


@dataclass(frozen=True)
class Part:
    """`prove` gives what was seen, in a few words; TwinError says what was not. `is_kept` by an emulator, too: the
    others need AWS itself."""

    name: str
    prove: Callable[[Deployment], str]
    is_kept: bool = True


@dataclass(frozen=True)
class Proof:
    part: str
    is_proved: bool
    seconds: float
    seen: str


def prove(parts: Iterable[Part], deployment: Deployment) -> Iterator[Proof]:
    """Tries every part, whatever the one before it said."""
    for part in parts:
        yield tried(part.name, lambda part=part: part.prove(deployment))


def tried(name: str, do: Callable[[], str]) -> Proof:
    console.print(f"{name} ...", markup=False)
    started = time.monotonic()
    try:
        with in_plain_words():
            is_proved, seen = True, do()
    except TwinError as error:
        is_proved, seen = False, str(error)
    return Proof(name, is_proved, time.monotonic() - started, seen)


def wait_for(what: str, is_there: Callable[[], Any], seconds: float, pause: float = 5) -> Any:
    """What `is_there` gives as soon as it gives something; TwinError when the time is up."""
    until = time.monotonic() + seconds
    while not (found := is_there()):
        if time.monotonic() > until:
            raise TwinError(f"{what} did not come within {seconds:.0f} s.")
        time.sleep(pause)
    return found


def expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise TwinError(otherwise)


def ask(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers by lower-case name, and body; redirects are followed."""
    message = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(message, timeout=30) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read().decode("utf-8", "replace")
    except OSError as error:
        raise TwinError(f"{url} does not answer ({error}).") from error


# --- ingestion


def smoke_test(deployment: Deployment) -> str:
    smoke(deployment, say=lambda line: console.print(f"  {line}", markup=False))
    return "one event from the API to a row, counted nowhere"


def first_party(deployment: Deployment) -> str:
    sent = send(f"{deployment.site_origin}/v1/events")
    line = find_raw(deployment.client("s3"), deployment.bucket, sent)
    country = (line.get("geo") or {}).get("country")
    expect(bool(country), "the event came through CloudFront without the viewer's country.")
    return f"through CloudFront, from {country}"


def cors(deployment: Deployment) -> str:
    api_id = deployment.events_url.removeprefix("https://").partition(".")[0]
    api = deployment.client("apigatewayv2").get_api(ApiId=api_id)
    shop_origin = api["CorsConfiguration"]["AllowOrigins"][0]
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    allowed = ask(deployment.events_url, "OPTIONS", asked | {"origin": shop_origin})[1]
    refused = ask(deployment.events_url, "OPTIONS", asked | {"origin": "https://elsewhere.invalid"})[1]
    expect(allowed.get("access-control-allow-origin") == shop_origin, f"{shop_origin} is not allowed: {allowed}.")
    expect("access-control-allow-origin" not in refused, f"any origin is allowed: {refused}.")
    return f"{shop_origin} may, others may not"


def verified_routes(deployment: Deployment) -> str:
    base = deployment.events_url.removesuffix("/v1/events")
    forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."
    for method, path in (("POST", "/v1/user/events"), ("POST", "/v1/admin/refresh"), ("GET", "/v1/admin/report")):
        for headers in ({}, {"authorization": f"Bearer {forged}"}):
            status = ask(base + path, method, headers)[0]
            expect(status == 401, f"{method} {path} without a good token was answered {status}, not 401.")
    return "without a token, or with a forged one: 401"


def drained(deployment: Deployment) -> str:
    """A batch in the queue comes to raw. Its line is one that raw has already: a repeat, which counts nowhere."""
    sent = send(deployment.events_url)
    s3, sqs = deployment.client("s3"), deployment.client("sqs")
    line = find_raw(s3, deployment.bucket, sent)
    again = replace(sent, ingest_id=sent.event_id.replace("-", ""))
    (message,) = to_messages(again.ingest_id, [json.dumps(line).encode()])
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=f"{deployment.name}-buffer")["QueueUrl"], MessageBody=message)
    find_raw(s3, deployment.bucket, again)
    return "from the buffer into raw/"


# --- processing


def gate(deployment: Deployment) -> str:
    answer = invoke(deployment, "gate", {"task": "measure"})
    expect(answer.get("outcome") == "measured", f"the gate answered {answer}.")
    return "measures; may list raw/ and ask Glue"


def administrator(deployment: Deployment) -> str:
    """The function with its own role; the token's check is the API's, and another part."""
    claims = {"authorizer": {"jwt": {"claims": {"cognito:groups": "[administrators]"}}}}
    route = {"routeKey": "GET /v1/admin/report", "requestContext": claims}
    answer = invoke(deployment, "admin", route)
    expect(answer.get("statusCode") == 200, f"the admin function answered {str(answer)[:300]}.")
    refused = invoke(deployment, "admin", {"routeKey": "GET /v1/admin/report", "requestContext": {}})
    expect(refused.get("statusCode") == 403, f"who is no administrator was answered {refused.get('statusCode')}.")
    return "hands the report to administrators alone"


def invoke(deployment: Deployment, part: str, event: dict[str, Any]) -> dict[str, Any]:
    done = deployment.client("lambda", read_timeout=310).invoke(
        FunctionName=f"{deployment.name}-{part}", Payload=json.dumps(event).encode()
    )
    body = done["Payload"].read().decode()
    expect("FunctionError" not in done, f"the function {part} failed: {body[:500]}.")
    return json.loads(body)


def schedules(deployment: Deployment) -> str:
    found = deployment.client("scheduler").list_schedules(GroupName=deployment.name)["Schedules"]
    states = {each["Name"]: each["State"] for each in found}
    expect({"refresh", "reconcile", "measure"} <= set(states), f"there are only {sorted(states)}.")
    off = sorted(name for name, state in states.items() if state != "ENABLED")
    expect(not off, f"not enabled: {', '.join(off)}.")
    return ", ".join(sorted(states))


def scheduled(deployment: Deployment) -> str:
    """EventBridge Scheduler calls the generator by itself, where there is one."""
    found = deployment.client("scheduler").list_schedules(GroupName=deployment.name)["Schedules"]
    if "generate" not in [each["Name"] for each in found]:
        return "no schedule is due within the hour: not tried"
    logs, group = deployment.client("logs"), f"/aws/lambda/{deployment.name}-generator"

    def lines() -> list[str]:
        events = logs.filter_log_events(logGroupName=group, filterPattern='"accepted"')["events"]
        return [event["message"] for event in events]

    told = json.loads(wait_for("a call by the schedule", lines, 600)[-1])
    expect(told["accepted"] > 0 and told["refused"] == 0, f"the generator says {told}.")
    return f"called the generator: {told['accepted']} requests taken"


# --- presentation


def views(deployment: Deployment) -> str:
    names = in_order_of_use(deployment.database)
    return asked_each(deployment, {name: f"select * from {name} limit 1" for name in names}, "views")


def saved_queries(deployment: Deployment) -> str:
    return asked_each(deployment, read_queries("saved"), "saved queries")


def asked_each(deployment: Deployment, texts: dict[str, str], what: str) -> str:
    failed = {}
    for name, text in texts.items():
        try:
            ask_athena(deployment, text)
        except TwinError as error:
            failed[name] = str(error)
    expect(not failed, f"{len(failed)} of {len(texts)} {what} failed: {failed}")
    return f"{len(texts)} {what}"


def report(deployment: Deployment) -> str:
    s3 = deployment.client("s3")

    def written() -> list[dict[str, Any]]:
        return s3.list_objects_v2(Bucket=deployment.bucket, Prefix=REPORT_KEY).get("Contents", [])

    wait_for("the report after the refresh", written, 300)
    page = s3.get_object(Bucket=deployment.bucket, Key=REPORT_KEY)["Body"].read()
    expect(b"</html>" in page, "the report is no whole page.")
    return f"rendered after the refresh, {len(page) / 1024:.0f} KB"


def report_page(deployment: Deployment) -> str:
    status, headers, page = ask(f"{deployment.site_origin}/report/")
    expect(status == 200 and "report.js" in page, f"{deployment.site_origin}/report/ was answered {status}.")
    expect("strict-transport-security" in headers, "the page lacks AWS's security headers.")
    config = json.loads(ask(f"{deployment.site_origin}/report/config.json")[2])
    here = f"{deployment.site_origin}/report/"
    query = f"client_id={config['client_id']}&response_type=code&scope=openid+email&redirect_uri={here}"
    status = ask(f"{config['sign_in_url']}/oauth2/authorize?{query}")[0]
    expect(status == 200, f"Cognito's sign-in page was answered {status}.")
    return "the page, its headers, and Cognito's sign-in page"


def private(deployment: Deployment) -> str:
    site = deployment.bucket.replace("-lake-", "-site-")
    for bucket, key in ((site, "report/index.html"), (deployment.bucket, REPORT_KEY)):
        status = ask(f"https://{bucket}.s3.{deployment.region}.amazonaws.com/{key}")[0]
        expect(status == 403, f"{bucket} answered {status} to anybody, not 403.")
    return "nobody reads the buckets past CloudFront"


# --- watching


def alarms(deployment: Deployment) -> str:
    found = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deployment.name}-")["MetricAlarms"]
    silent = [each["AlarmName"] for each in found if not each["AlarmActions"]]
    expect(len(found) >= 12 and not silent, f"{len(found)} alarms; without anybody to tell: {silent}.")
    return f"{len(found)} alarms, each told to somebody"


def notice(deployment: Deployment) -> str:
    cloudwatch, name = deployment.client("cloudwatch"), f"{deployment.name}-api-errors"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="Tried by the proof; all is well.")

    def actions() -> list[str]:
        items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]

    told = wait_for("the notice of an alarm", actions, 180)[0]
    expect(told.startswith("Successfully"), f"the alarm says: {told}.")
    return "an alarm reached its topic"


def budget(deployment: Deployment) -> str:
    found = deployment.client("budgets").describe_budget(
        AccountId=deployment.account, BudgetName=f"{deployment.name}-month"
    )["Budget"]
    return f"{float(found['BudgetLimit']['Amount']):.2f} dollars a month"


PARTS = (
    Part("smoke test", smoke_test),
    Part("first-party address", first_party, is_kept=False),
    Part("CORS", cors, is_kept=False),
    Part("verified routes", verified_routes),
    Part("buffer and drain", drained, is_kept=False),
    Part("gate", gate),
    Part("schedules", schedules),
    Part("a call by a schedule", scheduled, is_kept=False),
    Part("views", views),
    Part("saved queries", saved_queries),
    Part("report", report),
    Part("administrators", administrator),
    Part("pages", report_page, is_kept=False),
    Part("private buckets", private, is_kept=False),
    Part("alarms", alarms),
    Part("a notice", notice, is_kept=False),
    Part("budget", budget),
)


# --- what it cost


def dollars(deployment: Deployment) -> tuple[float, float]:
    """An estimate of what Glue and Athena bill for what has run; all else is below a cent or two."""
    runs = deployment.client("glue").get_job_runs(JobName=deployment.refresh_job)["JobRuns"]
    hours = {"glue_dpu_hours": 0.0, "glue_flex_dpu_hours": 0.0}
    for run in runs:
        price = "glue_flex_dpu_hours" if run.get("ExecutionClass") == "FLEX" else "glue_dpu_hours"
        hours[price] += max(run.get("ExecutionTime", 0), 60) * run.get("MaxCapacity", 2.0) / 3600
    athena = deployment.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=deployment.workgroup)
    scanned = 0
    for query_id in (name for page in pages for name in page["QueryExecutionIds"]):
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        scanned += max(found.get("Statistics", {}).get("DataScannedInBytes", 0), ATHENA_LEAST_BYTES)
    prices = price_list().prices
    glue = sum(prices[price].of(quantity, has_free=False) for price, quantity in hours.items())
    return glue, prices["athena_tb"].of(scanned / 1e12, has_free=False)


def tell(proofs: list[Proof]) -> bool:
    """Prints the table; True where every part was proved."""
    rows = {
        "part": [each.part for each in proofs],
        "proved": [each.is_proved for each in proofs],
        "seconds": [round(each.seconds) for each in proofs],
        "seen": [each.seen for each in proofs],
    }
    console.print(as_table(pa.table(rows), title=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"))
    return all(each.is_proved for each in proofs)


def run(terraform: Terraform, *, keeps: bool) -> bool:
    """Deploys, proves and destroys (unless it `keeps`); True where all went well."""
    check(terraform.environment, terraform.folder)
    terraform.enter()
    if terraform.outputs():
        raise TwinError(f"{terraform.environment} is deployed already, and the proof destroys what it proved.")
    proofs: list[Proof] = []
    try:
        proofs.append(tried("deploy", lambda: apply(terraform, ["-auto-approve"]) or "applied, first refresh, views"))
        if proofs[0].is_proved:
            proofs.append(tried("a second plan", lambda: second_plan(terraform)))
            deployment = find_deployment(terraform.environment)
            proofs += prove(PARTS, deployment)
            glue, athena = dollars(deployment)
            console.print(f"Glue about ${glue:.2f}, Athena about ${athena:.2f}; the rest is a cent or two.")
    finally:
        if not keeps:
            proofs.append(tried("destroy", lambda: destroyed(terraform)))
        is_well = tell(proofs)
    console.print("Only a person can see these, on a deployment that --keep leaves:")
    for each in BY_HAND:
        console.print(f"- {each}", markup=False)
    return is_well


def second_plan(terraform: Terraform) -> str:
    try:
        terraform.run("plan", *terraform.variables(), "-detailed-exitcode")
    except TwinError as error:
        raise TwinError("it would change what has just been made, or failed: see above.") from error
    return "is empty"


def destroyed(terraform: Terraform) -> str:
    destroy(terraform, ["-auto-approve"], deletes_data=True)
    expect(not terraform.outputs(), "Terraform still knows of outputs.")
    return "everything, events included"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="proof", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--env", default="dev", help="the deployment to make, prove and destroy")
    parser.add_argument("--keep", action="store_true", help="do not destroy it at the end")
    chosen = parser.parse_args(argv)
    try:
        with in_plain_words():
            return 0 if run(Terraform(chosen.env), keeps=chosen.keep) else 1
    except TwinError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped. What is left of it, if anything: make destroy ENV={chosen.env} DATA=delete", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
