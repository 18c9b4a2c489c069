"""Products, and what visitors search for."""

from dashboards.report import words
from dashboards.report.figures import Figures, Row
from dashboards.report.markup import Column, Html, join, table, tag
from dashboards.report.parts import MOST_ROWS, caption_of, main_currency, no_revenue, rate, section, with_bar


def products(figures: Figures) -> Html:
    rows = [row for row in figures.products if row["views"] or row["quantity"] or row["revenue"]]
    if not rows:
        return section("products", "Products", "No product was viewed or sold in this period.")
    currency = main_currency(figures)
    most = max(float(row["revenue"]) for row in rows) or 1.0
    best = rows[0]
    text = no_revenue("product", currency)
    if best["revenue"] > 0:
        text = f"{product_name(best)} brings the most: {words.money(best['revenue'], currency)}."
    rated = [row for row in rows if row["buy_rate"] is not None]
    if rated:
        keen = max(rated, key=lambda row: (row["buy_rate"], row["product_id"]))
        text += f" {product_name(keen)} is bought most often once seen"
        text += f" ({words.percent(keen['buy_rate'])} of the visits)."
    return section(
        "products",
        "Products",
        text,
        table(
            caption_of("Products by revenue", rows),
            [
                Column("Product", "text"),
                Column("Category", "text", is_minor=True),
                Column("Seen in visits"),
                Column("Put in the cart", is_minor=True),
                Column("Bought"),
                Column("Units", is_minor=True),
                Column("Revenue"),
            ],
            (
                (
                    product_name(row),
                    words.shown(row["category"]),
                    words.count(row["views"]),
                    rate(row["add_to_cart_rate"]),
                    rate(row["buy_rate"]),
                    words.count(row["quantity"]),
                    with_bar(words.money(row["revenue"], currency), float(row["revenue"]) / most),
                )
                for row in rows[:MOST_ROWS]
            ),
        ),
        tag(
            "p",
            "Put in the cart and bought are shares of the visits that saw the product."
            " Revenue is what the items cost, before refunds, as reported by the browser.",
            class_="note",
        ),
    )


def product_name(row: Row) -> str:
    return words.shown(row["product_name"] or row["product_id"])


def search(figures: Figures) -> Html:
    rows = figures.search_terms
    if not rows:
        return section(
            "search", "What visitors search for", "Nobody searched in this period, or no search was reported."
        )
    text = f"The most frequent search is “{words.shown(rows[0]['term'])}”."
    zero = figures.zero_results
    if zero and zero["rate"] is not None:
        text += f" {words.percent(zero['rate'])} of the searches find nothing"
        text += f" ({words.count(zero['numerator'])} of {words.count(zero['n'])})."
    empty = [row for row in rows if row["zero_result_searches"]]
    if empty:
        worst = max(empty, key=lambda row: (row["zero_result_searches"], row["term"]))
        text += f" “{words.shown(worst['term'])}” is missed most: consider offering it, or another word for it."
    most = max(row["searches"] for row in rows) or 1
    return section(
        "search",
        "What visitors search for",
        text,
        table(
            caption_of("Search terms", rows),
            [
                Column("Term", "text"),
                Column("Searches"),
                Column("Found nothing"),
                Column("Visits with a later order", is_minor=True),
            ],
            (
                (
                    words.shown(row["term"]),
                    with_bar(words.count(row["searches"]), row["searches"] / most),
                    zero_cell(row),
                    rate(row["conversion_rate"]),
                )
                for row in rows[:MOST_ROWS]
            ),
            is_caption_shown=len(rows) > MOST_ROWS,
        ),
    )


def zero_cell(row: Row) -> Html:
    share = row["zero_result_rate"]
    return join(
        [
            words.count(row["zero_result_searches"]),
            tag("small", f"{words.percent(share, 0)} of them") if share else "",
        ]
    )
