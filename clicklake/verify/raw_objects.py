"""Raw objects as they landed: whole lines, numbered, and how many were promised and lost. Pure."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LINE_BYTES = 1 << 20
_PROMISE = re.compile(r"events-[^/]+-(\d{1,6})\.ndjson\.gz$")


@dataclass(frozen=True, slots=True)
class RawObject:
    """`lines` are texts in order, line 1 first; `lost` is how many the key promised beyond them.

    `faults` are the lines, by number, that are no text or too long, with the reason.
    """

    key: str
    lines: tuple[str, ...]
    lost: int = 0
    faults: Mapping[int, str] = field(default_factory=dict)


def open_object(key: str, body: bytes) -> RawObject:
    """Reads what can be read of an object, gzipped or not. What breaks off keeps its whole lines."""
    data, is_whole = _inflate(body) if body[:2] == b"\x1f\x8b" else (body, True)
    lines = data.split(b"\n")
    rest = lines.pop()
    if rest and is_whole:
        lines.append(rest)
    promise = _PROMISE.search(key)
    promised = int(promise[1]) if promise else 0
    faults = {number: fault for number, line in enumerate(lines, 1) if (fault := _fault(line))}
    texts = tuple(line[:MAX_LINE_BYTES].decode("utf-8", "replace") for line in lines)
    return RawObject(key, texts, max(0, promised - len(lines)), faults)


def _fault(line: bytes) -> str | None:
    if len(line) > MAX_LINE_BYTES:
        return "line_too_long"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    return None


def _inflate(body: bytes) -> tuple[bytes, bool]:
    inflated = b""
    while body:
        stream = zlib.decompressobj(31)
        # Byte for byte near the damage: what stands before it is still good.
        for start in range(0, len(body), 4096):
            try:
                inflated += stream.decompress(body[start : start + 4096])
            except zlib.error:
                return inflated, False
        if not stream.eof:
            return inflated, False
        body = stream.unused_data
    return inflated, True
