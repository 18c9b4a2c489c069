"""Real parts for tests: one emulator a session, one lake a test, one Spark a session."""

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clicklake.local import emulator as emulators
from clicklake.local.emulator import Emulator, Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with emulators.running() as running:
        yield running


@pytest.fixture
def lake(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake of the test's own; the environment points at it."""
    return _enter(emulator, monkeypatch)


@pytest.fixture(scope="module")
def module_lake(emulator: Emulator) -> Iterator[Lake]:
    """An empty lake for the tests of a module, which only read it or keep out of each other's way."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield _enter(emulator, monkeypatch)


@pytest.fixture(scope="session")
def spark(emulator: Emulator) -> Iterator["SparkSession"]:
    """One Spark with the job's own settings. Tables live where their database says: a lake each."""
    from clicklake.local.spark import laptop_settings, prepare
    from glue_jobs.arguments import Settings
    from glue_jobs.runtime import start_session

    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        tempfile.TemporaryDirectory(prefix="clicklake-") as folder,
    ):
        lake = _enter(emulator, monkeypatch)
        prepare()
        session = start_session(
            Settings(lake_bucket=lake.bucket, database=lake.database), laptop_settings(Path(folder), cores=2)
        )
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()


def _enter(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Lake:
    name = uuid.uuid4().hex[:12]
    lake = emulator.create_lake(f"lake-{name}", f"clickstream_{name}")
    for variable in emulators.FOREIGN_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in lake.environment().items():
        monkeypatch.setenv(variable, value)
    return lake
