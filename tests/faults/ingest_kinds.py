"""Faults between a browser and raw: what was answered with 2xx has to be in the tables, once.

The functions are the deployed ones, each a process behind the proxy. A browser repeats what was not acknowledged,
with the same ids, as the SDK does.
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clicklake.endpoints import Endpoints
from clicklake.local.gateway import make_event
from lambdas.drain import handler as drain
from lambdas.drain.settings import Settings as DrainSettings
from tests.faults.function import Function, Killed
from tests.faults.proxy import (
    Fault,
    Proxy,
    Request,
    Rule,
    drop,
    fail_after,
    lose_answer,
    puts_raw,
    refuse,
    sends_message,
)
from tests.faults.world import FaultLake, seeded

RECEIVED_AT = 1_788_825_600_000  # 2026-09-08T00:00:00Z
BATCHES = 4
MAX_TRIES = 8


@dataclass
class Shop:
    """A browser, the two functions, and what the browser was told. `send` returns False after MAX_TRIES."""

    lake: FaultLake
    proxy: Proxy
    ingest: Function
    drain: Function
    sqs: Any
    queue_url: str
    name: str
    rng: random.Random
    acknowledged: set[str] = field(default_factory=set)
    answers: list[int | str] = field(default_factory=list)
    sent: int = 0

    def send(self, events: list[dict[str, Any]] | None = None, is_answer_lost: bool = False) -> bool:
        """One batch, repeated until it is acknowledged. `is_answer_lost`: the first answer does not arrive."""
        events = self.batch() if events is None else events
        for number in range(MAX_TRIES):
            try:
                answer = self.ingest.invoke(self._request(events))
            except Killed:
                self.answers.append("killed")
                continue
            status = answer["statusCode"]
            if is_answer_lost and number == 0:
                self.answers.append("lost")
                continue
            self.answers.append(status)
            if status == 202:
                rejected = {error["index"] for error in json.loads(answer["body"])["errors"]}
                self.acknowledged |= {e["event_id"] for n, e in enumerate(events) if n not in rejected}
                return True
        return False

    def batch(self, size: int | None = None, **fields: Any) -> list[dict[str, Any]]:
        visitor = f"{self.name}-{self.rng.randrange(3)}"
        events = []
        for _ in range(size or self.rng.randint(1, 5)):
            self.sent += 1
            events.append(
                {
                    "event_id": f"{self.name}-{self.sent}",
                    "event_type": self.rng.choice(["page_view", "view_item", "search", "click"]),
                    "ts": RECEIVED_AT - 60_000 + self.sent,
                    "anonymous_id": visitor,
                    "page_url": "https://shop.example/",
                    "consent": {"analytics": "granted", "marketing": "granted"},
                    **fields,
                }
            )
        return events

    def _request(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        body = json.dumps({"sent_at": RECEIVED_AT, "events": events}).encode()
        headers = {"content-type": "application/json", "user-agent": "Mozilla/5.0 Firefox/130.0"}
        request_id = str(uuid.UUID(int=self.rng.getrandbits(128)))
        return make_event(
            "POST",
            "/v1/events",
            headers,
            body,
            request_id=request_id,
            time_epoch_ms=RECEIVED_AT,
            source_ip="192.0.2.1",
        )

    # --- the queue, as Lambda's event source mapping reads it

    def receive(self) -> list[dict[str, Any]]:
        """Up to ten messages; they stay in the queue, visible, until `delete`."""
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return answer.get("Messages", [])

    def drain_once(self, messages: list[dict[str, Any]]) -> None:
        """The function is called; what it does not name as failed is deleted. Killed, it deletes nothing."""
        records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in messages]
        try:
            failures = self.drain.invoke({"Records": records})["batchItemFailures"]
        except Killed:
            self.answers.append("drain killed")
            return
        failed = {failure["itemIdentifier"] for failure in failures}
        for message in messages:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def drain_all(self) -> None:
        while messages := self.receive():
            self.drain_once(messages)


Disturb = Callable[[Shop], list[Rule]]


def killed_before_the_put(shop: Shop) -> list[Rule]:
    return _each_batch(shop, Fault(before=shop.ingest.kill, takes_effect=False, answer="lost"))


def killed_after_the_put(shop: Shop) -> list[Rule]:
    return _each_batch(shop, Fault(after=shop.ingest.kill, answer="lost"))


def answer_lost_and_repeated(shop: Shop) -> list[Rule]:
    for number in range(BATCHES):
        shop.send(is_answer_lost=number == 0 or shop.rng.random() < 0.5)
    return []


def error_after_storing(shop: Shop) -> list[Rule]:
    fault = shop.rng.choice([lose_answer(), fail_after(500, "InternalError"), fail_after(503, "SlowDown")])
    return _each_batch(shop, fault, times=shop.rng.randint(1, 4))


def s3_refuses_for_a_while(shop: Shop) -> list[Rule]:
    fault = shop.rng.choice([refuse(), refuse(500, "InternalError"), drop(), refuse(409, "ConditionalRequestConflict")])
    return _each_batch(shop, fault, times=shop.rng.randint(1, 6))


def s3_down_then_drained(shop: Shop) -> list[Rule]:
    rules = [_down(shop, puts_raw)]
    shop.proxy.plan(*rules)
    for _ in range(BATCHES):
        shop.send()
    # The drain finds S3 still down: every message has to stay.
    shop.drain_once(shop.receive())
    shop.proxy.plan()
    shop.drain_all()
    return rules


def drain_killed(shop: Shop) -> list[Rule]:
    _fill_queue(shop)
    is_before = shop.rng.random() < 0.5
    kill = shop.drain.kill
    fault = Fault(before=kill, takes_effect=False) if is_before else Fault(after=kill)
    rule = Rule(puts_raw, Fault(fault.before, fault.takes_effect, fault.after, "lost"), at=shop.rng.randint(1, BATCHES))
    shop.proxy.plan(rule)
    shop.drain_once(shop.receive())
    shop.proxy.plan()
    shop.drain_all()
    return [rule]


def delivered_twice(shop: Shop) -> list[Rule]:
    """Once more in the same hour, and once more in a later one, which makes a second object."""
    _fill_queue(shop)
    messages = shop.receive()
    records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in messages]
    for later_seconds in (0, shop.rng.choice([0, 3600, 86_400])):
        handle = drain.make_handler(
            DrainSettings(shop.lake.settings.lake_bucket),
            shop.lake.s3,
            clock=lambda seconds=later_seconds: RECEIVED_AT / 1000 + seconds,
            write_log=len,
        )
        handle({"Records": records}, None)
    shop.drain_all()
    return []


def both_down(shop: Shop) -> list[Rule]:
    rules = [_down(shop, puts_raw), _down(shop, sends_message)]
    shop.proxy.plan(*rules)
    events = shop.batch()
    answer = shop.ingest.invoke(shop._request(events))
    shop.answers.append(answer["statusCode"])
    if answer["statusCode"] != 503 or int(answer["headers"]["retry-after"]) < 1:
        raise AssertionError(f"nothing took the batch, and the answer was {answer}")
    shop.proxy.plan()
    shop.send(events)
    return rules


def partial_batch(shop: Shop) -> list[Rule]:
    """Bad events among good ones, and a batch of which the queue takes only the first message."""
    mixed = shop.batch(5)
    for event in shop.rng.sample(mixed, 2):
        event["event_type"] = "no such type"
    shop.send(mixed)
    rules = [_down(shop, puts_raw), Rule(sends_message, refuse(500, "InternalError"), at=2, times=2)]
    shop.proxy.plan(*rules)
    long_urls = ("https://shop.example/" + shop.rng.randbytes(900).hex() for _ in range(250))
    shop.send([shop.batch(1, page_url=url)[0] for url in long_urls])
    shop.proxy.plan()
    shop.drain_all()
    return rules


KINDS: dict[str, Disturb] = {
    "ingest killed before the PUT": killed_before_the_put,
    "ingest killed after the PUT": killed_after_the_put,
    "answer lost, request repeated": answer_lost_and_repeated,
    "S3 errors after storing": error_after_storing,
    "S3 refuses, drops or conflicts for a while": s3_refuses_for_a_while,
    "S3 down, queued, drained": s3_down_then_drained,
    "drain killed": drain_killed,
    "message delivered twice": delivered_twice,
    "S3 and SQS down": both_down,
    "partial batch": partial_batch,
}


@dataclass(frozen=True)
class Sent:
    """What one seed of a kind was told and left in raw. `missing` is 0, or acknowledged was not durable."""

    kind: str
    seed: int
    struck: str
    ended: str
    acknowledged: frozenset[str]
    missing: int


def name_of(kind: str, seed: int) -> str:
    """What the ids of a seed's events begin with."""
    return f"{list(KINDS).index(kind)}-{seed}"


