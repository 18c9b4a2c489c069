"""Ingest: a request of events becomes one raw object, a verdict a line. 2xx means that it is durable.

Everything is decided first, by pure modules; then one PUT, an answer and a log line.
"""

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache, partial
from typing import Any

from clicklake.paths import raw_key
from lambdas.ingest import answers
from lambdas.ingest.identity import HashKeys, ingest_id
from lambdas.ingest.lines import Batch, Rules, encode_lines
from lambdas.ingest.log import Told, log_line
from lambdas.ingest.recent import RecentIds
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients, connect, keep
from lambdas.ingest.unpack import Call, Refused, read_body, read_call, read_headers
from lambdas.ingest.verdicts import judge, judge_unreadable
from lambdas.ingest.viewer import read_viewer

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Answer]


def lambda_handler(event: dict[str, Any], context: object) -> Answer:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ), connect())


def make_handler(
    settings: Settings,
    clients: Clients,
    clock: Callable[[], float] = time.time,
    write_log: Callable[[str], object] = print,
    pause: Callable[[float], None] = time.sleep,
) -> Handler:
    """`clients` has s3 and sqs. `clock` gives epoch seconds and decides the hour of the PUT; an event's
    received_at is the gateway's."""
    origins = frozenset(settings.allowed_origins)
    rules = Rules(
        keys=HashKeys.parse(settings.hash_keys),
        search_parameters=frozenset(name.lower() for name in settings.search_parameters),
        unknown_consent=settings.unknown_consent,
        collect_user_age=settings.collect_user_age,
        accept_flat=settings.accept_flat,
    )
    recent = RecentIds()

    def handle(event: dict[str, Any], context: object) -> Answer:
        started = time.perf_counter()
        told = Told(request_id=(event.get("requestContext") or {}).get("requestId") or "")
        try:
            answer = take(event, told)
        except Exception as error:  # noqa: BLE001 - every request is answered and told of
            # A traceback would quote what was sent. The class and the line are enough to find the fault.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            told.error_code = f"{type(error).__name__} at {os.path.basename(frame.filename)}:{frame.lineno}"
            answer = answers.refused(500, "internal_error", "send the same events again, with the same ids")
        told.status = answer["statusCode"]
        told.milliseconds = (time.perf_counter() - started) * 1000
        write_log(log_line(told, settings.metrics_namespace, logged_at_ms=int(clock() * 1000)))
        headers = event.get("headers") or {}
        origin = headers.get("origin") or read_headers(event).get("origin")
        return answers.with_cors(answer, origin) if origin in origins else answer

    def take(event: dict[str, Any], told: Told) -> Answer:
        call = read_call(event, origins)
        if isinstance(call, Refused):
            return refuse(call, told)
        if call.is_preflight:
            return answers.preflight()
        body = read_body(event, call.headers.get("content-type", ""))
        if isinstance(body, Refused) and body.unreadable is None:
            return refuse(body, told)

        now = clock()
        batch = describe(call)
        tell_of(batch, told)
        if isinstance(body, Refused):
            verdicts = judge_unreadable(body, batch, rules)
        else:
            told.sent_bytes = body.sent_bytes
            verdicts = judge(body, batch, rules, find_recent=partial(recent.among, now=now))
        if isinstance(verdicts, Refused):
            return refuse(verdicts, told)
        types = [line.event_type for line in verdicts.lines]
        told.event_types = {name: types.count(name) for name in dict.fromkeys(types) if name is not None}
        if verdicts.rejections:
            told.rejections = Counter(rejection.reason for rejection in verdicts.rejections)

        if verdicts.lines:
            told.kept = kept = keep(
                clients,
                bucket=settings.lake_bucket,
                key=raw_key(batch.ingest_id, len(verdicts.lines), datetime.fromtimestamp(now, timezone.utc)),
                queue_url=settings.buffer_queue_url,
                ingest_id=batch.ingest_id,
                lines=encode_lines(verdicts.lines),
                pause=pause,
            )
            if kept.outcome == "lost":
                told.error_code = kept.error
                return answers.unavailable()
            if kept.outcome == "stored":
                recent.add(verdicts.accepted_ids, now)
        if verdicts.refused is not None:
            return refuse(verdicts.refused, told)
        return answers.accepted(len(verdicts.accepted_ids), verdicts.rejections)

    def describe(call: Call) -> Batch:
        return Batch(
            ingest_id=ingest_id(call.request_id),
            received_at=call.received_at,
            viewer=read_viewer(
                call.headers,
                call.user_agent,
                edge_secret=settings.edge_secret,
                server_key=settings.server_key,
            ),
            user_id=rules.keys.hash_user(call.subject) if call.subject is not None else None,
        )

    return handle


def tell_of(batch: Batch, told: Told) -> None:
    told.correlation_id = batch.ingest_id
    told.country = batch.viewer.country
    told.origin = batch.viewer.origin
    told.is_bot = batch.viewer.agent.is_bot


def refuse(refused: Refused, told: Told) -> Answer:
    told.error_code = refused.error
    return answers.refused(refused.status, refused.error, refused.message)
