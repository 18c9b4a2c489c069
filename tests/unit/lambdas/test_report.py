import json
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from clicklake.athena import AthenaEngine
from clicklake.paths import REPORT_KEY
from lambdas.report.handler import make_handler
from lambdas.report.settings import Settings
from tests.unit.lambdas.test_gate import MemoryS3

SETTINGS = Settings("lake", database="clickstream_db", workgroup="shop")
REFRESHED = {"source": "aws.glue", "detail": {"jobName": "refresh", "jobRunId": "jr_1", "state": "SUCCEEDED"}}


class EmptyLake:
    """A lake whose views have no rows, as before the first event."""

    def query(self, sql: str) -> pa.Table:
        return pa.table({"as_of": []})


class Glue:
    def get_job_run(self, *, JobName: str, RunId: str) -> dict:
        assert (JobName, RunId) == ("refresh", "jr_1")
        return {"JobRun": {"ExecutionTime": 74}}


def call(event):
    s3, logs = MemoryS3(), []
    make_handler(SETTINGS, EmptyLake(), s3=s3, glue=Glue(), clock=lambda: 1.0, write_log=logs.append)(event, None)
    return s3, json.loads(logs[0])


def test_the_page_is_put_where_administrators_read_it():
    s3, _ = call(REFRESHED)
    assert list(s3.objects) == [REPORT_KEY]
    assert s3.objects[REPORT_KEY].startswith(b"<!doctype html>")


def test_how_long_the_refresh_took_is_a_metric():
    _, line = call(REFRESHED)
    assert line["RefreshSeconds"] == 74
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "RefreshSeconds", "Unit": "Seconds"}]


def test_called_by_hand_it_renders_and_measures_nothing():
    s3, line = call({})
    assert list(s3.objects) == [REPORT_KEY] and "_aws" not in line


def test_athenas_answer_becomes_arrow_with_null_for_what_is_missing(monkeypatch):
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "share": [0.5, float("nan")],
            "revenue": [Decimal("9.90"), None],
            "name": pd.array(["a", None], dtype="string"),
        }
    )
    asked = {}
    monkeypatch.setattr(
        "awswrangler.athena.read_sql_query", lambda sql, **options: asked.update(options, sql=sql) or frame
    )
    table = AthenaEngine("clickstream_db", "shop").query("select 1")
    assert table.to_pylist() == [
        {"n": 1, "share": 0.5, "revenue": Decimal("9.90"), "name": "a"},
        {"n": None, "share": None, "revenue": None, "name": None},
    ]
    # The other ways of reading write tables or delete results, which the function's role may not.
    assert (asked["ctas_approach"], asked["keep_files"], asked["workgroup"]) == (False, True, "shop")


@pytest.mark.parametrize("name", ["LAKE_BUCKET", "DATABASE", "WORKGROUP"])
def test_a_missing_name_is_said(name):
    environment = {"LAKE_BUCKET": "lake", "DATABASE": "db", "WORKGROUP": "shop"} | {name: ""}
    with pytest.raises(ValueError, match=name):
        Settings.from_environment(environment)
