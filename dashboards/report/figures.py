"""What the report shows, read through views and saved queries. No metric is computed here."""

from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Protocol

import pyarrow as pa

Row = dict[str, Any]


class Engine(Protocol):
    """Anything that answers Athena's SQL with an Arrow table."""

    def query(self, sql: str) -> pa.Table: ...


@dataclass(frozen=True)
class Period:
    first_date: date
    last_date: date
    days: int


@dataclass(frozen=True)
class Figures:
    """`current` and `previous` are key figures by metric; `previous` is empty without enough history."""

    min_n: int
    as_of: datetime
    refreshed_at: datetime
    period: Period
    before: Period | None
    current: dict[str, Row]
    previous: dict[str, Row]
    days: list[Row]
    funnel: list[Row]
    products: list[Row]
    channels: list[Row]
    countries: list[Row]
    devices: list[Row]
    search_terms: list[Row]
    zero_results: Row | None
    traffic: Row
    currencies: list[Row]
    order_totals: list[Row]
    ledger: Row
    recount: Row
    refused: list[Row]
    restated: list[Row]


def read_figures(engine: Engine) -> Figures | None:
    """None while no refresh with events has been completed."""

    def rows(sql: str) -> list[Row]:
        return engine.query(sql).to_pylist()

    freshness = rows("select as_of, refreshed_at from data_freshness where as_of is not null")
    periods = {
        row["period"]: Period(row["first_date"], row["last_date"], row["days"])
        for row in rows("select period, first_date, last_date, days from periods where grain = 'range'")
    }
    if not freshness or "current" not in periods:
        return None
    key_figures = rows("select * from kpis where period in ('current', 'previous') order by position")
    return Figures(
        min_n=rows("select min_n from metric_settings")[0]["min_n"],
        as_of=freshness[0]["as_of"],
        refreshed_at=freshness[0]["refreshed_at"],
        period=periods["current"],
        before=periods.get("previous"),
        current={row["metric"]: row for row in key_figures if row["period"] == "current"},
        previous={row["metric"]: row for row in key_figures if row["period"] == "previous"},
        days=rows(saved("daily_kpis")),
        funnel=rows(saved("funnel")),
        products=rows(saved("products")),
        channels=rows(saved("channels")),
        countries=rows(saved("countries")),
        devices=rows(saved("devices")),
        search_terms=rows(saved("search_terms")),
        zero_results=first(
            rows("select * from rates where period = 'current' and dimension = 'total' and metric = 'zero_result_rate'")
        ),
        traffic=first(rows("select * from traffic_by_period where period = 'current' and dimension = 'total'")) or {},
        currencies=rows("select currency, orders, net_revenue, is_main from currencies order by orders desc, currency"),
        order_totals=rows("select * from orders_by_period where period = 'current' and dimension = 'total'"),
        ledger=first(rows("select * from ledger where run_id = 'total'")) or {},
        recount=first(rows("select * from ledger_recount")) or {},
        refused=rows(saved("refused_lines")),
        restated=rows(saved("restatements")),
    )


def saved(name: str) -> str:
    return files("athena_queries").joinpath("saved").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None
