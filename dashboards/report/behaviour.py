"""Key figures, days and the funnel: how the shop did."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from dashboards.report import words
from dashboards.report.charts import Point, bar, trend
from dashboards.report.figures import Figures, Row
from dashboards.report.markup import Column, Html, table, tag
from dashboards.report.parts import period_words, rate, relative_change, section

# {unit} is the unit of the figure: of money, its currency.
KEY_FIGURES: Sequence[tuple[str, str, str]] = (
    ("net_revenue", "Net revenue", "goods sold less refunds, as reported by the browser"),
    ("orders", "Orders", "in all currencies"),
    ("conversion_rate", "Visits with an order", "of all visits"),
    ("average_order_value", "Average order", "net revenue per order in {unit}, as reported by the browser"),
    ("sessions", "Visits", "half an hour without a click ends one"),
    ("visitors", "Visitors", "browsers seen"),
    ("persons", "Persons", "one person on two devices counts once"),
    ("person_conversion_rate", "Persons who bought", "of all active persons"),
    ("engagement_rate", "Engaged visits", "10 seconds, two pages, or a cart"),
    ("bounce_rate", "Bounced visits", "came and left without any of that"),
    ("median_session_duration", "Length of a visit", "half of the visits are shorter"),
    ("engaged_time_per_session", "Attention per visit", "mean time with the page in view"),
)


LESS_IS_BETTER = frozenset({"bounce_rate"})


def key_figures(figures: Figures) -> Html:
    tiles = [
        key_figure(figures, metric, title, note) for metric, title, note in KEY_FIGURES if metric in figures.current
    ]
    compared = (
        f"The arrows compare with the {words.days(figures.period.days)} before"
        f" ({words.short_day(figures.before.first_date)} to {words.short_day(figures.before.last_date)})."
        if figures.before
        else "There is no earlier time to compare with yet."
    )
    lead = f"How the shop did {period_words(figures)}. {compared}"
    return section("key-figures", "Key figures", lead, tag("ul", *tiles, class_="tiles"))


def key_figure(figures: Figures, metric: str, title: str, note: str) -> Html:
    row, before = figures.current[metric], figures.previous.get(metric)
    value = figure_words(row)
    range_text = words.interval(row["low"], row["high"])
    note = note.format(unit=words.shown(row["unit"]))
    return tag(
        "li",
        tag("h3", title),
        tag("p", value, class_="figure" if value != words.NOT_ENOUGH else "figure none"),
        tag("p", change_words(row, before, figures.min_n), class_="change") if figures.before else "",
        tag("p", note, f"; likely {range_text}" if range_text else "", class_="note"),
    )


def figure_words(row: Row) -> str:
    match row["unit"]:
        case "rate":
            return words.percent(row["value"])
        case "seconds":
            return words.seconds(row["value"])
        case "count":
            return words.count(row["value"])
        case "ratio":
            return words.NOT_ENOUGH if row["value"] is None else f"{row['value']:.1f}"
    return words.money(row["value"], row["unit"], places=2 if row["metric"] == "average_order_value" else 0)


def change_words(row: Row, before: Row | None, min_n: int) -> Html:
    if before is None or before["value"] is None or row["value"] is None:
        return tag("span", "too few to compare", class_="flat")
    if row["unit"] == "rate":
        difference = row["value"] - before["value"]
        text = f"{abs(100 * difference):.1f} points"
        # Two intervals that overlap may be one truth seen twice.
        is_clear = row["low"] > before["high"] or row["high"] < before["low"]
    else:
        change = relative_change(row, before, min_n)
        if change is None:
            return tag("span", "too few to compare", class_="flat")
        difference, text, is_clear = change, words.percent(abs(change), 0), abs(change) >= 0.005
    if not is_clear:
        return tag("span", "no clear change", class_="flat")
    is_up = difference > 0
    is_good = is_up != (row["metric"] in LESS_IS_BETTER)
    arrow, direction = ("▲", "up") if is_up else ("▼", "down")
    return tag(
        "span",
        tag("span", arrow, aria_hidden="true"),
        f" {direction} {text}",
        class_="good" if is_good else "bad",
    )


def days(figures: Figures) -> Html:
    rows = every_day(figures.days)
    currency = next((row["currency"] for row in rows if row["currency"]), None)

    def points(metric: str, write: Callable[[float], str]) -> list[Point]:
        return [
            Point(
                words.short_day(row["event_date"]),
                float(row[metric]),
                f"{words.day(row['event_date'])}: {write(row[metric])}" + ("" if row["is_complete"] else " so far"),
                row["is_complete"],
            )
            for row in rows
        ]

    def as_money(amount: float | Decimal) -> str:
        return words.money(amount, currency)

    numbers = table(
        "Every day, the newest first",
        [
            Column("Day", "text"),
            Column("Visits"),
            Column("Visitors", is_minor=True),
            Column("Visits with an order"),
            Column("Orders"),
            Column("Net revenue"),
        ],
        (
            (
                words.day(row["event_date"]) + ("" if row["is_complete"] else " (not over)"),
                words.count(row["sessions"]),
                words.count(row["visitors"]),
                rate(row["conversion_rate"]),
                words.count(row["orders"]),
                as_money(row["net_revenue"]),
            )
            for row in reversed(rows)
        ),
    )
    return section(
        "days",
        "Day by day",
        days_sentence(rows, as_money),
        tag(
            "div",
            trend("Visits a day", points("sessions", words.count), words.count, as_bars=False),
            trend(
                "Net revenue a day, reported by the browser",
                points("net_revenue", as_money),
                as_money,
                as_bars=True,
            ),
            class_="pair",
        ),
        tag("details", tag("summary", "Show the numbers"), numbers),
    )


def every_day(rows: list[Row]) -> list[Row]:
    """The days in order, those without any event included."""
    filled: list[Row] = []
    for row in rows:
        while filled and (missing := filled[-1]["event_date"] + timedelta(days=1)) < row["event_date"]:
            filled.append(
                {**dict.fromkeys(row), "event_date": missing, "is_complete": True}
                | dict.fromkeys(("sessions", "visitors", "persons", "orders", "net_revenue"), 0)
            )
        filled.append(row)
    return filled


def days_sentence(rows: list[Row], as_money: Callable[[float | Decimal], str]) -> str:
    whole_days = [row for row in rows if row["is_complete"]]
    if not whole_days:
        return "The first day is not over yet."
    best = max(whole_days, key=lambda row: (row["net_revenue"], row["event_date"]))
    text = "No day that is over has brought revenue yet."
    if best["net_revenue"] > 0:
        text = f"The best day was {words.day(best['event_date'])} with {as_money(best['net_revenue'])}"
        # The orders are those in all currencies, and so the money is not of all of them.
        text += f" and {words.plural(best['orders'], 'order')}."
    last = rows[-1]
    if not last["is_complete"]:
        text += f" {words.day(last['event_date'])} is not over and is drawn apart."
    return text


def funnel(figures: Figures) -> Html:
    steps = figures.funnel
    if not steps:
        return section("funnel", "From looking to buying", "No visit has been seen in this period yet.")
    most = max(step["sessions"] for step in steps) or 1
    items = []
    for before, step in zip([None, *steps], steps, strict=False):
        if before is not None:
            items.append(drop(before, step))
        items.append(
            tag(
                "div",
                tag("h3", words.STEP_NAMES.get(step["step_name"], words.shown(step["step_name"]))),
                tag(
                    "p",
                    words.count(step["sessions"]),
                    tag("small", f"{words.percent(step['share_of_first'])} of the first step")
                    if step["step"] > 1 and step["share_of_first"] is not None
                    else "",
                ),
                bar(step["sessions"] / most),
                class_="step",
            )
        )
    still_open = steps[0]["open_sessions"]
    note = f"{words.plural(still_open, 'visit')} not over yet and left out." if still_open else ""
    return section(
        "funnel",
        "From looking to buying",
        funnel_sentence(steps),
        tag("div", *items, class_="funnel"),
        tag("p", note, class_="note") if note else "",
    )


def drop(before: Row, step: Row) -> Html:
    """What happened between two steps."""
    went_on = f"; {words.count(step['sessions'])} of {words.count(before['sessions'])} went on"
    if step["share_of_previous"] is None:
        went_on += f" ({words.NOT_ENOUGH} for a rate)"
    else:
        likely = words.interval(step["share_of_previous_low"], step["share_of_previous_high"])
        went_on += f", {words.percent(step['share_of_previous'])} (likely {likely})"
    if step["median_seconds"] is not None:
        went_on += f", half of them within {words.seconds(step['median_seconds'])}"
    return tag("p", tag("strong", f"{words.count(step['dropped'])} left"), went_on, class_="drop")


def funnel_sentence(steps: list[Row]) -> str:
    lost = [(step, before) for before, step in pairwise(steps) if step["dropped"]]
    if not lost:
        return "No visit was lost between the steps."
    worst, before = max(lost, key=lambda pair: pair[0]["dropped"])
    names = {
        "add_to_cart": "leave without putting anything in the cart",
        "begin_checkout": "leave a filled cart behind",
        "purchase": "stop in the checkout",
    }
    return (
        f"Most visits are lost where they {names.get(worst['step_name'], 'leave')}:"
        f" {words.count(worst['dropped'])} of {words.count(before['sessions'])}."
    )
