"""What the benchmark writes is all that the bill and the pages read."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from clicklake.cost import refresh_time
from clicklake.cost.bill import bill
from clicklake.cost.pages import BLOCKS
from clicklake.cost.usage import Workload
from clicklake.local.places import ROOT
from tests.benchmarks.cost import check_of, measure_requests, point_of, record_of
from tests.benchmarks.refresh import Measured


def taken(events: int) -> Measured:
    """A run of the job on so many new events."""
    report = {"lines_stored": events, "objects": 1 + events // 10_000, "seconds": 9, "bytes": 99, "shuffle_bytes": 9}
    cpu = {"JVM": 50 + events / 10_000, "emulator": 1.0}
    return Measured(20 + events / 10_000, cpu, jvm={}, unused=0.0, peak_bytes={}, report=report)


@pytest.fixture
def written(tmp_path, monkeypatch) -> Iterator[dict]:
    """A file that the benchmark wrote, in the place of measured.json."""
    spent = Counter(s3_puts=90, s3_gets=300, catalog=70)
    points = [
        point_of(lake_events, taken(events), spent, 1_000 + 60 * events)
        for size in (10_000, 100_000)
        for lake_events, events in ((0, size), (size, 5_760))
    ]
    record = record_of(2, "6g", measure_requests(days=1), points, check_of(taken(2_000_000)))
    (tmp_path / "measured.json").write_text(json.dumps(record), "utf-8")
    monkeypatch.setattr(refresh_time, "files", lambda package: tmp_path)
    refresh_time.refresh_model.cache_clear()
    yield record
    refresh_time.refresh_model.cache_clear()


def test_every_block_can_be_made_of_what_the_benchmark_writes(written):
    assert bill(Workload()).usd > 0
    blocks = {name: block() for blocks in BLOCKS.values() for name, block in blocks.items()}
    assert f"{written['check']['events']:,} events" in blocks["points"]


def test_the_committed_file_is_one_that_the_benchmark_writes(written):
    committed = json.loads((ROOT / "clicklake" / "cost" / "measured.json").read_text("utf-8"))
    assert _shape(committed) == _shape(written)


def _shape(record: dict[str, Any]) -> dict[str, Any]:
    """The names in a record, and those in its parts."""
    parts = {name: part[0] if isinstance(part, list) else part for name, part in record.items()}
    return {name: sorted(part) if isinstance(part, dict) else None for name, part in parts.items()}
