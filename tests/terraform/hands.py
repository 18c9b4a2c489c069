"""The emulator's hands: what moto keeps without doing it is done here, by what was deployed.

| on AWS | here |
|---|---|
| API Gateway, Lambda | the function's own zip and layers in a clean process of this computer's Python (deployed.py) |
| Glue | the job's own script, zip and arguments by spark-submit; what it prints goes to the job's log |
| EventBridge, after a good run | the rule's functions are called |
| Athena | DuckDB by clicklake/local/sql.py, with the asker's key; the answer lies in S3 as Athena's CSV |

Not done: schedules, notices, CloudFront, sign-in. No policy is enforced.
"""

import json
import re
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
from botocore.config import Config
from moto.apigatewayv2.models import Api, apigatewayv2_backends
from moto.athena.models import Execution, QueryResults
from moto.athena.responses import AthenaResponse
from moto.awslambda.models import lambda_backends
from moto.core.utils import utcnow
from moto.glue.models import FakeJob, FakeJobRun
from moto.ssm.models import Parameter, ssm_backends
from werkzeug.wrappers import Request, Response

from clicklake.endpoints import Endpoints
from clicklake.local.gateway import make_event
from clicklake.local.sql import Engine, QueryError, connect
from tests.terraform.deployed import PANDAS_LAYER, Deployed

ACCOUNT = "123456789012"
REGION = "us-east-1"
LOG_GROUP = "/aws-glue/jobs"
API = re.compile(r"^/_api/([a-z]+)(/.*)$")
INVOKE = re.compile(r"^/[^/]+/functions/([\w-]+)/invocations/?$")
WHO = re.compile(r"Credential=([^/]+)/")
VIEW = re.compile(r"create or replace view \w+ as\s", re.IGNORECASE)


@dataclass(frozen=True)
class Asker(Endpoints):
    """Who asks Athena, with whose key it reads and writes."""

    def client(self, service: str, **config: Any) -> Any:
        session = boto3.Session(self.access_key, self.secret_key, region_name=self.region)
        return session.client(service, endpoint_url=self.endpoint_url, config=Config(**config))


