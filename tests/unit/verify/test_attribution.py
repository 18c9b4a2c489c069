from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake.verify.attribution import MODELS, Touch, allocate, attribute, touches_before
from clicklake.verify.channels import Visit

from .lakes import DAY, line, ms, oracle_of

DIRECT = Visit("(direct)", "(none)", "(not set)")


def _touch(day: int, source: str = "a") -> Touch:
    if source == "direct":
        return Touch(day * DAY, DIRECT, "Direct")
    return Touch(day * DAY, Visit(source, "x", "y"), "Referral")


def _shares(model: str, *touches: Touch) -> list[Decimal]:
    return attribute(model, touches, 100 * DAY, Decimal(100), "EUR")


@pytest.mark.parametrize(
    ("model", "shares"),
    [
        ("first", [100, 0, 0]),
        ("last", [0, 0, 100]),
        ("last_non_direct", [0, 100, 0]),
        ("linear", [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]),
        ("position", [40, 20, 40]),
        ("time_decay", [Decimal("14.29"), Decimal("28.57"), Decimal("57.14")]),
    ],
)
def test_models(model, shares):
    assert _shares(model, _touch(86, "a"), _touch(93, "b"), _touch(100, "direct")) == shares


def test_position_with_two_touches_is_half_and_half():
    assert _shares("position", _touch(90, "a"), _touch(91, "b")) == [50, 50]


def test_direct_touches_alone_get_all():
    assert _shares("last_non_direct", _touch(90, "direct"), _touch(91, "direct")) == [0, 100]


def test_a_touch_lies_within_30_days_and_repeats_in_a_row_are_one():
    touches = [
        _touch(69, "old"),
        _touch(70, "a"),
        _touch(80, "a"),
        _touch(90, "b"),
        _touch(91, "a"),
        _touch(101, "late"),
    ]
    assert [touch.started_at // DAY for touch in touches_before(touches, 100 * DAY)] == [70, 90, 91]


def test_ties_of_the_remainder_go_to_the_earliest():
    assert allocate(Decimal("0.02"), [1, 1, 1], "EUR") == [Decimal("0.01"), Decimal("0.01"), 0]
    assert allocate(Decimal(100), [1, 1, 1], "JPY") == [34, 33, 33]


@given(
    st.decimals(0, 10**7, places=4),
    st.lists(st.tuples(st.integers(70, 100), st.sampled_from("abc")), min_size=1, max_size=9),
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_credits_add_up_to_the_last_digit(amount, told, model, currency):
    touches = [_touch(day, source) for day, source in sorted(told)]
    parts = attribute(model, touches, 100 * DAY, amount, currency)
    assert sum(parts) == amount
    assert min(parts) >= 0


def test_a_person_is_credited_over_all_their_devices_and_an_order_without_visits_to_nobody():
    at = ms("2026-03-02T12:00:00")
    visited = line("a", at, anonymous_id="phone", user_id="u", page_url="https://shop.example/?utm_source=blog")
    bought = line("b", at + DAY, "purchase", anonymous_id="desk", user_id="u", order_id="1", value="10")
    refused = line("c", at, "purchase", anonymous_id=None, order_id="2", value="5")
    oracle = oracle_of([visited, bought, refused])
    assert oracle.attribution("first") == {("EUR", "Referral"): 10, ("EUR", "Direct"): 0, ("EUR", "(unattributed)"): 5}
    assert all(oracle.credited(model) == {"EUR": 15} for model in MODELS)
