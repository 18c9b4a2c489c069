"""The lake beside the oracle, as a list of checks: tables, ledger, key figures. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from clicklake.verify.attribution import MODELS
from clicklake.verify.compare import KEYS, Columns, Row, TableComparison, compare_table, is_same
from clicklake.verify.kpis import Figures, overall
from clicklake.verify.lines import core_row
from clicklake.verify.oracle import Oracle


@dataclass(frozen=True)
class Check:
    """One number of the lake beside what it should be. `is_sound`: equal, or different for the stated reason."""

    part: str
    name: str
    lake: str
    expected: str
    is_sound: bool
    remark: str = ""


@dataclass(frozen=True)
class LakeSide:
    """What was read of the lake: tables by columns, and the rows of its views."""

    tables: Mapping[str, Columns]
    periods: Sequence[Row]
    views: Mapping[str, Sequence[Row]]


def check_lake(lake: LakeSide, oracle: Oracle, *, is_quick: bool = False) -> list[Check]:
    """Every table row by row, the ledger, and every figure of every period."""
    return [
        *check_tables(lake.tables, oracle, is_quick),
        *check_ledger(lake.views["ledger"], oracle),
        *check_figures(lake, oracle),
        *check_overall(lake.views, oracle),
        check_credits(lake.tables["orders"], oracle),
    ]


def check_tables(tables: Mapping[str, Columns], oracle: Oracle, is_quick: bool) -> Iterator[Check]:
    for name in KEYS:
        is_core = is_quick and name == "events"
        expected = list(map(core_row, oracle.outcomes.events)) if is_core else oracle.tables[name]
        compared = compare_table(name, tables[name], expected)
        yield Check(
            "tables", name, f"{compared.lake_rows:,} rows", f"{compared.oracle_rows:,} rows", compared.is_equal,
            "; ".join(_told(compared)),
        )  # fmt: skip


def _told(compared: TableComparison) -> Iterator[str]:
    for column, count in compared.columns.most_common():
        example = compared.examples(column)[0]
        key = ", ".join(map(str, example.key))
        sides = f"{_short(example.lake)} in the lake, {_short(example.oracle)} expected"
        yield f"{count:,} x {column}, as in ({key}): {sides}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_ledger(rows: Sequence[Row], oracle: Oracle) -> Iterator[Check]:
    found = rows[0] if rows else {}
    for name, expected in oracle.ledger.items():
        yield _figure("ledger", name, found.get(name), expected)
    is_balanced = oracle.ledger["received"] == sum(oracle.ledger.values()) - oracle.ledger["received"]
    yield _figure("ledger", "is_balanced", found.get("is_balanced"), is_balanced)


# The views that are compared row by row, by the columns their rows are found again by.
OF_PERIODS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "traffic": ("traffic", ("dimension", "value")),
    "money": ("orders and money", ("currency", "dimension", "value")),
    "segments": ("segments", ("dimension", "value")),
    "products": ("products", ("product_id",)),
    "terms": ("search terms", ("term",)),
    "zero_results": ("searches without a result", ()),
}
OF_ALL_TIME: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "days": ("every day", ("event_date",)),
    "currencies": ("currencies", ("currency",)),
    "refusals": ("refused by reason and field", ("reason", "field")),
    "freshness": ("how far the lake reaches", ()),
    "recount": ("the ledger counted again", ()),
}


def check_figures(lake: LakeSide, oracle: Oracle) -> Iterator[Check]:
    """Key figures and funnel one by one; what has many rows, as segments and products, as one line each and period."""
    for period in lake.periods:
        name, first, last = period["period"], period["first_date"], period["last_date"]
        figures = Figures(oracle, _as_date(first), _as_date(last))
        rows = {view: [row for row in found if row.get("period") == name] for view, found in lake.views.items()}
        kpis = {row["metric"]: row for row in rows["kpis"]}
        for metric, expected in figures.kpis().items():
            found = kpis.get(metric, {})
            is_equal = all(is_same(found.get(part), told) for part, told in expected.items())
            yield Check(
                "figures", f"{name}: {metric}", _number(found.get("value")), _number(expected["value"]), is_equal,
                "" if is_equal else f"lake {dict(found)}, expected {expected}",
            )  # fmt: skip
        steps = {row["step"]: row for row in rows["funnel"]}
        for step, expected in figures.funnel().items():
            found = steps.get(step, {})
            wrong = [part for part, told in expected.items() if not is_same(found.get(part), told)]
            yield Check(
                "figures", f"{name}: funnel {expected['step_name']}", _number(found.get("sessions")),
                _number(expected["sessions"]), not wrong, f"differs in {', '.join(wrong)}" if wrong else "",
            )  # fmt: skip
        for view, expected in figures.rows().items():
            title, key = OF_PERIODS[view]
            yield _rows_check("figures", f"{name}: {title}", rows[view], key, expected)


def check_overall(views: Mapping[str, Sequence[Row]], oracle: Oracle) -> Iterator[Check]:
    """What is of no period, as one line each."""
    for view, expected in overall(oracle).items():
        title, key = OF_ALL_TIME[view]
        part = "ledger" if view in ("refusals", "recount") else "figures"
        yield _rows_check(part, title if part == "ledger" else f"all: {title}", views[view], key, expected)


def _rows_check(
    part: str, name: str, rows: Sequence[Row], key: Sequence[str], expected: Mapping[tuple[Any, ...], Row]
) -> Check:
    """Every row of both sides, and every column that is expected."""
    found = {tuple(row[column] for column in key): row for row in rows}
    wrong = [
        (place, "(row)", *("one" if place in side else "none" for side in (found, expected)))
        for place in sorted(found.keys() ^ expected.keys(), key=repr)
    ]
    wrong += [
        (place, column, found[place].get(column), told)
        for place, row in expected.items()
        if place in found
        for column, told in row.items()
        if not is_same(found[place].get(column), told)
    ]
    remark = f"{len(rows) - len(found):,} rows stand twice" if len(rows) > len(found) else ""
    if wrong:
        place, column, ours, theirs = wrong[0]
        where = f" of {', '.join(map(str, place))}" if place else ""
        remark = f"{len(wrong):,} differ, as {column}{where}: {ours} in the lake, {theirs} expected"
    return Check(part, name, f"{len(rows):,} rows", f"{len(expected):,} rows", not remark, remark)


def check_credits(orders: Columns, oracle: Oracle) -> Check:
    """Attribution is not a table yet: the credits of each model have to add up to the lake's orders, per currency."""
    net: dict[str, Decimal] = defaultdict(Decimal)
    for currency, ordered_at, revenue in zip(*map(orders.__getitem__, _OF_AN_ORDER), strict=True):
        if ordered_at is not None:
            net[currency] += revenue or 0
    credited = {model: oracle.credited(model) for model in MODELS}
    wrong = [model for model, told in credited.items() if told != net]
    shown = credited[wrong[0]] if wrong else net
    return Check(
        "figures", "all: credits of all attribution models", _sums(net), _sums(shown), not wrong,
        f"not so in {', '.join(wrong)}" if wrong else f"{len(MODELS)} models, to the cent and per currency",
    )  # fmt: skip


_OF_AN_ORDER = ("currency", "ordered_at", "net_revenue")


def _sums(money: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(money.items(), key=str)) or "-"


def _figure(part: str, name: str, lake: Any, expected: Any) -> Check:
    return Check(part, name, _number(lake), _number(expected), is_same(lake, expected))


def _number(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    number = float(value)
    if number.is_integer() and not isinstance(value, Decimal):
        return f"{number:,.0f}"
    return f"{number:,.2f}" if abs(number) >= 10 or isinstance(value, Decimal) else f"{number:.4g}"


def _as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
