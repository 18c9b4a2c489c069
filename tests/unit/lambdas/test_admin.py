import json
from io import BytesIO
from typing import Any

import pytest

from clicklake.local.gateway import make_event
from clicklake.paths import REPORT_KEY
from lambdas.admin.handler import GENERATE_ROUTE, REFRESH_ROUTE, REPORT_ROUTE, ROUTES, Clients, make_handler
from lambdas.admin.settings import Settings
from tests.unit.lambdas.test_gate import MemoryS3

SETTINGS = Settings("lake", gate_function="gate", admin_group="administrators", generator_function="generator")


class Functions:
    def __init__(self, error: str | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.error = error

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.calls.append((FunctionName, json.loads(Payload)))
        answer: dict[str, Any] = {"Payload": BytesIO(b'{"outcome": "started"}')}
        return answer | ({"FunctionError": self.error} if self.error else {})


def ask(route, groups=("administrators",), *, settings=SETTINGS, s3=None, functions=None, logs=None):
    """The status and body of the answer to a user of these groups."""
    method, path = route.split(" ")
    claims = {"sub": "u-1", "email": "owner@shop.example"} | ({"cognito:groups": list(groups)} if groups else {})
    event = make_event(method, path, {}, b"", request_id="r", time_epoch_ms=1, source_ip="198.51.100.1", claims=claims)
    clients = Clients(s3 or MemoryS3(), functions or Functions())
    answer = make_handler(settings, clients, write_log=(logs if logs is not None else []).append)(event, None)
    return answer["statusCode"], answer["body"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("groups", [(), ("editors",), ("administrators-of-tea",)])
def test_who_is_no_administrator_is_refused(route, groups):
    functions = Functions()
    status, _ = ask(route, groups, functions=functions)
    assert status == 403 and functions.calls == []


def test_who_is_in_more_groups_is_an_administrator_too():
    assert ask(REFRESH_ROUTE, ("editors", "administrators"))[0] == 202


@pytest.mark.parametrize(
    ("route", "call"), [(REFRESH_ROUTE, ("gate", {"task": "refresh"})), (GENERATE_ROUTE, ("generator", {}))]
)
def test_a_route_calls_its_function_and_passes_its_answer_on(route, call):
    functions = Functions()
    assert ask(route, functions=functions) == (202, '{"outcome": "started"}')
    assert functions.calls == [call]


def test_without_a_generator_the_answer_says_how_to_get_one():
    status, body = ask(GENERATE_ROUTE, settings=Settings("lake", "gate", "administrators"))
    assert status == 409 and "generator_schedule" in body


def test_a_function_that_failed_is_said():
    assert ask(REFRESH_ROUTE, functions=Functions("Unhandled"))[0] == 502


def test_the_report_is_the_one_that_was_rendered():
    assert ask(REPORT_ROUTE, s3=MemoryS3({REPORT_KEY: "<h1>Übersicht</h1>".encode()})) == (200, "<h1>Übersicht</h1>")


def test_before_the_first_refresh_there_is_no_report():
    assert ask(REPORT_ROUTE)[0] == 404


def test_another_route_is_unknown():
    assert ask("GET /v1/admin/secrets")[0] == 404


def test_the_log_says_what_was_asked_and_not_by_whom():
    logs = []
    ask(REFRESH_ROUTE, logs=logs)
    assert json.loads(logs[0])["route"] == REFRESH_ROUTE
    assert "owner@" not in logs[0] and "u-1" not in logs[0]


@pytest.mark.parametrize("name", ["LAKE_BUCKET", "GATE_FUNCTION", "ADMIN_GROUP"])
def test_a_missing_name_is_said(name):
    environment = {"LAKE_BUCKET": "lake", "GATE_FUNCTION": "gate", "ADMIN_GROUP": "administrators"} | {name: ""}
    with pytest.raises(ValueError, match=name):
        Settings.from_environment(environment)
