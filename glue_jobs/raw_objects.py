"""Raw objects: which there are, and the lines in them. A damaged object gives what can be read of it."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError
from pyspark.sql import DataFrame, SparkSession

from clicklake import endpoints
from clicklake.paths import RAW_PREFIX, hour_prefixes, read_raw_key

NO_DATE = date(1970, 1, 1)
CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
BATCH_BYTES = 4 << 20
TARGET_PARTITION_BYTES = 16 << 20
FETCH_TRIES = 3

# Neighbours in a pack are fetched together, up to so many bytes.
SPAN_BYTES = 8 << 20

LINES_SCHEMA = "object string, object_date date, line int, raw_line string, fault string"
OBJECT_SCHEMA = (
    "object string, bytes bigint, promised int, is_in_raw boolean, "
    "packed struct<pack:string,offset:bigint,sha256:string,span_offset:bigint,span_bytes:bigint>"
)
# What line 0 tells of an object: its size, and the lines its key promised and those that were found.
OBJECT_END = "bytes bigint, promised int, found int"


@dataclass(frozen=True)
class Packed:
    """Where a pack holds an object's bytes, and what they were: see packs.py."""

    pack: str
    offset: int
    bytes: int
    etag: str
    sha256: str


@dataclass(frozen=True)
class RawObject:
    """An object by its key under raw/. `lines` is what the key promises; None where it does not tell.

    `etag` is S3's, empty where raw/ does not have the object any more; `packed` is its copy in a pack.
    """

    key: str
    bytes: int
    lines: int | None
    etag: str = ""
    packed: Packed | None = None

    @property
    def date(self) -> date:
        return object_date(self.key)


def object_date(key: str) -> date:
    """The UTC day of the object's prefix; NO_DATE for foreign keys."""
    hour = read_raw_key(key).hour
    return hour.date() if hour else NO_DATE


def list_raw_objects(s3: Any, bucket: str, since: datetime | None, until: datetime) -> list[RawObject]:
    """Every object under raw/ of the hours from `since` to `until`; all of raw/ where `since` is None."""
    prefixes = [RAW_PREFIX] if since is None else hour_prefixes(since, until)
    objects = []
    for prefix in prefixes:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):
                    lines = read_raw_key(item["Key"]).lines
                    objects.append(RawObject(item["Key"], item["Size"], lines, item["ETag"]))
    return objects


