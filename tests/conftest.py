"""Real parts for tests: one emulator a session, one lake a test."""

import uuid
from collections.abc import Iterator

import pytest

from clicklake.local import emulator as emulators
from clicklake.local.emulator import Emulator, Lake


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with emulators.running() as running:
        yield running


@pytest.fixture
def lake(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake of the test's own; the environment points at it."""
    name = uuid.uuid4().hex[:12]
    lake = emulator.create_lake(f"lake-{name}", f"clickstream_{name}")
    for variable in emulators.FOREIGN_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in lake.environment().items():
        monkeypatch.setenv(variable, value)
    return lake
