"""Every released version of the contract: what was sent, and what was read from it when it was released.

A file is never changed after its release. A new version gets a new folder, beside the old ones.
"""

import json
from pathlib import Path

import msgspec
import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.limits import CONTRACT_VERSION
from tests.unit.contract.corpus import ROOT

RELEASED = sorted((ROOT / "released").glob("*/*.json"))


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_released_event_decodes_as_it_was_recorded(path: Path) -> None:
    released = json.loads(path.read_text(encoding="utf-8"))
    event = decode_event(released["sent"].encode(), accept_flat=released["accept_flat"])
    read = json.loads(msgspec.json.encode(event))
    # Fields that later versions add are absent in what was sent before them.
    assert {name: value for name, value in read.items() if value not in (None, False)} == released["read"]


def test_every_version_so_far_has_fixtures() -> None:
    assert {int(path.parent.name) for path in RELEASED} == set(range(1, CONTRACT_VERSION + 1))
