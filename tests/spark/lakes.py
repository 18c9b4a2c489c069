"""Small lakes for tests: raw lines in, runs, and tables out in a form that can be compared."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from clicklake.cli.verify import compare, recompute_lake
from clicklake.endpoints import Endpoints
from clicklake.local.sql import connect
from clicklake.paths import raw_key
from clicklake.verify.lake import Bucket
from glue_jobs.arguments import Settings
from glue_jobs.refresh_lake import Clock, RunReport, refresh, utc_now
from glue_jobs.tables import TABLES

DAY_MS = 86_400_000


def ms(text: str) -> int:
    """Epoch milliseconds of an ISO instant; UTC where it names no offset."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def line(event_id: str, visitor: str | None, at: str | int, event_type: str = "page_view", **fields: Any) -> dict:
    """An accepted raw line, sent and received a second after it happened unless told otherwise."""
    happened = ms(at) if isinstance(at, str) else at
    values = {
        "ingest_id": hashlib.sha256(event_id.encode()).hexdigest()[:32],
        "position": 0,
        "received_at": happened + 1000,
        "verdict": "accepted",
        "origin": "browser",
        "is_bot": False,
        "maybe_repeat": False,
        "is_test": False,
        "contract_version": 1,
        "event_id": event_id,
        "ts": happened,
        "sent_at": happened + 1000,
        "event_type": event_type,
        "anonymous_id": visitor,
        "page_url": "https://shop.example/",
        "device": {"type": "desktop"},
        "geo": {"country": "DE"},
        "consent": {"analytics": "granted" if visitor else "denied", "marketing": "denied"},
        **fields,
    }
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class SmallLake:
    """A bucket and a database of their own, with the job beside them."""

    spark: SparkSession
    s3: Any
    settings: Settings

    def put(self, lines: Iterable[dict | str | bytes], name: str, at: str = "2026-09-07T12:00:00") -> str:
        """One raw object of these lines; strings and bytes are written as they are."""
        texts = [x if isinstance(x, bytes) else (x if isinstance(x, str) else json.dumps(x)).encode() for x in lines]
        key = raw_key(name, len(texts), datetime.fromisoformat(at).replace(tzinfo=timezone.utc))
        self.put_bytes(key, gzip.compress(b"".join(text + b"\n" for text in texts), 1))
        return key

    def put_bytes(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.settings.lake_bucket, Key=key, Body=body)

    def run(
        self, clock: Clock = utc_now, say: Callable[[str], object] = lambda text: None, **changes: Any
    ) -> RunReport:
        """A refresh of everything not yet read, or another command."""
        settings = replace(self.settings, **{"reconcile": True, **changes})
        return refresh(self.spark, settings, clock, say)

    def table(self, name: str) -> DataFrame:
        return self.spark.read.table(f"lake.{self.settings.database}.{name}")

    def rows(self, name: str, *columns: str) -> list[tuple]:
        """The table's rows in order of its key, or of the columns asked for."""
        order = columns or TABLES[name].key
        return [tuple(row) for row in self.table(name).select(*(columns or ["*"])).orderBy(*order).collect()]

    def prints(self) -> dict[str, str]:
        """A hash per compared table: its rows, sorted, without what tells only of the run."""
        return {
            name: hashlib.sha256("\n".join(self.compared_rows(name)).encode()).hexdigest()
            for name, table in TABLES.items()
            if table.is_compared
        }

    def compared_rows(self, table: str) -> list[str]:
        """The rows as JSON, sorted, without what tells only of the run."""
        columns = [c for c in TABLES[table].column_names if c not in TABLES[table].volatile]
        rows = self.table(table).select(F.to_json(F.struct(*columns)).alias("row")).collect()
        return sorted(row.row for row in rows)

    def assert_like_the_oracle(self) -> None:
        """Every table and figure is what a second reading of the definitions says."""
        endpoints = Endpoints.from_environment()
        bucket = Bucket(endpoints, self.settings.lake_bucket)
        objects = bucket.open(listed.key for listed in bucket.raw())
        checks = compare(connect(endpoints, self.settings.database), recompute_lake(self.settings, objects))
        assert len(checks) > 50
        differing = "\n".join(f"{check.name}: {check.remark}" for check in checks if not check.is_sound)
        assert not differing, differing

    def assert_every_line_has_one_outcome(self) -> None:
        """The ledger, recounted from the tables themselves."""
        from glue_jobs.transforms.quality import uncovered_lines

        objects = self.table("ingested_objects")
        outcomes = (self.table(name) for name in ("events", "repeats", "quarantine"))
        assert uncovered_lines(objects, *outcomes).collect() == []
        sums = objects.agg(F.sum("lines").alias("lines"), F.sum("lines_lost").alias("lost")).first()
        last = self.table("refresh_runs").orderBy(F.col("completed_at").desc()).first()
        assert last.is_balanced
        assert (last.total_lines, last.total_lost) == (sums.lines, sums.lost)
        assert last.total_stored == self.table("events").count()
        assert last.total_duplicate == self.table("repeats").count()
        assert last.total_quarantined == self.table("quarantine").count()
