"""The one place of ingest that talks to AWS: a batch becomes durable here, or it is not acknowledged."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from isal import isal_zlib

from clicklake.buffer import put_once, to_messages
from clicklake.endpoints import client

PUT_TRIES = 3
SEND_TRIES = 2
FIRST_PAUSE_SECONDS = 0.05
_GZIP = 16 + isal_zlib.MAX_WBITS

Outcome = Literal["nothing", "stored", "buffered", "lost"]


@dataclass(frozen=True)
class Clients:
    s3: Any
    sqs: Any


@dataclass(frozen=True)
class Kept:
    """Where the batch is: stored in S3, buffered in SQS, lost (nothing durable took it), or
    nothing, where there was none to keep. `error` is the
    last failure's code on the way there; `object_bytes` is 0 unless stored."""

    outcome: Outcome
    tries: int
    error: str = ""
    object_bytes: int = 0


NOTHING_KEPT = Kept("nothing", 0)


def connect() -> Clients:
    """Clients that fail fast: the function retries by itself and has the queue to fall back on."""
    limits = {"connect_timeout": 1, "read_timeout": 4, "retries": {"total_max_attempts": 1}}
    return Clients(s3=client("s3", **limits), sqs=client("sqs", **limits))


def keep(
    clients: Clients,
    *,
    bucket: str,
    key: str,
    queue_url: str,
    ingest_id: str,
    lines: bytes,
    pause: Callable[[float], None] = time.sleep,
) -> Kept:
    """Puts the lines (NDJSON) under `key`, else into the queue. Never raises: the outcome is the answer.

    The key stays the same over the tries, so a PUT that took effect and failed to say so is found.
    """
    body = compress(lines)
    error = _try(PUT_TRIES, pause, lambda: put_once(clients.s3, bucket, key, body))
    if not error.code:
        return Kept("stored", error.tries, object_bytes=len(body))
    if not queue_url:
        return Kept("lost", error.tries, error.code)
    for message in to_messages(ingest_id, lines.splitlines(keepends=True)):
        sent = _try(SEND_TRIES, pause, partial(clients.sqs.send_message, QueueUrl=queue_url, MessageBody=message))
        if sent.code:
            # The chunks already sent stay: the sender repeats all events, and the job drops the repeats.
            return Kept("lost", error.tries, sent.code)
    return Kept("buffered", error.tries, error.code)


def compress(lines: bytes) -> bytes:
    # A third of zlib's time, and smaller than its level 1. It writes no time stamp: same lines, same bytes.
    return isal_zlib.compress(lines, 1, wbits=_GZIP)


@dataclass(frozen=True)
class _Tried:
    tries: int
    code: str


def _try(tries: int, pause: Callable[[float], None], act: Callable[[], object]) -> _Tried:
    code = ""
    for number in range(1, tries + 1):
        try:
            act()
            return _Tried(number, "")
        except Exception as error:  # noqa: BLE001 - network, AWS or ours: it is not stored
            code = error_code(error)
        if number < tries:
            pause(FIRST_PAUSE_SECONDS * 4 ** (number - 1) * random.uniform(0.5, 1.0))
    return _Tried(tries, code)


def error_code(error: Exception) -> str:
    """AWS's code, else the name of the class; never the message, which may quote what was sent."""
    answer = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code") or type(error).__name__)
