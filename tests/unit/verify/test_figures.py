from datetime import date

import pytest

from clicklake.verify.kpis import Figures, person_funnel, quantile, rate
from clicklake.verify.rules import Rules

from .lakes import DAY, MINUTE, NOON, line, ms, oracle_of

AT = ms(NOON)
STEPS = ("view_item", "add_to_cart", "begin_checkout", "purchase")


def test_a_rate_has_a_wilson_interval_and_below_min_n_there_is_none():
    told = rate(10, 50, 30)
    assert (told.value, told.low, told.high) == pytest.approx((0.2, 0.11244, 0.33037), abs=1e-5)
    assert rate(10, 29, 30).value is None


def test_a_quantile_is_the_value_at_rank_ceil_p_n():
    assert [quantile([4, 1, 3, 2], share) for share in (0.25, 0.5, 0.51, 0.9)] == [1, 2, 3, 4]
    assert quantile([], 0.5) is None


def test_units_still_open_are_in_no_step_and_shown_beside():
    lines = [line("a", AT, "view_item"), line("b", AT + 31 * 60_000, "view_item", anonymous_id="w")]
    steps = Figures(oracle_of(lines), date(2026, 3, 2), date(2026, 3, 2)).funnel()
    assert (steps[1]["sessions"], steps[1]["open_sessions"]) == (1, 1)


def test_an_open_session_is_in_no_median_of_the_funnel():
    def visit(visitor: str, started_at: int, pause: int) -> list[dict[str, object]]:
        kinds = enumerate(STEPS)
        return [line(f"{visitor}{n}", started_at + n * pause, kind, anonymous_id=visitor) for n, kind in kinds]

    lines = [*visit("closed", AT, 2_000), *visit("open", AT + 60 * MINUTE, 1_000)]
    steps = Figures(oracle_of(lines), date(2026, 3, 2), date(2026, 3, 2)).funnel()
    assert [(row["sessions"], row["open_sessions"]) for row in steps.values()] == [(1, 1)] * 4
    assert [row["median_seconds"] for row in steps.values()] == [None, 2, 2, 2]


def test_both_shares_of_a_step_carry_their_interval():
    lines = [line(f"{n}", AT, "view_item", anonymous_id=f"v{n}") for n in range(40)]
    lines += [line(f"c{n}", AT + 5, "add_to_cart", anonymous_id=f"v{n}") for n in range(10)]
    lines += [line("end", AT + 60 * MINUTE, anonymous_id="other")]
    step = Figures(oracle_of(lines), date(2026, 3, 2), date(2026, 3, 2)).funnel()[2]
    told = rate(10, 40, 30)
    for share in ("share_of_previous", "share_of_first"):
        assert (step[share], step[f"{share}_low"], step[f"{share}_high"]) == (told.value, told.low, told.high)


def test_a_person_reaches_the_deepest_match_of_any_start_within_seven_days():
    def funnel(*events: tuple[str, float]) -> list[int]:
        lines = [line(str(place), AT + int(day * DAY), kind) for place, (kind, day) in enumerate(events)]
        return person_funnel(oracle_of([*lines, line("end", AT + 60 * DAY, "click", anonymous_id="other")]))

    assert funnel(("view_item", 0), ("add_to_cart", 8)) == [1, 0, 0, 0]
    assert funnel(("view_item", 0), ("view_item", 5), ("add_to_cart", 8), ("begin_checkout", 11)) == [1, 1, 1, 0]
    assert funnel(*((step, place) for place, step in enumerate(STEPS))) == [1, 1, 1, 1]
    assert funnel(*((step, place * 3) for place, step in enumerate(STEPS))) == [1, 1, 1, 0]


def test_active_days_look_back_7_and_30_days_and_the_first_29_are_partial():
    lines = [line(str(day), AT + day * DAY, anonymous_id=f"v{day % 9}") for day in (0, 1, 6, 7, 29, 30)]
    lines.append(line("ping", AT + 31 * DAY, "page_ping", anonymous_id="idle"))
    rows = oracle_of(lines).tables["daily_active"]
    assert [row["visitors_7d"] for row in rows][:9] == [1, 2, 2, 2, 2, 2, 3, 3, 2]
    assert [row["is_partial"] for row in rows].count(True) == 29
    assert (rows[31]["visitors"], rows[31]["visitors_30d"]) == (0, 4)


def test_the_day_is_the_shops():
    late = line("a", "2026-03-02T23:30:00")
    assert oracle_of([late], Rules("Europe/Berlin")).today == date(2026, 3, 3)
    assert oracle_of([late], Rules("America/New_York")).today == date(2026, 3, 2)


def test_conversion_counts_sessions_with_an_order_and_persons_who_bought():
    lines = [line(f"{n}", AT, anonymous_id=f"v{n}") for n in range(40)]
    lines += [line(f"p{n}", AT + 5, "purchase", anonymous_id=f"v{n}", order_id=str(n), value="9") for n in range(4)]
    figures = Figures(oracle_of(lines), date(2026, 3, 2), date(2026, 3, 2)).kpis()
    assert figures["conversion_rate"]["value"] == figures["person_conversion_rate"]["value"] == 0.1
    assert figures["average_order_value"]["value"] is None  # four orders are too few for a mean


def test_an_average_order_rests_on_the_orders_of_its_currency():
    def figures(eur: int, usd: int) -> dict[str, dict[str, object]]:
        lines = [
            line(f"{n}", AT, "purchase", order_id=str(n), value="9", currency="EUR" if n < eur else "USD")
            for n in range(eur + usd)
        ]
        return Figures(oracle_of(lines), date(2026, 3, 2), date(2026, 3, 2)).kpis()

    enough, few = figures(30, 10), figures(25, 10)
    assert [enough["orders"]["value"], few["orders"]["value"]] == [40, 35]
    assert [(told["average_order_value"]["value"], told["average_order_value"]["n"]) for told in (enough, few)] == [
        (9.0, 30),
        (None, 25),
    ]
    assert (few["net_revenue"]["value"], few["net_revenue"]["n"]) == (225, 25)
