"""What the sections share."""

from collections.abc import Sequence

from dashboards.report import words
from dashboards.report.charts import bar
from dashboards.report.figures import Figures, Row
from dashboards.report.markup import Html, join, safe, tag

MOST_ROWS = 15
# The channel of orders without consent.
NOT_CONSENTED = "(not consented)"


def section(name: str, title: str, lead: object, *content: object) -> Html:
    return tag(
        "section",
        tag("h2", title, id=name),
        tag("p", lead, class_="lead") if lead else "",
        *content,
        aria_labelledby=name,
    )


def main_currency(figures: Figures) -> str | None:
    return next((row["currency"] for row in figures.currencies if row["is_main"]), None)


def no_revenue(what: str, currency: str | None) -> str:
    unit = f" in {words.shown(currency)}" if currency else ""
    return f"No {what} brings revenue{unit} in this period."


def period_words(figures: Figures) -> str:
    if figures.period.days > 1:
        return f"in the last {figures.period.days} full days"
    is_over = figures.period.last_date < figures.days[-1]["event_date"]
    return "on the last full day" if is_over else "on the first day, which is not over"


def relative_change(row: Row | None, before: Row | None, min_n: int) -> float | None:
    """How much a count or an amount grew; None where there is too little to compare with."""
    if not row or not before or row["value"] is None or not before["value"] or before["value"] < 0:
        return None
    if max(cases(row), cases(before)) < min_n:
        return None
    return row["value"] / before["value"] - 1


def cases(row: Row) -> float:
    """How many an amount rests on; a count rests on itself."""
    return row["value"] if row["unit"] == "count" else row["n"] or 0


def rate(value: float | None) -> Html:
    return tag("span", words.NOT_ENOUGH, class_="none") if value is None else safe(words.percent(value))


def with_bar(text: str, share: float) -> Html:
    return join([safe(text), bar(share)])


def caption_of(text: str, rows: Sequence[Row]) -> str:
    return text if len(rows) <= MOST_ROWS else f"{text}, the first {MOST_ROWS} of {len(rows)}"