def read_lines(spark: SparkSession, bucket: str, objects: list[RawObject]) -> DataFrame:
    """One row per line of `objects`, and per object one row of line 0 that tells how reading went.

    Columns: object, object_date, line (from 1), raw_line, fault (of the line; of the object on line 0,
    where raw_line is JSON of OBJECT_END, or null if the object could not be fetched).
    Objects are fetched by the workers; nothing is listed or planned per file by Spark. One that lies in a
    pack is read there, with its neighbours, and in raw/ if the pack cannot give its bytes.
    """
    total_bytes = sum(item.bytes for item in objects)
    cores = spark.sparkContext.defaultParallelism
    spans = _spans(objects)
    partitions = max(1, min(len(spans), max(cores, total_bytes // TARGET_PARTITION_BYTES)))
    # Neighbouring keys are of one hour and alike in size; dealing them out evens the partitions.
    dealt = [row for first in range(partitions) for span in spans[first::partitions] for row in _rows(span)]
    # Not toDF: that belongs to the session that was made last.
    rows = spark.createDataFrame(spark.sparkContext.parallelize(dealt, partitions), OBJECT_SCHEMA)

    def fetch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        bodies = _Bodies(endpoints.client("s3"), bucket)
        lines = _LineBatch()
        for batch in batches:
            for item in batch.to_pylist():
                for row in _read_object(bodies, item):
                    lines.add(item["object"], *row)
                    if lines.bytes > BATCH_BYTES:
                        yield lines.take()
        if lines.count:
            yield lines.take()

    return rows.mapInArrow(fetch, LINES_SCHEMA)


def _spans(objects: list[RawObject]) -> list[list[RawObject]]:
    """The objects in groups that one request can fetch: neighbours in a pack; each other object alone."""
    spans: list[list[RawObject]] = [[item] for item in objects if item.packed is None]
    packed = sorted((i for i in objects if i.packed is not None), key=lambda i: (i.packed.pack, i.packed.offset))
    span: list[RawObject] = []
    for item in packed:
        if span:
            first, last = span[0].packed, span[-1].packed
            is_next = (first.pack, last.offset + last.bytes) == (item.packed.pack, item.packed.offset)
            if is_next and item.packed.offset + item.packed.bytes - first.offset <= SPAN_BYTES:
                span.append(item)
                continue
        span = [item]
        spans.append(span)
    return spans


def _rows(span: list[RawObject]) -> Iterator[tuple]:
    """Rows of OBJECT_SCHEMA."""
    span_bytes = sum(item.bytes for item in span)
    for item in span:
        place = item.packed
        copy = (place.pack, place.offset, place.sha256, span[0].packed.offset, span_bytes) if place else None
        yield item.key, item.bytes, item.lines, bool(item.etag), copy


class _Bodies:
    """Fetches objects' bytes from packs, a span at a time, and from raw/."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3, self.bucket = s3, bucket
        self._span: tuple[str, int] | None = None
        self._span_body = b""

    def get(self, item: dict[str, Any]) -> bytes:
        """The bytes of a row of OBJECT_SCHEMA; raises ClientError where no copy can be fetched."""
        place = item["packed"]
        if place is None:
            return self._fetch(item["object"])
        try:
            body = self._cut(place, item["bytes"])
        except (ClientError, BotoCoreError):
            if not item["is_in_raw"]:
                raise
            return self._fetch(item["object"])
        if hashlib.sha256(body).hexdigest() != place["sha256"]:
            # raw/ decides: where it has lost the object too, its absence is what is reported.
            return self._fetch(item["object"])
        return body

    def _cut(self, place: dict[str, Any], size: int) -> bytes:
        if not size:
            return b""
        if self._span != (place["pack"], place["span_offset"]):
            last = place["span_offset"] + place["span_bytes"] - 1
            self._span_body = self._fetch(place["pack"], Range=f"bytes={place['span_offset']}-{last}")
            self._span = (place["pack"], place["span_offset"])
        start = place["offset"] - place["span_offset"]
        return self._span_body[start : start + size]

    def _fetch(self, key: str, **part: str) -> bytes:
        """The whole body. boto3 repeats a request, but not one whose connection broke within the body."""
        for _ in range(FETCH_TRIES - 1):
            with suppress(BotoCoreError):
                return self.s3.get_object(Bucket=self.bucket, Key=key, **part)["Body"].read()
        return self.s3.get_object(Bucket=self.bucket, Key=key, **part)["Body"].read()


class _LineBatch:
    """Rows of LINES_SCHEMA, gathered until they are worth sending."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.bytes = 0
        self.columns: tuple[list, ...] = ([], [], [], [], [])

    @property
    def count(self) -> int:
        return len(self.columns[0])

    def add(self, key: str, line: int, raw_line: str | None, fault: str | None) -> None:
        values = (key, object_date(key), line, raw_line, fault)
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)
        self.bytes += len(raw_line or "") + 64

    def take(self) -> pa.RecordBatch:
        types = (pa.string(), pa.date32(), pa.int32(), pa.string(), pa.string())
        names = ("object", "object_date", "line", "raw_line", "fault")
        arrays = [pa.array(column, kind) for column, kind in zip(self.columns, types, strict=True)]
        self._clear()
        return pa.RecordBatch.from_arrays(arrays, names)


def _read_object(bodies: _Bodies, item: dict[str, Any]) -> Iterator[tuple[int, str | None, str | None]]:
    """(line, text, fault) of each line, then line 0: what is known of the object, and its fault."""
    try:
        body = bodies.get(item)
    except ClientError as error:
        yield 0, None, f"not fetched: {error.response['Error']['Code']}"
        return
    except BotoCoreError as error:
        yield 0, None, f"not fetched: {type(error).__name__}"
        return
    found = 0
    reader = _LineReader()
    for line in reader.lines(body):
        found += 1
        yield found, *_text(line)
    end = {"bytes": item["bytes"], "promised": item["promised"], "found": found}
    yield 0, json.dumps(end), reader.fault


def _text(line: bytes) -> tuple[str, str | None]:
    if len(line) > MAX_LINE_BYTES:
        return line[:MAX_LINE_BYTES].decode("utf-8", "replace"), "line_too_long"
    try:
        return line.decode("utf-8"), None
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace"), "not_utf8"


class _LineReader:
    """Splits an object, gzipped or plain, into lines. After damage it keeps the whole lines before it."""

    def __init__(self) -> None:
        self.fault: str | None = None

    def lines(self, body: bytes) -> Iterator[bytes]:
        rest: list[bytes] = []
        for chunk in self._inflate(body):
            first, *others = chunk.split(b"\n")
            rest.append(first)
            for other in others:
                yield b"".join(rest)
                rest = [other]
        last = b"".join(rest)
        # A line without its newline is whole only if nothing was lost behind it.
        if last and self.fault is None:
            yield last

    def _inflate(self, body: bytes) -> Iterator[bytes]:
        if body[:2] != b"\x1f\x8b":
            self.fault = None if body else "empty"
            yield body
            return
        # A gzip file may be several members, one behind the other.
        while body:
            inflater = zlib.decompressobj(wbits=31)
            while not inflater.eof:
                try:
                    chunk = inflater.decompress(body, CHUNK_BYTES)
                except zlib.error:
                    self.fault = "bad_gzip"
                    return
                body = inflater.unconsumed_tail
                yield chunk
                if not chunk and not body and not inflater.eof:
                    self.fault = "truncated_gzip"
                    return
            body = inflater.unused_data
