from collections.abc import Iterator

import pytest

from tests.faults.world import World, open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("faults")) as world:
        yield world
