"""A lake that agrees is sound; one wrong number anywhere is found, and named."""

from dataclasses import replace
from typing import Any

import pytest

from clicklake.verify.checks import OF_ALL_TIME, OF_PERIODS, Check, check_credits, check_lake
from clicklake.verify.compare import KEYS, is_same
from clicklake.verify.lake import VIEWS
from clicklake.verify.oracle import Oracle
from glue_jobs.tables import TABLES

from .lakes import DAY, NOON, lake_of, line, ms, oracle_of

AT = ms(NOON)
ITEM = {"product_id": "p", "name": "Cable", "price": "9.5", "qty": 2}


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    kinds = ("page_view", "view_item", "search", "add_to_cart", "begin_checkout", "purchase")
    lines = [
        line(f"{visitor}{place}", AT + visitor * DAY // 9 + place * 1_000, kind, anonymous_id=f"v{visitor}",
             items=[ITEM], order_id=f"o{visitor}" if kind == "purchase" else None, user_id=f"1.{visitor % 3}",
             props={"search_query": "cable", "results_count": 0} if kind == "search" else None)
        for visitor in range(40)
        for place, kind in enumerate(kinds)
    ]  # fmt: skip
    lines += [line("r", AT + DAY, "refund", order_id="o1", refund_id="r"), line("00", ingest_id="again"), "noise"]
    return oracle_of(lines)


def wrong(checks: list[Check]) -> list[str]:
    return [f"{check.part}: {check.name}" for check in checks if not check.is_sound]


def test_a_lake_that_says_what_the_oracle_says_is_sound(oracle: Oracle):
    checks = check_lake(lake_of(oracle), oracle)
    assert wrong(checks) == []
    assert {check.part for check in checks} == {"tables", "ledger", "figures"}


@pytest.mark.parametrize("table", KEYS)
def test_a_wrong_value_a_missing_row_and_a_row_too_many_are_found_in_every_table(oracle: Oracle, table: str):
    lake = lake_of(oracle)
    columns = lake.tables[table]
    column = next(name for name in reversed(columns) if name not in KEYS[table])
    changed = {**columns, column: [*columns[column][:-1], "wrong"]}
    shorter = {name: values[:-1] for name, values in columns.items()}
    twice = {name: [*values, values[0]] for name, values in columns.items()}
    for spoiled, told in ((changed, f"1 x {column}"), (shorter, "1 x (row)"), (twice, "1 x (row)")):
        found = check_lake(replace(lake, tables={**lake.tables, table: spoiled}), oracle)
        [check] = [check for check in found if not check.is_sound and check.part == "tables"]
        assert check.name == table
        assert told in check.remark


@pytest.mark.parametrize(
    ("view", "column", "name"),
    [
        ("kpis", "value", "figures: all: sessions"),
        ("funnel", "sessions", "figures: all: funnel view_item"),
        ("funnel", "share_of_first_low", "figures: all: funnel view_item"),
        ("traffic", "bot_events", "figures: all: traffic"),
        ("money", "average_order_value", "figures: all: orders and money"),
        ("segments", "orders", "figures: all: segments"),
        ("segments", "conversion_low", "figures: all: segments"),
        ("products", "views", "figures: all: products"),
        ("products", "add_to_cart_rate", "figures: all: products"),
        ("terms", "searches", "figures: all: search terms"),
        ("terms", "conversion_high", "figures: all: search terms"),
        ("zero_results", "rate", "figures: all: searches without a result"),
        ("days", "conversion_rate", "figures: all: every day"),
        ("currencies", "orders", "figures: all: currencies"),
        ("freshness", "as_of", "figures: all: how far the lake reaches"),
        ("refusals", "lines", "ledger: refused by reason and field"),
        ("ledger", "stored", "ledger: stored"),
        ("recount", "stored", "ledger: the ledger counted again"),
    ],
)
def test_a_wrong_figure_a_missing_row_and_a_row_too_many_are_found_in_every_view(
    oracle: Oracle, view: str, column: str, name: str
):
    lake = lake_of(oracle)
    first, *others = lake.views[view]
    spoiled: list[list[Any]] = [[{**first, column: (first[column] or 0) + 1}, *others]]
    if view in OF_PERIODS or view in OF_ALL_TIME:
        spoiled += [others, [first, first, *others]]
    for rows in spoiled:
        assert wrong(check_lake(replace(lake, views={**lake.views, view: rows}), oracle)) == [name]


def test_every_view_that_is_read_is_compared(oracle: Oracle):
    assert set(VIEWS) == set(lake_of(oracle).views) == {"kpis", "funnel", "ledger", *OF_PERIODS, *OF_ALL_TIME}


def test_the_oracle_knows_every_column_of_every_compared_table(oracle: Oracle):
    not_told = {"run_id", "written_at", "object_date", "object_hour", "bytes", "error", "max_received_at"}
    for name, rows in oracle.tables.items():
        assert set(TABLES[name].column_names) - set(rows[0]) <= not_told, name
        assert KEYS[name] == TABLES[name].key
    assert set(TABLES) - set(KEYS) == {"refresh_runs", "restatements"}


def test_counts_and_money_are_compared_exactly_and_other_numbers_within_a_billionth():
    assert is_same(0.1 + 0.2, 0.3)
    assert not is_same(0.3, 0.3000001)
    assert not is_same(3, 4)
    assert not is_same(None, 0.0)


def test_credits_that_do_not_add_up_to_the_orders_of_the_lake_are_found(oracle: Oracle):
    orders = dict(lake_of(oracle).tables["orders"])
    orders["net_revenue"] = [orders["net_revenue"][0] + 1, *orders["net_revenue"][1:]]
    sound, spoiled = check_credits(lake_of(oracle).tables["orders"], oracle), check_credits(orders, oracle)
    assert (sound.is_sound, sound.lake) == (True, "741.00 EUR")
    assert (spoiled.is_sound, spoiled.lake, spoiled.expected) == (False, "742.00 EUR", "741.00 EUR")


def test_empty_lakes_are_equal():
    empty = oracle_of([])
    assert wrong(check_lake(lake_of(empty), empty)) == []


def test_a_quick_comparison_looks_at_the_columns_of_events_that_decide(oracle: Oracle):
    lake = lake_of(oracle)
    events = lake.tables["events"]
    for column, is_noticed in (("page_title", False), ("user_id", True)):
        spoiled = {**events, column: ["x"] * len(events[column])}
        found = wrong(check_lake(replace(lake, tables={**lake.tables, "events": spoiled}), oracle, is_quick=True))
        assert bool(found) is is_noticed
