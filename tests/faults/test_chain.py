"""Faults one on top of the other, on one lake: with two seeds of each kind, what a default test has time for."""

from tests.faults.campaign import CHAIN, run_chain


def test_what_a_fault_left_is_made_good_under_the_next_one(world):
    results = run_chain(world, [(kind, seed) for seed in (1, 2) for kind in CHAIN])
    assert [result for result in results if not result.is_good] == []
