"""The page, section by section: a sentence that says what it means, then the numbers."""

from importlib.resources import files

from dashboards.report import words
from dashboards.report.assortment import products, search
from dashboards.report.behaviour import days, funnel, key_figures
from dashboards.report.figures import Engine, Figures, read_figures
from dashboards.report.markup import Html, join, tag
from dashboards.report.origins import channels, countries, devices
from dashboards.report.parts import period_words, relative_change
from dashboards.report.trust import apart, glossary, ledger

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
            "There is nothing to show yet: no refresh with events has been completed."
            " Send events, refresh, and look again.",
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
                    "Made by Clicklake from the shop's own data. This file needs no network.",
                ),
            ),
        ]
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
            period_words(figures).split(" ", 1)[1],
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
    text = f"{period_words(figures).capitalize()}, {words.plural(sessions, 'visit')}"
    text += f" and {words.plural(orders, 'order')}"
    revenue = current.get("net_revenue")
    if revenue is None:
        return text + "."
    text += f" brought {words.money(revenue['value'], revenue['unit'])} after refunds"
    # The orders are those in all currencies, the revenue that of the main one.
    in_others = orders - revenue["n"]
    text += f" ({words.plural(in_others, 'order')} in other currencies not included)" if in_others else ""
    change = relative_change(revenue, before.get("net_revenue"), figures.min_n)
    if change is not None:
        direction = "more" if change >= 0 else "less"
        same = abs(change) < 0.005
        text += ", as much as in" if same else f", {words.percent(abs(change), 0)} {direction} than in"
        text += f" the {words.days(figures.period.days)} before"
    return text + "."
