"""Puts what ingest left in the queue into raw, under the current hour, where the next refresh looks."""

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from clicklake.buffer import from_message, put_once
from clicklake.endpoints import client
from clicklake.log_line import log_line
from clicklake.paths import raw_key
from lambdas.drain.settings import Settings

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ), client("s3"))


def make_handler(
    settings: Settings,
    s3: Any,
    clock: Callable[[], float] = time.time,
    write_log: Callable[[str], object] = print,
) -> Handler:
    """`clock` gives epoch seconds and decides the hour. The answer names the messages that failed:
    SQS keeps them, and moves them to the dead-letter queue after the queue's number of tries."""

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        put_at = datetime.fromtimestamp(clock(), timezone.utc)
        failed: list[str] = []
        lines = repeated = 0
        errors: set[str] = set()
        for record in event.get("Records", []):
            try:
                chunk = from_message(record["body"])
                # A message delivered twice in an hour meets its own object; in another hour it makes a
                # second one, whose lines the job knows by (ingest_id, position).
                is_new = put_once(s3, settings.lake_bucket, raw_key(chunk.name, chunk.lines, put_at), chunk.body)
                lines += chunk.lines
                repeated += not is_new
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the message stays in the queue
                failed.append(record["messageId"])
                errors.add(type(error).__name__)
        fields = {
            "level": "WARNING" if failed else "INFO",
            "request_id": getattr(context, "aws_request_id", ""),
            "messages": len(event.get("Records", [])),
            "failed": len(failed),
            "repeated": repeated,
            "lines": lines,
            "errors": sorted(errors),
        }
        write_log(log_line("drain", fields))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle
