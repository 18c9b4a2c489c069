"""What administrators may ask for: refresh now, generate, read the report.

The gateway has verified the token; here only its groups are read.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clicklake.endpoints import client
from clicklake.log_line import log_line
from clicklake.paths import REPORT_KEY
from lambdas.admin.settings import Settings

REFRESH_ROUTE = "POST /v1/admin/refresh"
GENERATE_ROUTE = "POST /v1/admin/generate"
REPORT_ROUTE = "GET /v1/admin/report"
ROUTES = (REFRESH_ROUTE, GENERATE_ROUTE, REPORT_ROUTE)

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Answer]


@dataclass(frozen=True)
class Clients:
    s3: Any
    functions: Any


def lambda_handler(event: dict[str, Any], context: object) -> Answer:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ), Clients(client("s3"), client("lambda")))


def make_handler(settings: Settings, clients: Clients, write_log: Callable[[str], object] = print) -> Handler:
    def handle(event: dict[str, Any], context: object) -> Answer:
        route = event.get("routeKey") or ""
        answer = take(route, event)
        status = answer["statusCode"]
        fields = {
            "level": "ERROR" if status >= 500 else "INFO",
            "request_id": (event.get("requestContext") or {}).get("requestId") or "",
            "route": route if route in ROUTES else "",
            "status": status,
        }
        write_log(log_line("admin", fields))
        return answer

    def take(route: str, event: Mapping[str, Any]) -> Answer:
        if settings.admin_group not in read_groups(event):
            return refused(403, "not_an_administrator", f"ask to be put into the group {settings.admin_group}")
        if route == REFRESH_ROUTE:
            return call(settings.gate_function, {"task": "refresh"})
        if route == GENERATE_ROUTE:
            if not settings.generator_function:
                return refused(409, "no_generator", "no simulated events are sent here: set generator_schedule")
            return call(settings.generator_function, {})
        if route == REPORT_ROUTE:
            return report()
        return refused(404, "unknown_route", f"ask for one of: {', '.join(ROUTES)}")

    def call(function: str, payload: Mapping[str, str]) -> Answer:
        done = clients.functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        if done.get("FunctionError"):
            return refused(502, "function_failed", f"{function} failed: its log says why")
        return answered(202, json.loads(done["Payload"].read()))

    def report() -> Answer:
        listed = clients.s3.list_objects_v2(Bucket=settings.lake_bucket, Prefix=REPORT_KEY, MaxKeys=1)
        if not listed.get("KeyCount"):
            return refused(404, "no_report", "there is no report yet: it is made after the first refresh")
        page = clients.s3.get_object(Bucket=settings.lake_bucket, Key=REPORT_KEY)["Body"].read()
        return answered(200, page.decode("utf-8"), "text/html; charset=utf-8")

    return handle


def read_groups(event: Mapping[str, Any]) -> frozenset[str]:
    """The verified user's groups. The gateway hands a list over as text: "[administrators editors]"."""
    claims = (((event.get("requestContext") or {}).get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
    return frozenset(str(claims.get("cognito:groups", "")).strip("[]").replace(",", " ").split())


def answered(status: int, body: object, content_type: str = "application/json") -> Answer:
    return {
        "statusCode": status,
        "headers": {"content-type": content_type, "cache-control": "no-store", "x-content-type-options": "nosniff"},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def refused(status: int, error: str, message: str) -> Answer:
    return answered(status, {"error": error, "message": message})
