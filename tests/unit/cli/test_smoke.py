"""The smoke test's own steps; the whole way is followed by tests/terraform."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from werkzeug.wrappers import Request, Response

from clicklake.cli.deployment import Deployment
from clicklake.cli.smoke import Sent, find_raw, send, smoke
from clicklake.contract.raw import RawLine
from clicklake.local.http_server import HttpServer
from clicklake.local.places import TwinError
from clicklake.paths import raw_key
from lambdas.ingest.identity import ingest_id

DEPLOYMENT = Deployment("dev", "us-east-1", "1", "bucket", "db", "group", "", "https://site.example", "job")


class Door:
    """Answers every request, and remembers the last."""

    def __init__(self) -> None:
        self.answer = Response('{"accepted": 1}', 202, {"apigw-requestid": "r-1"})
        self.event: dict = {}
        self._server = HttpServer(Request.application(self._take), 0, "a door")
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.port}/v1/events"
        self.stop = self._server.stop

    def _take(self, request: Request) -> Response:
        self.event = json.loads(request.get_data())
        return self.answer


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.stop()


def test_the_event_is_a_test_and_nobodys(door):
    sent = send(door.url)
    assert door.event["is_test"] is True and door.event["event_id"] == sent.event_id
    assert set(door.event) <= set(RawLine.__struct_fields__)
    assert sent.ingest_id == ingest_id("r-1")


@pytest.mark.parametrize(
    "answer",
    [
        Response('{"accepted": 0, "errors": [{"reason": "x"}]}', 202),
        Response("<!doctype html><title>Human verification</title>", 202),
        Response("Forbidden", 403),
        Response("{}", 503),
    ],
)
def test_an_event_that_is_not_taken_is_told_with_the_answer(door, answer):
    door.answer = answer
    with pytest.raises(TwinError, match=f"the answer was {answer.status_code}: "):
        send(door.url)


def test_a_step_that_fails_says_which_it_is_and_where_to_look(door):
    door.answer = Response("{}", 500)
    said: list[str] = []
    with pytest.raises(TwinError, match=r"The step 'send to http.*' failed: .* 500.* Look at the logs /aws/lambda/"):
        smoke(replace(DEPLOYMENT, events_url=door.url), say=said.append)
    assert [line.split()[0] for line in said] == ["no"]


def put_raw(lake, sent: Sent, *lines: dict) -> None:
    body = gzip.compress(b"\n".join(json.dumps(line).encode() for line in lines))
    lake.endpoints().client("s3").put_object(
        Bucket=lake.bucket, Key=raw_key(sent.ingest_id, len(lines), sent.at), Body=body
    )


def test_the_raw_object_is_found_by_the_requests_own_id(lake):
    sent = Sent("e-1", "a" * 32, datetime.now(timezone.utc))
    line = {"event_id": "e-1", "verdict": "accepted", "is_test": True}
    put_raw(lake, replace(sent, ingest_id="b" * 32), line | {"position": 1})
    put_raw(lake, sent, line)
    found = find_raw(lake.endpoints().client("s3"), lake.bucket, sent, lambda seconds: None)
    assert found == line


def test_a_raw_object_that_never_comes_is_told(lake):
    sent = Sent("e-1", "a" * 32, datetime.now(timezone.utc))
    put_raw(lake, sent, {"event_id": "e-1", "verdict": "rejected", "is_test": True})
    times = iter(range(0, 1000, 50))
    with pytest.raises(TwinError, match=r"no object of the batch a+ came within 120 s"):
        find_raw(lake.endpoints().client("s3"), lake.bucket, sent, lambda seconds: None, lambda: next(times))
