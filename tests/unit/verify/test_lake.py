"""The lake is read as one run left it, or not at all."""

import pyarrow as pa
import pytest

from clicklake.verify.lake import LakeMovedError, read_lake


def _refreshed(*runs: int):
    """A lake of which each look at its last run tells the next of `runs`."""
    told = iter(runs)

    def query(sql: str) -> pa.Table:
        return pa.table({"completed_at": [next(told) if "refresh_runs" in sql else 0]})

    return query


def test_a_lake_that_is_refreshed_meanwhile_is_read_again():
    assert read_lake(_refreshed(1, 2, 2, 2), {"orders": ["completed_at"]}).tables == {"orders": {"completed_at": [0]}}


def test_a_lake_that_never_rests_is_an_error_and_no_mix_of_runs():
    with pytest.raises(LakeMovedError, match="each of the 3 times"):
        read_lake(_refreshed(1, 2, 3, 4, 5, 6), {"orders": ["completed_at"]})
