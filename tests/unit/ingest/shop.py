"""A handler as the tests use it: a shop's settings, a store in memory, a clock that stands still."""

import gzip
import json
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from lambdas.ingest.handler import Handler, make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients

HASH_KEYS = "1:" + "0f" * 32
SETTINGS = Settings(
    lake_bucket="lake",
    hash_keys=HASH_KEYS,
    edge_secret="edge-secret-for-tests",
    server_key="server-key-for-tests",
    allowed_origins=("https://shop.example",),
)
NOW = 1_777_636_805.0


def aws_error(code: str, status: int, operation: str = "PutObject") -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


@dataclass
class MemoryS3:
    """Keeps objects like S3 with If-None-Match; the first `failures` are raised instead, one a call."""

    objects: dict[str, bytes] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    calls: int = 0

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str, **_: Any) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        if Key in self.objects:
            raise aws_error("PreconditionFailed", 412)
        self.objects[Key] = Body

    def lines(self) -> list[dict[str, Any]]:
        """Every line of every object; each is checked to be one line of JSON."""
        return [json.loads(line) for body in self.objects.values() for line in gzip.decompress(body).splitlines()]


@dataclass
class MemorySqs:
    messages: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(MessageBody)


@dataclass
class Shop:
    """`answer` sends an API Gateway event and reads the JSON answer."""

    s3: MemoryS3
    sqs: MemorySqs
    logs: list[dict[str, Any]]
    handle: Handler

    def send(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.handle(event, None)
        return answer["statusCode"], json.loads(answer["body"])


def open_shop(**settings: Any) -> Shop:
    s3, sqs, logs = MemoryS3(), MemorySqs(), []
    handle = make_handler(
        replace(SETTINGS, **settings),
        Clients(s3, sqs),
        clock=lambda: NOW,
        write_log=lambda line: logs.append(json.loads(line)),
        pause=lambda seconds: None,
    )
    return Shop(s3, sqs, logs, handle)
