"""The page, section by section: a sentence that says what it means, then the numbers."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files

from dashboards.report import words
from dashboards.report.charts import Point, bar, trend
from dashboards.report.figures import Engine, Figures, Row, read_figures
from dashboards.report.markup import Column, Html, join, safe, table, tag

MOST_ROWS = 15
# No script runs and nothing is fetched, whatever a search term or a product name holds.
SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(engine: Engine) -> str:
    """The report over everything that `engine` reads, as one HTML document without outside parts."""
    figures = read_figures(engine)
    return document("Shop report", no_data() if figures is None else whole(figures))


def document(title: str, body: Html) -> str:
    style = files("dashboards.report").joinpath("style.css").read_text(encoding="utf-8")
    head = join(
        [
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html('<meta name="color-scheme" content="light dark">'),
            Html('<meta name="robots" content="noindex">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{SECURITY_POLICY}">'),
            tag("title", title),
            Html(f"<style>{style}</style>"),
        ]
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def no_data() -> Html:
    return tag(
        "main",
        tag("h1", "Shop report"),
        tag(
            "p",
            "There is nothing to show yet: no refresh with events has been completed. Send events, refresh, and look again.",
        ),
    )


def whole(figures: Figures) -> Html:
    return join(
        [
            header(figures),
            tag(
                "main",
                key_figures(figures),
                days(figures),
                funnel(figures),
                products(figures),
                channels(figures),
                tag("div", countries(figures), tag("div", devices(figures), apart(figures)), class_="pair"),
                search(figures),
                ledger(figures),
                glossary(figures),
            ),
            tag(
                "footer",
                tag(
                    "p",
                    "Made by Clicklake from the shop's own data. This file needs no network and loads nothing.",
                ),
            ),
        ]
    )


def section(name: str, title: str, lead: object, *content: object) -> Html:
    return tag(
        "section",
        tag("h2", title, id=name),
        tag("p", lead, class_="lead") if lead else "",
        *content,
        aria_labelledby=name,
    )


def header(figures: Figures) -> Html:
    period = figures.period
    span = words.day(period.last_date)
    if period.days > 1:
        span = f"{words.short_day(period.first_date)} to {span}"
    facts = [
        (
            "Period",
            span,
            f"the last {words.days(period.days)} that are over" if figures.before else "the first day",
        ),
        ("Data up to", words.moment(figures.as_of), "the last event received"),
        ("Refreshed", words.moment(figures.refreshed_at), ""),
    ]
    return tag(
        "header",
        tag(
            "div",
            tag("p", "Clicklake", class_="brand"),
            tag("h1", "Shop report"),
            tag("p", summary(figures), class_="summary"),
        ),
        tag(
            "dl",
            *(
                tag("div", tag("dt", name), tag("dd", value, tag("small", note) if note else ""))
                for name, value, note in facts
            ),
        ),
    )


def summary(figures: Figures) -> str:
    current, before = figures.current, figures.previous
    orders, sessions = (
        current.get("orders", {}).get("value") or 0,
        current.get("sessions", {}).get("value") or 0,
    )
    text = (
        f"In {period_words(figures)}, {words.plural(sessions, 'visit')} and {words.plural(orders, 'order')}"
    )
    revenue = current.get("net_revenue")
    if revenue is None:
        return text + "."
    text += f" brought {words.money(revenue['value'], revenue['unit'])} after refunds"
    change = relative_change(revenue, before.get("net_revenue"))
    if change is not None:
        direction = "more" if change >= 0 else "less"
        same = abs(change) < 0.005
        text += ", as much as in" if same else f", {words.percent(abs(change), 0)} {direction} than in"
        text += f" the {words.days(figures.period.days)} before"
    return text + "."


def period_words(figures: Figures) -> str:
    number = figures.period.days
    return (
        "the last full day"
        if number == 1 and figures.before
        else ("the first day" if number == 1 else f"the last {number} full days")
    )


def relative_change(row: Row | None, before: Row | None) -> float | None:
    """How much a count or an amount grew; None where there is nothing to compare with."""
    if not row or not before or row["value"] is None or not before["value"] or before["value"] < 0:
        return None
    return row["value"] / before["value"] - 1


# -- key figures -------------------------------------------------------------------------------

KEY_FIGURES: Sequence[tuple[str, str, str]] = (
    ("net_revenue", "Net revenue", "goods sold less refunds, as reported by the browser"),
    ("orders", "Orders", "in all currencies"),
    ("conversion_rate", "Visits with an order", "of all visits"),
    ("average_order_value", "Average order", "net revenue per order, as reported by the browser"),
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
        key_figure(title, note, figures.current[metric], figures.previous.get(metric))
        for metric, title, note in KEY_FIGURES
        if metric in figures.current
    ]
    compared = (
        f"The arrows compare with the {words.days(figures.period.days)} before"
        f" ({words.short_day(figures.before.first_date)} to {words.short_day(figures.before.last_date)})."
        if figures.before
        else "There is no earlier time to compare with yet."
    )
    lead = f"How the shop did in {period_words(figures)}. {compared}"
    return section("key-figures", "Key figures", lead, tag("ul", *tiles, class_="tiles"))


def key_figure(title: str, note: str, row: Row, before: Row | None) -> Html:
    value = figure_words(row)
    range_text = words.interval(row["low"], row["high"])
    return tag(
        "li",
        tag("h3", title),
        tag("p", value, class_="figure" if value != words.NOT_ENOUGH else "figure none"),
        tag("p", change_words(row, before), class_="change"),
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


def change_words(row: Row, before: Row | None) -> Html:
    if before is None or before["value"] is None or row["value"] is None:
        return tag("span", "no comparison", class_="flat")
    if row["unit"] == "rate":
        difference = row["value"] - before["value"]
        text = f"{abs(100 * difference):.1f} points"
        # Two intervals that overlap may be one truth seen twice.
        is_clear = row["low"] > before["high"] or row["high"] < before["low"]
    else:
        change = relative_change(row, before)
        if change is None:
            return tag("span", "no comparison", class_="flat")
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


# -- days --------------------------------------------------------------------------------------


def days(figures: Figures) -> Html:
    rows = every_day(figures.days)
    currency = next((row["currency"] for row in rows if row["currency"]), None)

    def points(metric: str, write: Callable[[float], str]) -> list[Point]:
        return [
            Point(
                words.short_day(row["event_date"]),
                float(row[metric]),
                f"{words.day(row['event_date'])}: {write(row[metric])}"
                + ("" if row["is_complete"] else " so far"),
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
    text = f"The best day was {words.day(best['event_date'])} with {as_money(best['net_revenue'])}"
    text += f" from {words.plural(best['orders'], 'order')}."
    last = rows[-1]
    if not last["is_complete"]:
        text += f" {words.day(last['event_date'])} is not over and is drawn apart."
    return text


# -- funnel ------------------------------------------------------------------------------------


def funnel(figures: Figures) -> Html:
    steps = figures.funnel
    if not steps:
        return section("funnel", "From looking to buying", "No visit has been seen in this period yet.")
    most = max(step["sessions"] for step in steps) or 1
    items = []
    for step in steps:
        if step["dropped"] is not None:
            stay = words.interval(step["share_of_previous_low"], step["share_of_previous_high"])
            items.append(
                tag(
                    "p",
                    tag("strong", f"{words.count(step['dropped'])} left"),
                    f"; {words.percent(step['share_of_previous'])} went on"
                    + (f" (likely {stay})" if stay else ""),
                    f", half of them within {words.seconds(step['median_seconds'])}"
                    if step["median_seconds"] is not None
                    else "",
                    class_="drop",
                )
            )
        items.append(
            tag(
                "div",
                tag("h3", words.STEP_NAMES.get(step["step_name"], words.shown(step["step_name"]))),
                tag(
                    "p",
                    words.count(step["sessions"]),
                    tag("small", f"{words.percent(step['share_of_first'])} of the first step")
                    if step["step"] > 1
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


def funnel_sentence(steps: list[Row]) -> str:
    lost = [(step, before) for before, step in zip(steps, steps[1:], strict=False) if step["dropped"]]
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


# -- products ----------------------------------------------------------------------------------


def products(figures: Figures) -> Html:
    rows = [row for row in figures.products if row["views"] or row["quantity"] or row["revenue"]]
    if not rows:
        return section("products", "Products", "No product was viewed or sold in this period.")
    currency = main_currency(figures)
    most = max(float(row["revenue"]) for row in rows) or 1.0
    best = rows[0]
    text = f"{product_name(best)} brings the most: {words.money(best['revenue'], currency)}."
    rated = [row for row in rows if row["buy_rate"] is not None]
    if rated:
        keen = max(rated, key=lambda row: (row["buy_rate"], row["product_id"]))
        text += f" {product_name(keen)} is bought most often once seen ({words.percent(keen['buy_rate'])} of the visits)."
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


# -- channels, countries, devices --------------------------------------------------------------


def channels(figures: Figures) -> Html:
    rows = figures.channels
    if not rows:
        return section("channels", "Where visitors come from", "No visit has been seen in this period yet.")
    text = f"{words.shown(rows[0]['channel'])} brings the most revenue"
    text += f" ({words.money(rows[0]['net_revenue'], main_currency(figures))})."
    rated = [row for row in rows if row["conversion_rate"] is not None]
    if rated:
        best = max(rated, key=lambda row: (row["conversion_rate"], row["channel"]))
        text += (
            f" Visits from {words.shown(best['channel'])} order most often: {words.percent(best['conversion_rate'])},"
            f" likely between {words.interval(best['conversion_low'], best['conversion_high']).replace('–', '% and ')}."
        )
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
    if rows:
        share = rows[0]["sessions"] / (sum(row["sessions"] for row in rows) or 1)
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
    rated = sorted(
        (row for row in rows if row["conversion_rate"] is not None), key=lambda row: -row["conversion_rate"]
    )
    text = "There is not enough data to tell devices apart."
    if len(rated) > 1:
        high, low = rated[0], rated[-1]
        is_clear = high["conversion_low"] > low["conversion_high"]
        text = (
            f"{device_name(high['device_type'])} visits order more often than {device_name(low['device_type']).lower()} visits:"
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
    most = max((float(row[by]) for row in rows), default=0.0) or 1.0

    def marked(text: str, metric: str, row: Row) -> object:
        return with_bar(text, float(row[metric]) / most) if metric == by else text

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


def rate(value: float | None) -> Html:
    return tag("span", words.NOT_ENOUGH, class_="none") if value is None else safe(words.percent(value))


def rate_with_interval(row: Row) -> Html:
    likely = words.interval(row["conversion_low"], row["conversion_high"])
    return join([rate(row["conversion_rate"]), tag("small", likely) if likely else ""])


def segment_money(row: Row, currency: str | None) -> str:
    if row["orders"] and row["currency"] is None:
        return "other currency"
    return words.money(row["net_revenue"], currency)


def with_bar(text: str, share: float) -> Html:
    return join([safe(text), bar(share)])


def caption_of(text: str, rows: Sequence[Row]) -> str:
    return text if len(rows) <= MOST_ROWS else f"{text}, the first {MOST_ROWS} of {len(rows)}"


def main_currency(figures: Figures) -> str | None:
    return next((row["currency"] for row in figures.currencies if row["is_main"]), None)


# -- search ------------------------------------------------------------------------------------


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
        text += (
            f" “{words.shown(worst['term'])}” is missed most: consider offering it, or another word for it."
        )
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


# -- what stands apart, and whether the numbers can be trusted ----------------------------------


def apart(figures: Figures) -> Html:
    traffic = figures.traffic
    main = next((row for row in figures.order_totals if row["is_main"]), None)
    refused = next((row for row in figures.channels if row["channel"] == "(not consented)"), None)
    currency = main_currency(figures)
    lines: list[tuple[str, str, str]] = [
        (
            "Without consent",
            words.plural(traffic.get("not_consented_events") or 0, "event"),
            "counted in events, page views, orders and revenue, but in no visitor, visit or rate",
        ),
        (
            "Orders without consent",
            words.plural(refused["orders"] if refused else 0, "order"),
            f"{words.money(refused['net_revenue'] if refused else 0, currency)} net, in no channel",
        ),
        ("Bots", words.plural(traffic.get("bot_events") or 0, "event"), "counted nowhere else"),
        (
            "Orders by bots",
            words.plural(main["bot_orders"] if main else 0, "order"),
            f"{words.money(main['bot_net_revenue'] if main else 0, currency)} net, included in orders and revenue: money is money",
        ),
    ]
    lines += [
        (
            f"Orders in {words.shown(row['currency'])}",
            words.plural(row["orders"], "order"),
            f"{words.money(row['net_revenue'], row['currency'])} net, never added to other currencies",
        )
        for row in figures.order_totals
        if not row["is_main"]
    ]
    return section(
        "apart",
        "Shown apart",
        "Not everything can be part of every number. This is what stands aside in this period, and why.",
        tag(
            "dl",
            *(tag("div", tag("dt", name), tag("dd", value, tag("small", why))) for name, value, why in lines),
            class_="facts",
        ),
    )


def ledger(figures: Figures) -> Html:
    book, recount = figures.ledger, figures.recount
    if not book:
        return section("ledger", "Can these numbers be trusted?", "No refresh has been completed yet.")
    is_whole = bool(book["is_balanced"] and recount.get("is_balanced") and recount.get("is_as_recorded"))
    kinds = [
        ("stored", "Stored", "events that the numbers rest on"),
        ("duplicate", "Repeats", "sent twice, counted once"),
        ("quarantined", "Refused", "broken events, kept with their reason"),
        ("erased", "Erased", "of persons who asked for it"),
        ("lost", "Lost", "in damaged files"),
    ]
    accounted = sum(book[kind] for kind, _, _ in kinds)
    if is_whole:
        lead = f"Yes. All {words.count(book['received'])} lines that came in are accounted for, and a second count gives the same."
    else:
        missing = book["received"] - accounted
        why = (
            f"{words.plural(abs(missing), 'line')} {'missing' if missing > 0 else 'too many'}"
            if missing
            else "a second count of the tables gives other numbers than the last refresh wrote down"
        )
        lead = f"Not now: {why}. Ask whoever runs the platform to look at the ledger before you rely on this page."
    rows = [
        (name, with_bar(words.count(book[kind]), book[kind] / (book["received"] or 1)), note)
        for kind, name, note in kinds
    ]
    rows.append(
        (
            tag("strong", "Received"),
            tag("strong", words.count(book["received"])),
            "the sum of all lines above",
        )
    )
    return section(
        "ledger",
        "Can these numbers be trusted?",
        lead,
        tag("p", "Balanced" if is_whole else "Not balanced", class_="seal good" if is_whole else "seal bad"),
        table(
            "Where every line went, since the beginning",
            [Column("Outcome", "text"), Column("Lines"), Column("Meaning", "text")],
            rows,
        ),
        refused_lines(figures.refused),
    )


def refused_lines(rows: list[Row]) -> Html:
    if not rows:
        return Html("")
    return tag(
        "details",
        tag("summary", "Why lines were refused"),
        table(
            caption_of("Refused lines by reason", rows),
            [Column("Reason", "text"), Column("Field", "text"), Column("Lines")],
            (
                (
                    words.shown(str(row["reason"]).replace("_", " ")),
                    words.shown(row["field"] or "the whole line"),
                    words.count(row["lines"]),
                )
                for row in rows[:MOST_ROWS]
            ),
        ),
    )


def glossary(figures: Figures) -> Html:
    words_and_meanings = [
        (
            "Visit",
            "What one browser does until half an hour passes without a click, or a day is full. Also called a session.",
        ),
        (
            "Likely 5.1–6.3%",
            "The true rate lies in this range in 95 of 100 such cases. The more visits, the narrower it is.",
        ),
        ("Not enough data", "Fewer than 30 cases: a rate of so few would mislead, so none is shown."),
        ("No clear change", "The ranges before and now overlap: it may be chance."),
        (
            "Net revenue",
            "Goods after discounts and refunds, without tax and shipping. A refund counts on the day it is made.",
        ),
        (
            "Reported by the browser",
            "What the pages reported. The shop's own order book may differ until it is imported.",
        ),
        ("Points", "The difference of two percentages: from 5% to 6% is one point."),
    ]
    return section(
        "glossary",
        "Words",
        "",
        tag(
            "dl",
            *(tag("div", tag("dt", word), tag("dd", meaning)) for word, meaning in words_and_meanings),
            class_="facts words",
        ),
    )
