"""Acknowledged is durable: the real clients against a server that speaks S3 and SQS."""

import gzip
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clicklake.endpoints import Endpoints
from clicklake.paths import read_raw_key
from lambdas.drain import handler as drain
from lambdas.drain.settings import Settings as DrainSettings
from lambdas.ingest import handler as ingest
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients
from tests.integration.ingest.conftest import FAST, NOWHERE
from tests.unit.ingest.requests import recorded, request
from tests.unit.ingest.shop import HASH_KEYS

NOON = 1_777_636_800.0
LATER = NOON + 3 * 3600


@dataclass
class Lake:
    s3: Any
    sqs: Any
    bucket: str
    queue_url: str

    def object_keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def lines(self) -> list[dict[str, Any]]:
        bodies = [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in self.object_keys()]
        return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]

    def messages(self) -> list[dict[str, Any]]:
        """What SQS would hand to the drain function."""
        received = []
        while batch := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            received += batch
        return [{"messageId": message["MessageId"], "body": message["Body"]} for message in received]

    def ingest(self, s3: Any = None, sqs: Any = None, clock: Callable[[], float] = lambda: NOON) -> ingest.Handler:
        settings = Settings(
            lake_bucket=self.bucket,
            hash_keys=HASH_KEYS,
            buffer_queue_url=self.queue_url,
            allowed_origins=("https://shop.example",),
        )
        clients = Clients(s3 or self.s3, sqs or self.sqs)
        return ingest.make_handler(settings, clients, clock, write_log=len, pause=lambda seconds: None)

    def drain(self, records: list[dict[str, Any]], s3: Any = None, at: float = LATER) -> list[str]:
        """Drains, and gives the ids of the messages that failed."""
        handle = drain.make_handler(DrainSettings(self.bucket), s3 or self.s3, lambda: at, write_log=len)
        return [failure["itemIdentifier"] for failure in handle({"Records": records}, None)["batchItemFailures"]]


@pytest.fixture
def lake(emulator: Endpoints) -> Lake:
    name = f"lake-{uuid.uuid4()}"
    s3, sqs = emulator.client("s3", **FAST), emulator.client("sqs", **FAST)
    s3.create_bucket(Bucket=name)
    return Lake(s3, sqs, name, sqs.create_queue(QueueName=name)["QueueUrl"])


def down(service: str) -> Any:
    return NOWHERE.client(service, **FAST)


class AnswerLost:
    """An S3 that stores and then says it failed."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def put_object(self, **arguments: Any) -> None:
        self.s3.put_object(**arguments)
        raise ConnectionError("the answer was lost")


def test_a_repeated_request_meets_its_own_object(lake):
    handle = lake.ingest()
    answers = [handle(recorded("beacon_text_envelope"), None)["statusCode"] for _ in range(3)]
    assert answers == [202, 202, 202]
    assert len(lake.object_keys()) == 1 and len(lake.lines()) == 2


def test_another_request_of_the_same_events_is_another_object(lake):
    handle = lake.ingest()
    for number in range(2):
        handle(request(recorded("json_one_event")["body"], request_id=f"r-{number}"), None)
    assert [line["maybe_repeat"] for line in lake.lines()].count(True) == 1


def test_a_put_that_failed_after_storing_is_found_by_the_next_try(lake):
    assert lake.ingest(s3=AnswerLost(lake.s3))(recorded("json_one_event"), None)["statusCode"] == 202
    assert len(lake.object_keys()) == 1
    assert lake.messages() == []


def test_while_s3_is_down_batches_wait_in_the_queue_and_are_drained_under_the_hour_of_draining(lake):
    for name in ("beacon_text_envelope", "ndjson_with_a_broken_line"):
        assert lake.ingest(s3=down("s3"))(recorded(name), None)["statusCode"] == 202
    assert lake.object_keys() == []
    assert lake.drain(lake.messages()) == []
    hours = {read_raw_key(key).hour.timestamp() for key in lake.object_keys()}
    assert hours == {LATER}
    assert sorted(read_raw_key(key).lines for key in lake.object_keys()) == [2, 3]
    assert len({(line["ingest_id"], line["position"]) for line in lake.lines()}) == 5


def test_a_drained_line_equals_the_line_s3_would_have_got(lake):
    lake.ingest()(recorded("beacon_text_envelope"), None)
    directly = lake.lines()
    lake.ingest(s3=down("s3"))(recorded("beacon_text_envelope"), None)
    lake.s3.delete_object(Bucket=lake.bucket, Key=lake.object_keys()[0])
    lake.drain(lake.messages())
    assert lake.lines() == directly


def test_a_batch_too_big_for_a_message_travels_in_chunks_and_loses_no_line(lake):
    events = [
        {
            "event_id": f"e-{number}",
            "event_type": "search",
            "page_url": "https://shop.example/" + os.urandom(1500).hex(),
        }
        for number in range(400)
    ]
    assert lake.ingest(s3=down("s3"))(request(json.dumps(events)), None)["statusCode"] == 202
    messages = lake.messages()
    assert len(messages) > 1
    assert lake.drain(messages) == []
    assert sorted(line["position"] for line in lake.lines()) == list(range(400))
    assert len({line["ingest_id"] for line in lake.lines()}) == 1
    assert len(lake.object_keys()) == len(messages)


def test_a_message_delivered_again_in_the_same_hour_writes_nothing_new(lake):
    lake.ingest(s3=down("s3"))(recorded("beacon_text_envelope"), None)
    messages = lake.messages()
    assert lake.drain(messages) == lake.drain(messages, at=LATER + 60) == []
    assert len(lake.object_keys()) == 1


def test_only_the_messages_that_failed_are_kept_in_the_queue(lake):
    lake.ingest(s3=down("s3"))(recorded("beacon_text_envelope"), None)
    (good,) = lake.messages()
    bad = [{"messageId": "bad-1", "body": "{}"}, {"messageId": "bad-2", "body": "not json"}]
    assert lake.drain([bad[0], good, bad[1]]) == ["bad-1", "bad-2"]
    assert len(lake.object_keys()) == 1


def test_while_s3_stays_down_the_drain_keeps_every_message(lake):
    lake.ingest(s3=down("s3"))(recorded("beacon_text_envelope"), None)
    messages = lake.messages()
    assert lake.drain(messages, s3=down("s3")) == [messages[0]["messageId"]]


def test_with_both_down_nothing_is_acknowledged(lake):
    answer = lake.ingest(s3=down("s3"), sqs=down("sqs"))(recorded("json_one_event"), None)
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) > 0
    assert lake.object_keys() == [] and lake.messages() == []


def test_the_deployed_function_takes_its_settings_from_names_and_its_keys_from_the_parameter_store(
    lake, emulator, monkeypatch
):
    emulator.client("ssm").put_parameter(Name="/clicklake/hash", Value=HASH_KEYS, Type="SecureString")
    environment = {
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "LAKE_BUCKET": lake.bucket,
        "HASH_KEY_PARAMETER": "/clicklake/hash",
        "ALLOWED_ORIGINS": "https://shop.example",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Of an emulator that other tests of this process have entered.
    monkeypatch.delenv("EDGE_SECRET_PARAMETER", raising=False)
    ingest._deployed.cache_clear()
    try:
        assert ingest.lambda_handler(recorded("verified_user"), None)["statusCode"] == 202
    finally:
        ingest._deployed.cache_clear()
    assert lake.lines()[0]["user_id"].startswith("1.")
