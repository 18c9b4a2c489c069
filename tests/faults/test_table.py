"""What a table's line says of its seeds."""

from dataclasses import asdict

from tests.faults.__main__ import row
from tests.faults.world import Verdict


def record(is_equal: bool | None) -> dict[str, str]:
    """A seed as it stands in docs/faults.csv, where None is an empty field."""
    verdict = asdict(Verdict(lost=0, repeated=0, is_balanced=True, is_equal=is_equal))
    told = {name: "" if value is None else str(value) for name, value in verdict.items()}
    return {"struck": "the queue", "ended": "202", "seconds": "2.0", "run_on": "2026-11-21", **told}


def tables(*are_equal: bool | None) -> str:
    return row("kind", [record(is_equal) for is_equal in are_equal]).split("|")[8].strip()


def test_only_seeds_whose_tables_were_compared_count_as_equal():
    assert tables(None, None) == "-"
    assert tables(None, True, True) == "2 of 2"
    assert tables(True, False) == "1 of 2"


def test_a_seed_that_was_compared_with_nothing_is_good_by_its_ids_and_lines():
    assert Verdict(0, 0, is_balanced=True).is_good
    assert not Verdict(0, 0, is_balanced=False).is_good
    assert not Verdict(0, 0, is_balanced=True, is_equal=False).is_good
