"""Numbers, dates and names as a shop owner reads them; every function gives plain text."""

import re
from datetime import date, datetime
from decimal import Decimal

NOT_ENOUGH = "not enough data"
LONGEST_TEXT = 80

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}
# Control characters and those that turn the direction of writing could disguise a line.
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

STEP_NAMES = {
    "view_item": "Viewed a product",
    "add_to_cart": "Put it in the cart",
    "begin_checkout": "Began the checkout",
    "purchase": "Bought",
}
DEVICE_NAMES = {"mobile": "Phone", "desktop": "Computer", "tablet": "Tablet", "other": "Other"}


def shown(value: object) -> str:
    """Data from outside: without what cannot be seen, and not without end."""
    if value is None or value == "":
        return "(not set)"
    text = _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", str(value))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def count(value: float | Decimal | None) -> str:
    return NOT_ENOUGH if value is None else f"{round(value):,}"


def percent(rate: float | None, places: int = 1) -> str:
    return NOT_ENOUGH if rate is None else f"{100 * rate:.{places}f}%"


def interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def money(amount: float | Decimal | None, currency: str | None, places: int = 0) -> str:
    if amount is None:
        return NOT_ENOUGH
    number = f"{abs(amount):,.{places}f}"
    sign = "−" if amount < 0 and float(number.replace(",", "")) else ""
    unit = _SIGNS.get(currency or "", f"{currency} " if currency else "")
    return f"{sign}{unit}{number}"


def seconds(value: float | None) -> str:
    if value is None:
        return NOT_ENOUGH
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


# A date is not broken over two lines.
_GAP = "\N{NO-BREAK SPACE}"


def day(value: date) -> str:
    return f"{short_day(value)}{_GAP}{value:%Y}"


def short_day(value: date) -> str:
    return f"{value.day}{_GAP}{value:%b}"


def moment(value: datetime) -> str:
    return f"{day(value)}, {value:%H:%M}{_GAP}UTC"


def days(number: int) -> str:
    return "day" if number == 1 else f"{number} days"


def plural(number: float, one: str, many: str | None = None) -> str:
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
