"""The views over the oracle's own tables say what the oracle says: two readings of what a figure is."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from clicklake.verify.checks import Check, check_lake
from clicklake.verify.compare import KEYS
from clicklake.verify.lake import read_lake
from clicklake.verify.oracle import Oracle
from tests.sql.engines import open_folder, open_tables

from .conftest import Shop
from .lakes import DAY, MINUTE, NOON, line, ms, oracle_of

AT = ms(NOON)


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Schema]:
    empty = open_folder(tmp_path_factory.mktemp("empty"))
    return {name: empty.query(f"select * from {name}").schema for name in (*KEYS, "refresh_runs")}


def differences(oracle: Oracle, types: dict[str, pa.Schema]) -> list[Check]:
    """What the real views find otherwise in a lake that holds the oracle's tables."""
    rows = {name: oracle.tables[name] for name in KEYS} | {"refresh_runs": [_run(oracle)]}
    tables = {name: _table(rows[name], schema) for name, schema in types.items()}
    columns = {name: list(oracle.tables[name][0]) if oracle.tables[name] else () for name in KEYS}
    side = read_lake(open_tables(tables).query, {name: each or types[name].names for name, each in columns.items()})
    return [check for check in check_lake(side, oracle) if not check.is_sound]


def _run(oracle: Oracle) -> dict[str, Any]:
    """The last run's record."""
    ledger = {"quarantined": oracle.ledger["quarantined"], **oracle.ledger}
    return {
        "run_id": "r",
        "completed_at": AT,
        "as_of": oracle.outcomes.as_of,
        "today": oracle.today,
        "total_lines": ledger.pop("received"),
        **{f"total_{name}": lines for name, lines in ledger.items()},
    }


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.table(
        {field.name: pa.array([_value(field, row.get(field.name)) for row in rows], field.type) for field in schema},
        schema=schema,
    )


def _value(field: pa.Field, value: Any) -> Any:
    match value:
        case int() if pa.types.is_timestamp(field.type):
            return datetime.fromtimestamp(value / 1000, UTC).replace(tzinfo=None)
        case list() if field.name == "refunds":
            return [{**each, "refunded_at": datetime.fromtimestamp(each["refunded_at"] / 1000)} for each in value]
    return value


def test_the_views_say_what_the_oracle_says_of_a_few_days_of_the_shop(shop: Shop, types):
    assert differences(shop.oracle, types) == []


def test_they_agree_where_currencies_differ_visits_go_on_and_days_are_empty(types):
    kinds = ("page_view", "view_item", "search", "add_to_cart", "begin_checkout", "purchase")
    told = {"search_query": " Cable", "results_count": 0}
    lines = [
        line(f"{visitor}.{place}", AT + (visitor % 5) * 3 * DAY + place * (1 + visitor) * 1_000, kind,
             anonymous_id=f"v{visitor}", items=[{"product_id": "p", "name": "Cable", "price": "9.5", "qty": 2}],
             props=(told if visitor % 3 else {"search_query": "cable"}) if kind == "search" else None,
             order_id=f"o{visitor}" if kind == "purchase" else None, user_id=f"1.{visitor % 70}",
             currency="USD" if visitor % 4 == 0 else None)
        for visitor in range(100)
        for place, kind in enumerate(kinds[: 1 + visitor % 7])
    ]  # fmt: skip
    lines += [line(f"r{n}", AT + 13 * DAY, "refund", order_id=f"o{n}", refund_id=f"r{n}") for n in (5, 6, 12, 13)]
    lines += [
        line(f"open{n}.{kind}", AT + 14 * DAY + place * 9 * MINUTE, kind, anonymous_id=f"open{n}")
        for n in range(60)
        for place, kind in enumerate(kinds[1:4])
    ]
    lines.append("noise")
    assert differences(oracle_of(lines), types) == []


def test_they_agree_on_how_a_term_is_spelled(types):
    spaces = (" ", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\x85", "\u200b", "\u180e")
    terms = ("CABLE", "USB C", "ΚΑΛΩΔΙΟΣ", "İSTANBUL", "ǅ", "")
    queries = [spelled for term in terms for space in spaces for spelled in (term, space + term, term + space)]
    lines = [
        line(f"e{place}", AT + place * 1_000, "search", anonymous_id="v", props={"search_query": query})
        for place, query in enumerate(queries)
    ]
    assert differences(oracle_of(lines), types) == []


@pytest.mark.parametrize("lines", [[], [line("bot", is_bot=True)], [line("a", consent=None, anonymous_id=None)]])
def test_they_agree_where_next_to_nothing_happened(types, lines):
    assert differences(oracle_of(lines), types) == []
