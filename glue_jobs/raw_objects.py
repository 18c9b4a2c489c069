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
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DateType, IntegerType, StringType, StructField, StructType

from clicklake import endpoints
from clicklake.paths import RAW_PREFIX, hour_prefixes, read_raw_key
from glue_jobs.transforms.json_lines import JsonLines, with_corrupt

NO_DATE = date(1970, 1, 1)
CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
BATCH_BYTES = 4 << 20
TARGET_PARTITION_BYTES = 16 << 20
FETCH_TRIES = 3

# Neighbours in a pack are fetched together, up to so many bytes.
SPAN_BYTES = 8 << 20

LINES_SCHEMA = StructType(
    [
        StructField("object", StringType()),
        StructField("object_date", DateType()),
        StructField("line", IntegerType()),
        StructField("raw_line", StringType()),
        StructField("fault", StringType()),
    ]
)
OBJECT_SCHEMA = (
    "object string, bytes bigint, promised int, is_in_raw boolean, "
    "packed struct<pack:string,offset:bigint,sha256:string,span_offset:bigint,span_bytes:bigint>"
)
# What line 0 tells of an object: its size, the hour in its key, the lines its key promised and those that were found.
OBJECT_END = "bytes bigint, hour int, promised int, found int"


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


def object_date_column(key: Column) -> Column:
    """object_date, of a column of keys."""
    day = F.regexp_extract(key, r"^(raw/year=\d{4}/month=\d{2}/day=\d{2}/)hour=([01]\d|2[0-3])/", 1)
    text = F.regexp_replace(day, r"[^0-9]+", "")
    return F.coalesce(F.to_date(F.when(F.length(text) == 8, text), "yyyyMMdd"), F.lit(NO_DATE))


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


def read_lines(spark: SparkSession, bucket: str, objects: list[RawObject], schema: StructType) -> DataFrame:
    """One row per line of `objects`, and per object one row of line 0 that tells how reading went.

    Columns: object, object_date, line (from 1), raw_line, fault (of the line; of the object on line 0,
    where raw_line is JSON of OBJECT_END, or null if the object could not be fetched), and `parsed`, the line by
    `schema`; null where that is not certain and Spark has to parse it.
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
    json_lines = JsonLines(schema)

    def fetch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        bodies = _Bodies(endpoints.client("s3"), bucket)
        batch = LineBatch(json_lines)
        for item in (item for items in batches for item in items.to_pylist()):
            for _ in _read_object(bodies, item, batch):
                if batch.bytes > BATCH_BYTES:
                    yield batch.take()
        if batch.bytes:
            yield batch.take()

    return rows.mapInArrow(fetch, StructType([*LINES_SCHEMA.fields, StructField("parsed", with_corrupt(schema))]))


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


class LineBatch:
    """Rows of read_lines, gathered until they are worth sending."""

    def __init__(self, json_lines: JsonLines) -> None:
        self._json_lines = json_lines
        self._clear()

    def _clear(self) -> None:
        self.bytes = 0
        # Columns of LINES_SCHEMA.
        self._lines: tuple[list, ...] = ([], [], [], [], [])
        self._ends: tuple[list, ...] = ([], [], [], [], [])

    def add_lines(self, key: str, first: int, lines: list[bytes], faults: list[str | None]) -> None:
        """Lines in UTF-8, numbered from `first`."""
        count = len(lines)
        new = ([key] * count, [object_date(key)] * count, range(first, first + count), lines, faults)
        for column, values in zip(self._lines, new, strict=True):
            column.extend(values)
        self.bytes += sum(map(len, lines)) + 64 * count

    def add_end(self, key: str, text: str | None, fault: str | None) -> None:
        """Line 0."""
        for column, value in zip(self._ends, (key, object_date(key), 0, text, fault), strict=True):
            column.append(value)
        self.bytes += 64

    def take(self) -> pa.RecordBatch:
        both = zip(self._lines, self._ends, to_arrow_schema(LINES_SCHEMA).types, strict=True)
        columns = [pa.array(lines + ends, kind) for lines, ends, kind in both]
        ends = pa.nulls(len(self._ends[0]), self._json_lines.type)
        columns.append(pa.concat_arrays([self._json_lines.parse(self._lines[3]), ends]))
        self._clear()
        return pa.RecordBatch.from_arrays(columns, [*LINES_SCHEMA.names, "parsed"])


def _read_object(bodies: _Bodies, item: dict[str, Any], batch: LineBatch) -> Iterator[None]:
    """Adds the object's lines to the batch, then line 0: what is known of the object, and its fault.

    Stops between parts of a large object, so that the batch can be sent.
    """
    key = item["object"]
    try:
        body = bodies.get(item)
    except ClientError as error:
        batch.add_end(key, None, f"not fetched: {error.response['Error']['Code']}")
        return
    except BotoCoreError as error:
        batch.add_end(key, None, f"not fetched: {type(error).__name__}")
        return
    found = 0
    reader = _LineReader()
    for lines in reader.lines(body):
        batch.add_lines(key, found + 1, *_texts(lines))
        found += len(lines)
        yield
    hour = read_raw_key(key).hour
    end = {"bytes": item["bytes"], "hour": hour and hour.hour, "promised": item["promised"], "found": found}
    batch.add_end(key, json.dumps(end), reader.fault)


def _texts(lines: list[bytes]) -> tuple[list[bytes], list[str | None]]:
    """The lines in UTF-8 and not too long, and the fault of each."""
    if max(map(len, lines)) <= MAX_LINE_BYTES:
        with suppress(UnicodeDecodeError):
            b"\n".join(lines).decode("utf-8")
            return lines, [None] * len(lines)
    texts, faults = zip(*map(_text, lines), strict=True)
    return [text.encode() for text in texts], list(faults)


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

    def lines(self, body: bytes) -> Iterator[list[bytes]]:
        """Lines, some megabytes at a time."""
        rest: list[bytes] = []
        for chunk in self._inflate(body):
            lines = chunk.split(b"\n")
            if len(lines) > 1:
                lines[0] = b"".join([*rest, lines[0]])
                rest = []
                yield lines[:-1]
            rest.append(lines[-1])
        last = b"".join(rest)
        # A line without its newline is whole only if nothing was lost behind it.
        if last and self.fault is None:
            yield [last]

    def _inflate(self, body: bytes) -> Iterator[bytes]:
        if body[:2] != b"\x1f\x8b":
            self.fault = None if body else "empty"
            for start in range(0, len(body), CHUNK_BYTES):
                yield body[start : start + CHUNK_BYTES]
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
