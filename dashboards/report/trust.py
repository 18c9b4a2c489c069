"""What stands apart, whether the numbers can be trusted, and what the words mean."""

from decimal import Decimal

from dashboards.report import words
from dashboards.report.figures import Figures, Row
from dashboards.report.markup import Column, Html, table, tag
from dashboards.report.parts import MOST_ROWS, NOT_CONSENTED, caption_of, main_currency, section, with_bar


def apart(figures: Figures) -> Html:
    traffic = figures.traffic
    main = next((row for row in figures.order_totals if row["is_main"]), None)
    refused = next((row for row in figures.channels if row["channel"] == NOT_CONSENTED), None)
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
        ("Bots", words.plural(traffic.get("bot_events") or 0, "event"), "counted nowhere else, but for their orders"),
        (
            "Visits like a bot's",
            words.plural(traffic.get("set_aside_sessions") or 0, "visit"),
            f"with {words.plural(traffic.get('set_aside_events') or 0, 'event')}, among those of bots: pages too fast,"
            " too even or without anybody looking; judged anew with every late event",
        ),
        (
            "Orders by bots",
            # Orders are counted in all currencies, and so are these of them.
            words.plural(sum(row["bot_orders"] for row in figures.order_totals), "order"),
            f"{words.money(main['bot_net_revenue'] if main else 0, currency)} net,"
            " included in orders and revenue: money is money",
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
        lead = f"Yes. All {words.count(book['received'])} lines that came in are accounted for,"
        lead += " and a second count gives the same."
    else:
        missing = book["received"] - accounted
        why = (
            f"{words.plural(abs(missing), 'line')} {'missing' if missing > 0 else 'too many'}"
            if missing
            else "a second count of the tables gives other numbers than the last refresh wrote down"
        )
        lead = f"Not now: {why}."
        lead += " Ask whoever runs the platform to look at the ledger before you rely on this page."
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
        restated(figures.restated),
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


# What readers know these numbers as; others are in the table restatements.
_RESTATED = {
    ("daily_traffic", "sessions"): "Visits",
    ("daily_active", "visitors"): "Visitors",
    ("daily_orders", "orders"): "Orders",
    ("daily_orders", "net_revenue"): "Net revenue",
    ("daily_orders", "refunded"): "Refunded",
}


def restated(rows: list[Row]) -> Html:
    """Numbers that were shown and have changed since, as late events came in."""
    rows = [row for row in rows if (row["table_name"], row["metric"]) in _RESTATED]
    if not rows:
        return Html("")

    def number(row: Row, value: Decimal | None) -> str:
        if row["table_name"] == "daily_orders" and row["metric"] != "orders":
            return words.money(value or 0, row["slice"].split()[0])
        return words.count(int(value or 0))

    def name(row: Row) -> str:
        currency = f" in {row['slice'].split()[0]}" if row["metric"] == "orders" else ""
        return _RESTATED[row["table_name"], row["metric"]] + currency

    return tag(
        "details",
        tag("summary", "Numbers that changed after their day was over"),
        tag("p", "Phones send late, and refunds are told later. Nothing that comes late is dropped."),
        table(
            caption_of("In the last 30 days", rows),
            [Column("Day", "text"), Column("Number", "text"), Column("First shown"), Column("Now")],
            (
                (words.day(row["event_date"]), name(row), number(row, row["first_shown"]), number(row, row["now"]))
                for row in rows[:MOST_ROWS]
            ),
        ),
    )


def glossary(figures: Figures) -> Html:
    words_and_meanings = [
        (
            "Visit",
            "What one browser does until half an hour passes without a click. Also called a session.",
        ),
        (
            "Likely 5.1–6.3%",
            "The true rate lies in this range in 95 of 100 such cases. The more visits, the narrower it is.",
        ),
        (
            "Not enough data",
            f"Fewer than {words.count(figures.min_n)} cases: a rate of so few would mislead, so none is shown.",
        ),
        ("No clear change", "The ranges before and now overlap: it may be chance."),
        (
            "Net revenue",
            "Goods after discounts and refunds, without tax and shipping. A refund counts on its own day.",
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
