"""Reads the lake for the comparison: raw objects from S3, tables and views through the local engine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from clicklake.endpoints import Endpoints
from clicklake.paths import RAW_PREFIX
from clicklake.verify.checks import LakeSide
from clicklake.verify.raw_objects import RawObject, open_object

_FETCHERS = 8
_TRIES = 3


class LakeMovedError(Exception):
    """The lake did not stand still for long enough to be read."""


@dataclass(frozen=True)
class Listed:
    """A raw object's key and when it was put, in UTC."""

    key: str
    put_at: datetime


class Bucket:
    """The lake's bucket."""

    def __init__(self, endpoints: Endpoints, name: str) -> None:
        self._s3 = endpoints.client("s3", max_pool_connections=_FETCHERS)
        self._name = name

    def raw(self) -> list[Listed]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=RAW_PREFIX)
        return [
            Listed(entry["Key"], entry["LastModified"].replace(tzinfo=None))
            for page in pages
            for entry in page.get("Contents", ())
        ]

    def open(self, keys: Iterable[str]) -> list[RawObject]:
        with ThreadPoolExecutor(_FETCHERS) as fetchers:
            return list(fetchers.map(lambda key: open_object(key, self._get(key)), keys))

    def _get(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()


def by_columns(table: pa.Table) -> dict[str, list[Any]]:
    """A table's columns as lists; instants become epoch milliseconds."""
    return {field.name: _milliseconds(table[field.name]).to_pylist() for field in table.schema}


def _milliseconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_timestamp(column.type):
        return column
    return column.cast(pa.timestamp("ms")).cast(pa.int64())


# The rows to compare, by the names of checks.py. What is of a period has it in the column `period`.
VIEWS = {
    "kpis": "select period, metric, value, low, high, n from kpis",
    "funnel": "select * from funnel",
    "traffic": "select * from traffic_by_period where grain = 'range'",
    "money": "select * from orders_by_period where grain = 'range'",
    "segments": "select * from segments",
    "products": "select * from product_performance",
    "terms": "select * from search_performance",
    "zero_results": "select * from rates where dimension = 'total' and metric = 'zero_result_rate'",
    "days": "select * from daily_kpis",
    "currencies": "select * from currencies",
    "refusals": "select reason, field, sum(lines) as lines from quarantine_reasons group by reason, field",
    "freshness": "select as_of, today from data_freshness",
    "ledger": "select * from ledger where run_id = 'total'",
    "recount": "select * from ledger_recount",
}


def read_lake(query: Callable[[str], pa.Table], columns: Mapping[str, Sequence[str]]) -> LakeSide:
    """Tables (`columns` names those wanted of each) and views, all of one refresh.

    A refresh that ends in between would give tables of two runs: then everything is read again, a few times.
    """
    for _ in range(_TRIES):
        before = _last_run(query)
        side = LakeSide(
            {name: by_columns(query(f"select {', '.join(wanted)} from {name}")) for name, wanted in columns.items()},
            query("select period, first_date, last_date from periods where grain = 'range'").to_pylist(),
            {name: query(sql).to_pylist() for name, sql in VIEWS.items()},
        )
        if _last_run(query) == before:
            return side
    raise LakeMovedError(f"The lake was refreshed each of the {_TRIES} times while it was read.")


def _last_run(query: Callable[[str], pa.Table]) -> object:
    return query("select max(completed_at) as completed_at from refresh_runs").to_pylist()


def listed_until(query: Callable[[str], pa.Table]) -> datetime | None:
    """What was put before this had to be read by the last refresh."""
    return query("select max(listed_until) as until from refresh_runs").to_pylist()[0]["until"]
