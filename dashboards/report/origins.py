"""Where visits come from: channels, countries, devices."""

from collections.abc import Callable

from dashboards.report import words
from dashboards.report.figures import Figures, Row
from dashboards.report.markup import Column, Html, join, table, tag
from dashboards.report.parts import (
    MOST_ROWS,
    NOT_CONSENTED,
    caption_of,
    main_currency,
    no_revenue,
    rate,
    section,
    with_bar,
)


def channels(figures: Figures) -> Html:
    rows = figures.channels
    if not rows:
        return section("channels", "Where visitors come from", "No visit has been seen in this period yet.")
    # The rows are in order of revenue; orders without consent came by no known channel.
    first = next((row for row in rows if row["channel"] != NOT_CONSENTED), None)
    currency = main_currency(figures)
    text = no_revenue("channel", currency)
    if first and first["net_revenue"] > 0:
        text = f"{words.shown(first['channel'])} brings the most revenue"
        text += f" ({words.money(first['net_revenue'], currency)})."
    rated = [row for row in rows if row["conversion_rate"] is not None]
    if rated:
        best = max(rated, key=lambda row: (row["conversion_rate"], row["channel"]))
        low, high = words.percent(best["conversion_low"]), words.percent(best["conversion_high"])
        text += f" Visits from {words.shown(best['channel'])} order most often:"
        text += f" {words.percent(best['conversion_rate'])}, likely between {low} and {high}."
    return section(
        "channels",
        "Where visitors come from",
        text,
        segment_table(figures, "Channels", "channel", rows, words.shown),
    )


def countries(figures: Figures) -> Html:
    rows = figures.countries
    names = {row["country"]: words.shown(row["country_name"] or row["country"]) for row in rows}
    text = "No visit has been seen in this period yet."
    # Without consent there are orders without a visit.
    if rows and rows[0]["sessions"]:
        share = rows[0]["sessions"] / sum(row["sessions"] for row in rows)
        text = f"{names[rows[0]['country']]} sends the most visits, {words.percent(share, 0)} of all."
    shown = [{**row, "country": names[row["country"]]} for row in rows]
    return section(
        "countries",
        "Countries",
        text,
        segment_table(figures, "Countries", "country", shown, words.shown, by="sessions") if rows else "",
    )


def devices(figures: Figures) -> Html:
    rows = figures.devices
    rated = sorted((row for row in rows if row["conversion_rate"] is not None), key=lambda row: -row["conversion_rate"])
    text = "There is not enough data to tell devices apart."
    if len(rated) > 1:
        high, low = rated[0], rated[-1]
        is_clear = high["conversion_low"] > low["conversion_high"]
        text = (
            f"{device_name(high['device_type'])} visits order more often than"
            f" {device_name(low['device_type']).lower()} visits:"
            f" {words.percent(high['conversion_rate'])} against {words.percent(low['conversion_rate'])}."
            if is_clear
            else "No kind of device clearly orders more often than another."
        )
    return section(
        "devices",
        "Devices",
        text,
        segment_table(figures, "Devices", "device_type", rows, device_name, by="sessions") if rows else "",
    )


def device_name(value: str | None) -> str:
    return words.DEVICE_NAMES.get(value or "", words.shown(value))


def segment_table(
    figures: Figures,
    caption: str,
    column: str,
    rows: list[Row],
    name: Callable[[str], str],
    by: str = "net_revenue",
) -> Html:
    """A part of the shop a row, with a bar for what the rows are ordered by."""
    currency = main_currency(figures)
    most = max((float(row[by]) for row in rows), default=0.0)

    def marked(text: str, metric: str, row: Row) -> object:
        return with_bar(text, float(row[metric]) / most if most > 0 else 0.0) if metric == by else text

    return table(
        caption_of(caption, rows),
        [
            Column(caption.rstrip("s") if caption != "Countries" else "Country", "text"),
            Column("Visits"),
            Column("Visits with an order"),
            Column("Orders", is_minor=True),
            Column("Net revenue"),
        ],
        (
            (
                name(row[column]),
                marked(words.count(row["sessions"]), "sessions", row),
                rate_with_interval(row),
                words.count(row["orders"]),
                marked(segment_money(row, currency), "net_revenue", row),
            )
            for row in rows[:MOST_ROWS]
        ),
        is_caption_shown=len(rows) > MOST_ROWS,
    )


def rate_with_interval(row: Row) -> Html:
    likely = words.interval(row["conversion_low"], row["conversion_high"])
    return join([rate(row["conversion_rate"]), tag("small", likely) if likely else ""])


def segment_money(row: Row, currency: str | None) -> str:
    if row["orders"] and row["currency"] is None:
        return "other currency"
    return words.money(row["net_revenue"], currency)
