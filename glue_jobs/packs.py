"""Packs: raw objects of one day, byte for byte one behind the other, in few large objects under processed/.

A manifest beside each pack says which objects lie in it and where. It is written last: a pack without one
does not count. Objects are found and cut out by it, so damaged ones give what they gave under raw/.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from clicklake.paths import MANIFEST_END, PROCESSED_PREFIX, manifest_key, pack_key, read_pack_day, read_raw_key
from glue_jobs.raw_objects import Packed, RawObject

# Below 128 KB S3 moves nothing to cheaper storage; from here on a request's price is nothing beside the bytes'.
PACK_BYTES = 64 << 20
FETCHES_AT_ONCE = 8


@dataclass(frozen=True)
class Plan:
    """A pack to be made: its day, its objects, and of each object the ledger's lines and fault."""

    day: date
    objects: tuple[RawObject, ...]
    lines: tuple[int, ...]
    errors: tuple[str | None, ...]


def read_manifests(s3: Any, bucket: str, is_wanted: Callable[[date], bool]) -> dict[str, Packed]:
    """Where each packed object lies, by its key, for the packs of the days that `is_wanted`."""
    keys = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PROCESSED_PREFIX):
        for item in page.get("Contents", []):
            day = read_pack_day(item["Key"])
            if item["Key"].endswith(MANIFEST_END) and day is not None and is_wanted(day):
                keys.append(item["Key"])

    def read(key: str) -> dict[str, Any]:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        return {
            item["object"]: Packed(manifest["pack"], item["offset"], item["bytes"], item["etag"], item["sha256"])
            for manifest in pool.map(read, keys)
            for item in manifest["objects"]
        }


def join_packs(listed: Iterable[RawObject], packed: dict[str, Packed]) -> list[RawObject]:
    """The listed objects with their packed copies, and those that only packs hold any more; by key."""
    objects = {key: RawObject(key, copy.bytes, read_raw_key(key).lines, "", copy) for key, copy in packed.items()}
    for item in listed:
        copy = packed.get(item.key)
        # A foreign object may have been written anew since; then raw/ is right.
        is_same = copy is not None and (copy.bytes, copy.etag) == (item.bytes, item.etag)
        objects[item.key] = replace(item, packed=copy) if is_same else item
    return [objects[key] for key in sorted(objects)]


def plan_packs(objects: Iterable[RawObject], known: dict[str, tuple[int, str | None]]) -> list[Plan]:
    """Packs for the objects that were read, by day, in order of key: each of PACK_BYTES or more, or of a whole day.

    `known` has (lines, error) of every object that was read, by key.
    """
    by_day: dict[date, list[RawObject]] = defaultdict(list)
    for item in sorted(objects, key=lambda item: item.key):
        if item.key in known:
            by_day[item.date].append(item)
    plans = []
    for day, of_day in sorted(by_day.items()):
        for part in _parts(of_day):
            lines, errors = zip(*(known[item.key] for item in part), strict=True)
            plans.append(Plan(day, tuple(part), lines, errors))
    return plans


def _parts(objects: list[RawObject]) -> Iterator[list[RawObject]]:
    rest = sum(item.bytes for item in objects)
    part: list[RawObject] = []
    size = 0
    for item in objects:
        part.append(item)
        size += item.bytes
        rest -= item.bytes
        # What would be too little for a pack of its own stays with the last one.
        if size >= PACK_BYTES and rest >= PACK_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def make_pack(s3: Any, bucket: str, plan: Plan) -> tuple[int, int]:
    """Writes a pack and then its manifest: (objects, bytes). Nothing is deleted.

    The name is the hash of what is in it: made again, a pack is the same object. What has vanished from
    raw/ since it was listed is left out.
    """

    def fetch(item: RawObject) -> tuple[bytes, str] | None:
        try:
            answer = s3.get_object(Bucket=bucket, Key=item.key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        return answer["Body"].read(), answer["ETag"]

    with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        fetched = list(pool.map(fetch, plan.objects))
    bodies, contents, offset = [], [], 0
    for item, lines, error, found in zip(plan.objects, plan.lines, plan.errors, fetched, strict=True):
        if found is None:
            continue
        body, etag = found
        hour = read_raw_key(item.key).hour
        contents.append(
            {
                "object": item.key,
                "hour": hour.isoformat() if hour else None,
                "offset": offset,
                "bytes": len(body),
                "lines": lines,
                "error": error,
                "etag": etag,
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )
        bodies.append(body)
        offset += len(body)
    if not contents:
        return 0, 0
    pack = b"".join(bodies)
    digest = hashlib.sha256(pack).hexdigest()
    names = hashlib.sha256("\n".join(item["object"] for item in contents).encode()).hexdigest()
    key = pack_key(plan.day, f"{digest[:16]}{names[:16]}")
    manifest = {
        "pack": key,
        "bytes": len(pack),
        "sha256": digest,
        "count": len(contents),
        "lines": sum(item["lines"] for item in contents),
        "objects": contents,
    }
    s3.put_object(Bucket=bucket, Key=key, Body=pack)
    s3.put_object(Bucket=bucket, Key=manifest_key(key), Body=json.dumps(manifest).encode())
    return len(contents), len(pack)
