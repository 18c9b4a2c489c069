"""What the simulated shop promises to hold, counted in its truth."""

from clicklake.shop.truth import TrueEvent, TrueLine, TrueVisit, Truth
from clicklake.verify.hard_cases import HardCases, count_hard_cases

from .lakes import HOUR, MINUTE


def _truth(*told: tuple[str, int, int, str | None], clock_ahead_ms: int = 0) -> Truth:
    """Of browser a: id, minute, minute of receipt and person of each event; each is sent alone."""
    return Truth(
        visits=[TrueVisit("a/0", "a", "h", 0, "direct", "direct", (), clock_ahead_ms=clock_ahead_ms)],
        events=[TrueEvent(name, "a/0", "a", at * MINUTE, "click", person) for name, at, _, person in told],
        lines=[
            TrueLine(number, received * MINUTE, event_id=name) for number, (name, _, received, _) in enumerate(told)
        ],
        orders=[],
        refunds=[],
        people=[],
    )


def test_a_late_delivery_that_joins_two_visits_is_a_bridge():
    apart = ("one", 0, 1, None), ("two", 50, 51, None)
    assert count_hard_cases(_truth(*apart, ("late", 25, 120, None))) == HardCases(1, 0, 0)
    assert count_hard_cases(_truth(*apart, ("soon", 25, 52, None))) == HardCases(0, 0, 0)
    assert count_hard_cases(_truth(*apart, ("beside", 100, 200, None))) == HardCases(0, 0, 0)


def test_a_device_is_shared_when_two_people_sign_in_and_a_clock_is_wrong_by_more_than_five_minutes():
    shared = _truth(("one", 0, 1, "ann"), ("two", 5, 6, "bob"), clock_ahead_ms=-HOUR)
    assert count_hard_cases(shared) == HardCases(0, 1, 1)
    assert count_hard_cases(_truth(("one", 0, 1, "ann"), clock_ahead_ms=5 * MINUTE)) == HardCases(0, 0, 0)
