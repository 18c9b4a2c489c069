"""Rows that a run keeps are made once; those of a large run leave the memory to others."""

import pytest
from pyspark.sql import functions as F

from glue_jobs.lake import settle
from glue_jobs.runtime import tune


@pytest.mark.parametrize(("input_bytes", "is_in_memory"), [(1, True), (1 << 30, False)])
def test_kept_rows_are_made_once_and_a_large_runs_lie_on_disk(spark, input_bytes, is_in_memory):
    context = spark.sparkContext._jsc.sc()
    before = {info.id() for info in context.getRDDStorageInfo()}
    tune(spark, input_bytes)
    try:
        rows = settle(spark.range(1_000).withColumn("made", F.expr("uuid()")))
        assert sorted(rows.collect()) == sorted(rows.collect())
        assert rows.count() == 1_000
    finally:
        tune(spark, 1)
    [kept] = [info for info in context.getRDDStorageInfo() if info.id() not in before]
    assert (kept.memSize() > 0, kept.diskSize() > 0) == (is_in_memory, not is_in_memory)