@dataclass
class Functions:
    """The two functions behind a proxy, writing into one lake."""

    lake: FaultLake
    proxy: Proxy
    endpoints: Endpoints
    queue_url: str

    def __enter__(self) -> "Functions":
        environment = {
            "AWS_ENDPOINT_URL": self.proxy.url,
            "LAKE_BUCKET": self.lake.settings.lake_bucket,
            "BUFFER_QUEUE_URL": self.queue_url,
        }
        self.ingest = Function("lambdas.ingest.handler", environment)
        self.drain = Function("lambdas.drain.handler", environment)
        return self

    def __exit__(self, *_: object) -> None:
        self.ingest.stop()
        self.drain.stop()


def disturb(kind: str, seed: int, functions: Functions) -> Sent:
    """Sends a few batches under the fault, and looks for all that was acknowledged in raw."""
    lake, proxy = functions.lake, functions.proxy
    shop = Shop(
        lake,
        proxy,
        functions.ingest,
        functions.drain,
        functions.endpoints.client("sqs"),
        functions.queue_url,
        name_of(kind, seed),
        seeded(kind, seed),
    )
    before = lake.raw_keys()
    try:
        struck = [request for rule in KINDS[kind](shop) for request in rule.struck]
    finally:
        proxy.clear()
    durable = {json.loads(text).get("event_id") for _, _, text in lake.raw_lines(lake.raw_keys() - before)}
    return Sent(
        kind,
        seed,
        f"{len(struck)} requests" if struck else "the answer" if "lost" in shop.answers else "the queue",
        ", ".join(str(answer) for answer in dict.fromkeys(shop.answers)),
        frozenset(shop.acknowledged),
        len(shop.acknowledged - durable),
    )


def _each_batch(shop: Shop, fault: Fault, times: int = 1) -> list[Rule]:
    """Some batches meet the fault at their first PUT, `times` in a row; then all is well again."""
    rules = []
    for number in range(BATCHES):
        is_disturbed = number == 0 or shop.rng.random() < 0.5
        rule = Rule(puts_raw, fault, times=times if is_disturbed else 0)
        shop.proxy.plan(rule)
        shop.send()
        rules.append(rule)
    shop.proxy.plan()
    shop.drain_all()
    return rules


def _down(shop: Shop, service: Callable[[Request], bool]) -> Rule:
    return Rule(service, shop.rng.choice([refuse(), refuse(500, "InternalError"), drop()]), times=None)


def _fill_queue(shop: Shop) -> None:
    shop.proxy.plan(Rule(puts_raw, refuse(), times=None))
    for _ in range(BATCHES):
        shop.send()
    shop.proxy.plan()
