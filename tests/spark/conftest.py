import itertools
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession

from clicklake import endpoints
from clicklake.local import emulator
from clicklake.local.spark import laptop_settings, prepare
from glue_jobs.arguments import Settings
from glue_jobs.runtime import start_session
from tests.spark.golden_days import put_all
from tests.spark.lakes import SmallLake


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[emulator.Emulator]:
    with emulator.running() as running:
        running.create_lake().enter()
        yield running


@pytest.fixture(scope="session")
def spark(running_emulator: emulator.Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    prepare()
    settings = laptop_settings(tmp_path_factory.mktemp("spark"))
    session = start_session(Settings(lake_bucket=emulator.BUCKET), settings)
    yield session
    session.stop()


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_lake(spark: SparkSession, running_emulator: emulator.Emulator) -> Callable[..., SmallLake]:
    """Makes lakes with a bucket and a database of their own."""

    def make(**settings) -> SmallLake:
        number = next(_numbers)
        bucket, database = f"lake-{number}", f"lake_{number}"
        running_emulator.create_lake(bucket, database)
        values = {"shop_hosts": ("shop.example",), "lease_seconds": 5.0, **settings}
        return SmallLake(spark, endpoints.client("s3"), Settings(bucket, database, **values))

    return make


@pytest.fixture(scope="session")
def in_one_go(new_lake: Callable[..., SmallLake]) -> tuple[SmallLake, dict[str, str]]:
    """The golden week in one object and one run: the lake, and its tables' prints."""
    lake = new_lake()
    put_all(lake, 0, 1)
    lake.assert_every_line_has_one_outcome()
    return lake, lake.prints()
