"""The golden week gives exactly the rows of tests/golden/rows. UPDATE_GOLDEN=1 writes them anew: read the diff."""

import os

import pytest

from glue_jobs.tables import TABLES
from tests.spark.golden_days import GOLDEN


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.is_compared])
def test_rows_of_the_golden_week(in_one_go, table):
    lake, _ = in_one_go
    path = GOLDEN / "rows" / f"{table}.ndjson"
    rows = "".join(f"{row}\n" for row in lake.compared_rows(table))
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(rows)
    assert rows.splitlines() == path.read_text().splitlines()