class Hands:
    """Once made, the emulator that listens at `endpoint_url` does what it is asked. `folder` takes what is run."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        session = boto3.Session(aws_access_key_id="aws", aws_secret_access_key="aws", region_name=REGION)
        self.aws: Callable[[str], Any] = lambda service: session.client(service, endpoint_url=endpoint_url)
        self.deployed = Deployed(endpoint_url, self.aws, folder)
        self.endpoint_url = endpoint_url
        self.engines: dict[tuple[str, str], Engine] = {}
        self._answer_apis_here()
        self._run_jobs()
        self._answer_sql()
        _offer_pandas_layer()

    # --- API Gateway and Lambda

    def _answer_apis_here(self) -> None:
        make, endpoint_url = Api.__init__, self.endpoint_url

        def init(api: Api, *args: Any, **settings: Any) -> None:
            make(api, *args, **settings)
            api.api_endpoint = f"{endpoint_url}/_api/{api.api_id}"

        Api.__init__ = init

    def respond(self, environ: dict[str, Any]) -> Response | None:
        """The answer to a request of an API, or to a call of a function; None for any other."""
        if called := INVOKE.match(environ["PATH_INFO"]):
            return self._invoke(called[1], Request(environ).get_data())
        if asked := API.match(environ["PATH_INFO"]):
            return self._route(asked[1], asked[2], Request(environ))
        return None

    def _invoke(self, function: str, payload: bytes) -> Response:
        try:
            return Response(json.dumps(self.deployed.call(function, json.loads(payload or b"{}"))))
        except AssertionError as error:
            return Response(json.dumps({"errorMessage": str(error)}), headers={"x-amz-function-error": "Unhandled"})

    def _route(self, api_id: str, path: str, request: Request) -> Response:
        api = apigatewayv2_backends[ACCOUNT][REGION].apis[api_id]
        key = f"{request.method} {path}"
        route = next((each for each in api.routes.values() if each.route_key == key), None)
        if route is None:
            return Response('{"message":"Not Found"}', 404)
        if route.authorization_type == "JWT":
            return Response('{"message":"Unauthorized"}', 401)
        integration = api.integrations[route.target.partition("/")[2]]
        function = integration.integration_uri.partition(":function:")[2].partition("/")[0]
        name = f"request-{time.time_ns()}"
        event = make_event(
            request.method,
            path,
            dict(request.headers),
            request.get_data(),
            request_id=name,
            time_epoch_ms=int(time.time() * 1000),
            source_ip=request.remote_addr or "",
        )
        answer = self.deployed.call(function, event)
        return Response(answer["body"], answer["statusCode"], answer["headers"] | {"apigw-requestid": name})

    # --- Glue

    def _run_jobs(self) -> None:
        start, as_dict = FakeJob.start_job_run, FakeJobRun.as_dict

        def start_and_run(job: FakeJob, *args: Any, **settings: Any) -> str:
            run_id = start(job, *args, **settings)
            run = job.job_runs[-1]
            run._transitions = [("STARTING", "STARTING")]  # it goes on when it has gone on
            run.told = {}
            threading.Thread(target=self._run, args=(run,), daemon=True).start()
            return run_id

        def tell(run: FakeJobRun) -> dict[str, Any]:
            told = as_dict(run) | {"LogGroupName": LOG_GROUP} | run.told
            return told if "CompletedOn" in run.told else {k: v for k, v in told.items() if k != "CompletedOn"}

        FakeJob.start_job_run, FakeJobRun.as_dict = start_and_run, tell

    def _run(self, run: FakeJobRun) -> None:
        started = time.monotonic()
        run.status = "RUNNING"
        said, state, error = "", "SUCCEEDED", {}
        try:
            said = self.deployed.run_job(run.job_name, run.arguments)
            self._log(run.job_run_id, said)
        except Exception:  # noqa: BLE001 - whatever it was, the run has failed
            state, error = "FAILED", {"ErrorMessage": traceback.format_exc()[-4000:]}
        run.told = {"CompletedOn": utcnow(), "ExecutionTime": round(time.monotonic() - started), **error}
        run.status = state
        if state == "SUCCEEDED":
            self._tell_of(run)

    def _log(self, run_id: str, said: str) -> None:
        logs, group = self.aws("logs"), f"{LOG_GROUP}/output"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=run_id)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in said.splitlines() if line.strip()]
        logs.put_log_events(logGroupName=group, logStreamName=run_id, logEvents=events)

    def _tell_of(self, run: FakeJobRun) -> None:
        """Calls the functions that a rule names for a run that went well."""
        events = self.aws("events")
        detail = {"jobName": run.job_name, "jobRunId": run.job_run_id, "state": "SUCCEEDED"}
        for rule in events.list_rules()["Rules"]:
            wanted = json.loads(rule["EventPattern"])["detail"]
            if not all(detail[name] in values for name, values in wanted.items()):
                continue
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                function = target["Arn"].partition(":function:")[2]
                if function:
                    self.deployed.call(function, {"source": "aws.glue", "detail": detail})

    # --- Athena

    def _answer_sql(self) -> None:
        start, get = AthenaResponse.start_query_execution, AthenaResponse.get_query_execution

        def start_and_answer(response: AthenaResponse) -> Any:
            answered = start(response)
            if isinstance(answered, str) and "QueryExecutionId" in answered:
                backend = response.athena_backend
                execution = backend.executions[json.loads(answered)["QueryExecutionId"]]
                who = WHO.search(response.headers["Authorization"])[1]
                backend.query_results[execution.id] = self._answer(execution, who)
            return answered

        def get_with_reason(response: AthenaResponse) -> str:
            found = json.loads(get(response))
            execution = response.athena_backend.executions[found["QueryExecution"]["QueryExecutionId"]]
            found["QueryExecution"]["Status"]["StateChangeReason"] = execution.reason
            return json.dumps(found)

        AthenaResponse.start_query_execution = start_and_answer
        AthenaResponse.get_query_execution = get_with_reason

    def _answer(self, execution: Execution, who: str) -> QueryResults:
        execution.reason = ""
        try:
            rows = self._ask(execution.query, execution.context["Database"], who)
        except QueryError as error:
            execution.reason = str(error)
            execution._transitions = [("FAILED", "FAILED")]
            execution.status = "FAILED"
            return QueryResults([], [])
        place = (execution.config or {}).get("OutputLocation")
        if place:
            bucket, _, key = place.removeprefix("s3://").partition("/")
            self._asker(who).client("s3").put_object(Bucket=bucket, Key=key, Body=as_athenas_csv(rows).encode())
        return QueryResults([], [column_info(field) for field in rows.schema])

    def _ask(self, sql: str, database: str, who: str) -> pa.Table:
        if (who, database) not in self.engines:
            self.engines[who, database] = connect(self._asker(who), database)
        if view := VIEW.match(sql):
            sql = f"select * from (\n{sql[view.end() :]}\n) limit 0"
        return self.engines[who, database].query(sql)

    def _asker(self, who: str) -> Asker:
        return Asker(self.endpoint_url, REGION, "", who, "emulator")


def _offer_pandas_layer() -> None:
    """AWS's own layer, found by the public parameter; deployed.py puts this computer's packages in its place."""
    spec = {"LayerName": PANDAS_LAYER, "Content": {"ZipFile": EMPTY_ZIP}}
    layer = lambda_backends[ACCOUNT][REGION].publish_layer_version(spec)
    name = "/aws/service/aws-sdk-pandas/3.12.1/py3.13/arm64/layer-arn"
    offered = Parameter(ACCOUNT, name, layer.arn, "String", None, None, None, utcnow(), 1, "text")
    ssm_backends[ACCOUNT][REGION]._parameters[name].append(offered)


# The end-of-directory record alone: a zip without files.
EMPTY_ZIP = b"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="

ATHENA_TYPES = (
    (pa.types.is_int64, "bigint"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_float64, "double"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_list, "array"),
    (pa.types.is_struct, "row"),
    (pa.types.is_map, "map"),
)


def column_info(field: pa.Field) -> dict[str, Any]:
    kind = next((name for fits, name in ATHENA_TYPES if fits(field.type)), "varchar")
    is_decimal = kind == "decimal"
    return {
        "Name": field.name,
        "Label": field.name,
        "Type": kind,
        "Precision": field.type.precision if is_decimal else 0,
        "Scale": field.type.scale if is_decimal else 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": False,
    }


def as_athenas_csv(rows: pa.Table) -> str:
    """Every value in quotes; a null is nothing at all, without quotes."""
    names = ",".join(quoted(name) for name in rows.column_names)
    lines = [names, *(",".join(quoted(value) for value in row.values()) for row in rows.to_pylist())]
    return "\n".join(lines) + "\n"


def quoted(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, (list, dict)):
        text = json.dumps(value, default=str)
    else:
        text = str(value)
    return '"' + text.replace('"', '""') + '"'
