"""The fault campaign. By default every fault of ingest, one killed run and one cut reading; all else is slow."""

from collections.abc import Iterator

import pytest

from tests.faults import ingest_kinds
from tests.faults.campaign import KINDS, run_ingest, run_job
from tests.faults.proxy import Fault, Rule, cut_body, gets_raw, updates_table
from tests.faults.world import World, open_world

SEEDS = range(1, 21)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("faults")) as world:
        yield world


def test_what_was_acknowledged_is_stored_once_though_the_refresh_is_killed_as_well(world):
    killed = Rule(updates_table, Fault(after=world.driver.kill, answer="lost"), at=2)
    cut = Rule(gets_raw, cut_body(), at=3, times=2)
    cases = [(kind, seed) for kind in ingest_kinds.KINDS for seed in SEEDS[:2]]
    results = run_ingest(world, cases, [killed], [cut])
    assert killed.struck and cut.struck
    assert [result for result in results if not result.is_good] == []


@pytest.mark.slow
def test_what_was_acknowledged_is_stored_once(world):
    results = run_ingest(world, [(kind, seed) for kind in ingest_kinds.KINDS for seed in SEEDS])
    assert [result for result in results if not result.is_good] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ingest_kinds.KINDS])
@pytest.mark.parametrize("seed", SEEDS)
def test_after_the_next_run_it_is_as_if_nothing_had_happened(world, kind, seed):
    result = run_job(world, kind, seed)
    assert result.is_good, result
