"""The fault campaign. By default two seeds of each fault of ingest and of each in the data; all else of it is slow."""

import pytest

from tests.faults import data_kinds, ingest_kinds
from tests.faults.campaign import KINDS, run_ingest, run_job
from tests.faults.proxy import Fault, Rule, cut_body, gets_raw, updates_table

SEEDS = range(1, 21)


def test_what_was_acknowledged_is_stored_once_though_the_refresh_is_killed_as_well(world):
    killed = Rule(updates_table, Fault(after=world.driver.kill, answer="lost"), at=2)
    cut = Rule(gets_raw, cut_body(), at=3, times=2)
    cases = [(kind, seed) for kind in ingest_kinds.KINDS for seed in SEEDS[:2]]
    results = run_ingest(world, cases, [killed], [cut])
    assert killed.struck and cut.struck
    assert [result for result in results if not result.is_good] == []


def test_spoilt_data_gives_the_same_in_one_run_and_in_two(world):
    cases = [(kind, seed) for kind in data_kinds.KINDS for seed in SEEDS[:2]]
    lake, disturbed, expected = data_kinds.disturb(world, cases)
    assert disturbed.ended == "succeeded"
    assert lake.judge(expected.stored).is_good
    assert expected.is_in(lake)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_more_objects_than_a_page_of_a_listing(world, seed):
    result = run_job(world, "1,005 and 2,500 objects", seed)
    assert result.is_good, result


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
