"""How a batch reaches raw: one durable object, or messages that wait in a queue while S3 is away.

Shared by the function that writes and the one that drains. Standard library only; the S3 client is handed in.
"""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# SQS takes 262,144 bytes of body and attributes on every queue (more only where it was raised).
MAX_MESSAGE_BYTES = 256_000
_FORMAT = 1


@dataclass(frozen=True)
class Chunk:
    """Some lines of one batch, gzipped. `name` is the batch and the number of the chunk: two chunks of
    a batch may hold equally many lines, and their objects must not meet."""

    name: str
    lines: int
    body: bytes


def compress(lines: bytes) -> bytes:
    # Level 1: half the time of the next for a few percent more bytes. No time stamp: same lines, same bytes.
    return gzip.compress(lines, compresslevel=1, mtime=0)


def to_messages(ingest_id: str, lines: Sequence[bytes], max_bytes: int = MAX_MESSAGE_BYTES) -> list[str]:
    """The batch as message bodies, each below `max_bytes`; lines keep their order and are never cut."""
    chunks = _split(list(lines), max_bytes - 200)
    return [
        json.dumps(
            {
                "format": _FORMAT,
                "name": f"{ingest_id}-{number}",
                "lines": len(chunk),
                "body": b64encode(body).decode("ascii"),
            }
        )
        for number, (chunk, body) in enumerate(chunks)
    ]


def from_message(body: str) -> Chunk:
    """Raises ValueError where the message is none of ours."""
    try:
        message = json.loads(body)
        if message["format"] != _FORMAT:
            raise ValueError(f"format is {message['format']!r}, expected {_FORMAT}")
        return Chunk(str(message["name"]), int(message["lines"]), b64decode(message["body"], validate=True))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a buffered batch: {error}") from error


def _split(lines: list[bytes], max_bytes: int) -> list[tuple[list[bytes], bytes]]:
    body = compress(b"".join(lines))
    # base64 makes four bytes of three.
    if (len(body) + 2) // 3 * 4 <= max_bytes or len(lines) == 1:
        return [(lines, body)]
    half = len(lines) // 2
    return _split(lines[:half], max_bytes) + _split(lines[half:], max_bytes)


def put_once(s3: Any, bucket: str, key: str, body: bytes) -> bool:
    """Writes a raw object that must never be overwritten. False: it was there already, which is as good."""
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/gzip", IfNoneMatch="*")
    except Exception as error:
        # botocore's ClientError carries its answer; 412 says that the key exists.
        answer = getattr(error, "response", None) or {}
        if answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 412:
            return False
        raise
    return True
