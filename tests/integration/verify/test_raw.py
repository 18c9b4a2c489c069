"""Which raw objects a lake should have read, by the clocks of the job and of S3."""

from datetime import timedelta

import pyarrow as pa
import pytest

from clicklake.cli.verify import read_raw
from clicklake.endpoints import Endpoints
from clicklake.local.emulator import Lake
from clicklake.verify.lake import Bucket
from tests.sql.engines import open_tables

KEY = "raw/year=2026/month=09/day=07/hour=12/events-a-1.ndjson.gz"


@pytest.mark.parametrize(("listed_after", "is_missed"), [(0.0, False), (0.999, False), (1.0, True)])
def test_an_object_of_the_second_in_which_raw_was_listed_may_have_come_after(lake: Lake, listed_after, is_missed):
    endpoints = Endpoints.from_environment()
    endpoints.client("s3").put_object(Bucket=lake.bucket, Key=KEY, Body=b"")
    bucket = Bucket(endpoints, lake.bucket)
    # S3 tells whole seconds.
    [listed] = bucket.raw()
    until = listed.put_at + timedelta(seconds=listed_after)
    tables = {
        "refresh_runs": pa.table({"listed_until": pa.array([until], pa.timestamp("us"))}),
        "ingested_objects": pa.table({"object": pa.array([], pa.string())}),
    }
    _, [check] = read_raw(bucket, open_tables(tables))
    assert check.is_sound is not is_missed
    assert check.remark == (
        f"never read: {KEY}" if is_missed else "1 more have come since and wait for the next refresh"
    )
