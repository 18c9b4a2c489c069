"""What the job tells Spark before it starts."""

import os

import pytest

from glue_jobs import runtime
from glue_jobs.arguments import Settings


class Started(Exception):
    """Spark would start now."""


class Builder(dict):
    def appName(self, name: str) -> "Builder":
        return self

    def config(self, name: str, value: str) -> "Builder":
        self[name] = value
        return self

    def getOrCreate(self) -> None:
        raise Started


def test_driver_executors_and_iceberg_take_the_region_that_the_job_was_given(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
    builder = Builder()
    monkeypatch.setattr(runtime.SparkSession, "builder", builder)
    with pytest.raises(Started):
        runtime.start_session(Settings("lake", region="eu-west-1"))
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert builder["spark.executorEnv.AWS_DEFAULT_REGION"] == "eu-west-1"
    assert builder["spark.sql.catalog.lake.client.region"] == "eu-west-1"
