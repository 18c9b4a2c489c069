"""The report: whole, offline, safe with any data, and honest where data is thin."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from clicklake.local.sql import Engine
from dashboards.report import render
from dashboards.report.behaviour import every_day
from dashboards.report.charts import Point, nice_ceiling, trend
from dashboards.report.figures import read_figures
from dashboards.report.trust import glossary
from tests.sql.engines import open_tables
from tests.unit.report.sample_lake import make_tables

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """The elements of a page; unclosed or crossing tags are noted as faults."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def words(self) -> str:
        return " ".join(" ".join(text for kind, text in self.texts if kind not in ("style", "title")).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def lake() -> dict[str, pa.Table]:
    return make_tables()


@pytest.fixture(scope="module")
def engine(lake: dict[str, pa.Table]) -> Engine:
    return open_tables(lake)


@pytest.fixture(scope="module")
def text(engine: Engine) -> str:
    return render(engine)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_is_one_small_file_that_loads_nothing(text: str, page: Page) -> None:
    assert len(text.encode()) < 500_000
    assert not page.faults and not page.open
    assert {name for name, _ in page.tags} & {
        "script",
        "link",
        "iframe",
        "img",
        "object",
        "form",
        "a",
    } == set()
    for _, attributes in page.tags:
        assert not {"src", "href", "srcset", "action", "data"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    style = next(text for kind, text in page.texts if kind == "style")
    assert "url(" not in style and "@import" not in style and "http" not in style


def test_the_same_lake_gives_the_same_bytes(engine: Engine, text: str) -> None:
    assert render(engine) == text


def test_what_visitors_typed_is_shown_and_never_run(text: str, page: Page) -> None:
    assert "<script" not in text
    cells = [text for kind, text in page.texts if kind == "th"]
    assert "<script>alert('x')</script>" in cells
    assert '=hyperlink("http://x.test")' in cells
    assert 'Laptop Max <13">' in cells
    policy = next(tag["content"] for tag in page.of("meta") if tag.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "default-src 'none'" in policy and "script-src" not in policy


HOSTILE = (
    "</style></title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "&lt;b&gt;",
    "\u202egnp.exe\x00",
    "x" * 10_000,
    "<!--",
)


def test_any_name_from_outside_stays_text(lake: dict[str, pa.Table]) -> None:
    tables = dict(lake)
    for name, columns in {
        "daily_traffic": ["value"],
        "daily_products": ["product_name", "category"],
        "quarantine": ["reason", "field"],
        "sessions": ["country_name"],
    }.items():
        for column in columns:
            index = tables[name].schema.get_field_index(column)
            values = tables[name].column(column).to_pylist()
            known = {
                value: HOSTILE[number % len(HOSTILE)] for number, value in enumerate(sorted({*values} - {None, "all"}))
            }
            renamed = pa.array([known.get(value, value) for value in values], pa.string())
            tables[name] = tables[name].set_column(index, column, renamed)
    page = Page(render(open_tables(tables)))
    assert not page.faults and not page.open
    assert {name for name, _ in page.tags} & {"script", "img", "b"} == set()
    assert not any("onerror" in attributes or "onmouseover" in attributes for _, attributes in page.tags)
    assert "<img src=x onerror=alert(1)>" in page.words() and "&lt;b&gt;" in page.words()
    assert "\u202e" not in page.words() and "x" * 100 not in page.words()


def test_numbers_are_those_of_the_views(engine: Engine, page: Page) -> None:
    figures = {
        row["metric"]: row["value"] for row in engine.query("select * from kpis where period = 'current'").to_pylist()
    }
    words = page.words()
    assert f"Orders {figures['orders']:,.0f} " in words
    assert f"Visits {figures['sessions']:,.0f} " in words
    assert f"Net revenue €{figures['net_revenue']:,.0f} " in words
    assert f"Visits with an order {100 * figures['conversion_rate']:.1f}% " in words
    for step in engine.query("select * from funnel where period = 'current'").to_pylist():
        assert f"{step['sessions']:,}" in words


def test_every_section_has_a_heading_and_every_table_a_caption(page: Page) -> None:
    headings = [tag["id"] for tag in page.of("h2")]
    assert headings == [
        "key-figures",
        "days",
        "funnel",
        "products",
        "channels",
        "countries",
        "devices",
        "apart",
        "search",
        "ledger",
        "glossary",
    ]
    assert [tag["aria-labelledby"] for tag in page.of("section")] == headings
    assert len(page.of("caption")) == len(page.of("table")) > 5
    assert all(tag.get("scope") in ("col", "row") for tag in page.of("th"))
    assert all(tag.get("aria-label") for tag in page.of("svg"))
    assert page.of("html")[0]["lang"] == "en" and len(page.of("h1")) == 1


def test_fewer_than_thirty_are_not_enough_data(page: Page) -> None:
    assert re.search(r"AI Assistants \d+ not enough data", page.words())


def test_revenue_is_labelled_as_reported_by_the_browser(page: Page) -> None:
    assert page.words().lower().count("reported by the browser") >= 4


def test_the_average_order_names_its_currency(page: Page) -> None:
    assert "net revenue per order in EUR, as reported by the browser" in page.words()


def test_the_last_day_is_marked_as_not_over(page: Page) -> None:
    assert "is not over and is drawn apart" in page.words()
    assert "29\u00a0Apr\u00a02026 (not over)" in " ".join(text for _, text in page.texts)


def test_a_balanced_ledger_says_yes(page: Page) -> None:
    assert "Yes. All 32,193 lines that came in are accounted for" in page.words()


def test_numbers_that_changed_after_their_day_was_over_are_listed(page: Page) -> None:
    words = page.words().replace("\u00a0", " ")
    assert "26 Apr 2026 Visits 1,250 1,262" in words
    assert "26 Apr 2026 Net revenue CHF 1,999 CHF 1,850" in words
    assert "26 Apr 2026 Orders in EUR 0 1" in words


def test_visits_like_a_bots_are_shown_apart(page: Page) -> None:
    assert "Visits like a bot's 56 visits" in page.words().replace("\u00a0", " ")


def test_a_missing_line_is_told_in_words(lake: dict[str, pa.Table]) -> None:
    runs = lake["refresh_runs"]
    index = runs.schema.get_field_index("total_stored")
    fewer = pa.array([runs.column("total_stored")[0].as_py() - 2], pa.int64())
    words = Page(render(open_tables({**lake, "refresh_runs": runs.set_column(index, "total_stored", fewer)}))).words()
    assert "Not now: 2 lines missing." in words and "Not balanced" in words


def test_a_recount_that_differs_is_told_in_words(lake: dict[str, pa.Table]) -> None:
    words = Page(render(open_tables({**lake, "events": lake["events"].slice(1)}))).words()
    assert "Not now: a second count of the tables gives other numbers" in words


def test_an_empty_lake_says_what_to_do() -> None:
    empty = Page(render(open_tables(make_tables(days=0))))
    assert "Send events, refresh, and look again" in empty.words() and not empty.faults


@pytest.mark.parametrize("number", [1, 9])
def test_a_young_shop_has_a_report(number: int) -> None:
    young = Page(render(open_tables(make_tables(days=number, sessions_a_day=6))))
    assert not young.faults and "Key figures" in young.words()
    assert "nan" not in young.words().lower().split() and "None" not in young.words()


def test_days_without_events_are_drawn_as_zero() -> None:
    rows = [
        {
            "event_date": date(2026, 1, day),
            "sessions": 5,
            "orders": 1,
            "net_revenue": 2,
            "is_complete": day < 4,
            "visitors": 1,
        }
        for day in (1, 4)
    ]
    assert [(row["event_date"].day, row["sessions"]) for row in every_day(rows)] == [
        (1, 5),
        (2, 0),
        (3, 0),
        (4, 5),
    ]


def test_days_with_more_refunds_than_sales_reach_below_zero() -> None:
    drawing = trend("Money", [Point("a", 50.0, "a"), Point("b", -20.0, "b")], str, as_bars=True)
    assert "-20" in drawing and "NaN" not in drawing


@pytest.mark.parametrize(
    ("most", "least", "written"),
    [
        (50, 0, "50 25 0"),
        (1, 0, "1 0"),
        (5, 0, "5 0"),
        (50, -20, "50 0 -20"),
        (4_000, -40, "4000 2000 0"),
        (1, -50, "0 -25 -50"),
    ],
)
def test_values_beside_a_chart_do_not_overlap(most: float, least: float, written: str) -> None:
    points = [Point("", most, ""), Point("", least, "")]
    drawing = trend("Money", points, lambda value: f"<{value:.0f}>", as_bars=True)
    assert re.findall(r"&lt;(-?\d+)&gt;", drawing) == written.split()


@pytest.mark.parametrize(
    ("value", "top"), [(0, 0), (1, 1), (3, 4), (7, 8), (11, 20), (99, 100), (101, 200), (0.3, 0.4)]
)
def test_an_axis_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice_ceiling(value) == pytest.approx(top)


def test_figures_are_absent_before_the_first_refresh() -> None:
    assert read_figures(open_tables(make_tables(days=0))) is None


def test_the_glossary_says_how_few_cases_are_too_few(engine: Engine) -> None:
    figures = read_figures(engine)
    assert figures is not None and f"Fewer than {figures.min_n} cases" in str(glossary(figures))
    assert "Fewer than 50 cases" in str(glossary(replace(figures, min_n=50)))


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, name, pa.array(values, table.schema.field(name).type))


def test_orders_without_consent_are_no_channel_that_brings_revenue(lake: dict[str, pa.Table]) -> None:
    orders = lake["daily_orders"]
    most = [{"Organic Search": "(not consented)"}.get(value, value) for value in orders["value"].to_pylist()]
    words = Page(render(open_tables({**lake, "daily_orders": with_column(orders, "value", most)}))).words()
    assert "Direct brings the most revenue" in words and "(not consented) brings" not in words


def test_no_revenue_is_not_the_most(lake: dict[str, pa.Table]) -> None:
    orders, products = lake["daily_orders"], lake["daily_products"]
    tables = {
        **lake,
        "daily_orders": with_column(orders, "net_revenue", [-5] * orders.num_rows),
        "daily_products": with_column(products, "revenue", [0] * products.num_rows),
    }
    text = render(open_tables(tables))
    words = Page(text).words()
    assert "brings the most" not in words and "The best day" not in words
    assert "No channel brings revenue in EUR" in words and "No product brings revenue in EUR" in words
    channels = text[text.index('id="channels"') : text.index('id="countries"')]
    assert set(re.findall(r"width:([0-9.]+)%", channels)) == {"0.00"}


def test_orders_without_a_visit_make_no_country_the_first(lake: dict[str, pa.Table]) -> None:
    traffic = lake["daily_traffic"]
    words = Page(
        render(open_tables({**lake, "daily_traffic": with_column(traffic, "sessions", [0] * traffic.num_rows)}))
    ).words()
    assert "sends the most visits" not in words


def test_orders_in_other_currencies_are_not_said_to_have_brought_the_revenue(engine: Engine, page: Page) -> None:
    rows = engine.query("select * from orders_by_period where period = 'current' and dimension = 'total'").to_pylist()
    others = sum(row["orders"] for row in rows if not row["is_main"])
    assert others and f"after refunds ({others} orders in other currencies not included)" in page.words()
    assert re.search(r"The best day was .* with €[\d,]+ and \d+ orders\.", page.words().replace("\u00a0", " "))


def test_orders_by_bots_are_told_in_all_currencies(lake: dict[str, pa.Table]) -> None:
    orders = lake["daily_orders"]
    by_bots = [int(dimension == "total") for dimension in orders["dimension"].to_pylist()]
    engine = open_tables({**lake, "daily_orders": with_column(orders, "bot_orders", by_bots)})
    sql = "select sum(bot_orders) as n from orders_by_period where period = 'current' and dimension = 'total'"
    told = engine.query(sql).to_pylist()[0]["n"]
    assert told > 28 and f"Orders by bots {told} orders" in Page(render(engine)).words()
