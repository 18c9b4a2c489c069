"""`clicklake cost`."""

import json
import re
import sys
from decimal import Decimal

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from clicklake.cli.show import as_csv, console
from clicklake.cost.bill import Bill, bill, range_of
from clicklake.cost.configuration import DEFAULT
from clicklake.cost.prices import price_list
from clicklake.cost.usage import Workload
from clicklake.local.places import TwinError

CADENCES = {"daily": 1_440, "hourly": 60, "5-minutes": 5}
_RATE = re.compile(r"(?:rate\()?(\d+)[ -](minute|hour|day)s?\)?")
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440}


def minutes_of(refresh: str) -> int:
    """Minutes between two refreshes, from a name of CADENCES or a rate as `rate(6 hours)`; TwinError otherwise."""
    rate = _RATE.fullmatch(refresh.strip())
    minutes = CADENCES.get(refresh) or (int(rate[1]) * _MINUTES[rate[2]] if rate else 0)
    if not 5 <= minutes <= 1_440:
        raise TwinError(f'--refresh is {refresh!r}: expected daily, hourly, 5-minutes, or a rate up to "rate(1 day)".')
    return minutes


def run_cost(workload: Workload, output: str) -> None:
    """Prints a month's bill."""
    try:
        month = bill(workload)
    except ValueError as error:
        raise TwinError(str(error)) from error
    if output == "json":
        print(json.dumps(as_record(month), indent=2))
    elif output == "csv":
        sys.stdout.reconfigure(newline="")
        print(as_csv(_rows(month)), end="")
    else:
        console.print(_table(month))
        for sentence in _sentences(month):
            console.print(Text(sentence))


def as_record(month: Bill) -> dict[str, object]:
    prices = price_list()
    return {
        "region": prices.region,
        "prices_as_of": prices.as_of,
        "usd": round(month.usd, 4),
        "usd_without_free": round(month.list_usd, 4),
        "refresh_runs": round(month.refreshes.all_runs, 1),
        "refresh_seconds": round(month.refreshes.seconds, 1),
        "lines": [
            {
                "service": line.price.service,
                "what": line.price.what,
                "quantity": round(line.quantity, 6),
                "unit": line.price.unit,
                "free": line.price.free_a_month,
                "usd": round(line.usd, 6),
                "usd_without_free": round(line.list_usd, 6),
                "parts": {part: round(quantity, 6) for part, quantity in line.parts.items()},
                "price": f"{line.price.usd} for {line.price.per:,} {line.price.unit}",
                "evidence": line.price.evidence,
                "source": line.price.source,
            }
            for line in month.lines
        ],
    }


def _rows(month: Bill) -> pa.Table:
    def cents(dollars: float) -> Decimal:
        return Decimal(dollars).quantize(Decimal("0.0001"))

    return pa.table(
        {
            "service": [line.price.service for line in month.lines],
            "what": [line.price.what for line in month.lines],
            "quantity": [round(line.quantity, 4) for line in month.lines],
            "unit": [line.price.unit for line in month.lines],
            "usd": [cents(line.usd) for line in month.lines],
            "usd_without_free": [cents(line.list_usd) for line in month.lines],
        }
    )


def _table(month: Bill) -> Table:
    prices = price_list()
    title = f"A month, in dollars: {prices.region}, prices of {prices.as_of}"
    table = Table(title=title, title_justify="left", header_style="bold", show_footer=True)
    total = {"usd": f"{month.usd:,.2f}", "list": f"{month.list_usd:,.2f}"}
    for name in ("service", "what", "quantity", "usd", "list"):
        is_number = name in ("quantity", *total)
        table.add_column(name, justify="right" if is_number else "left", footer=total.get(name, ""))
    for line in month.lines:
        quantity = f"{line.quantity:,.0f}" if line.quantity >= 100 else f"{line.quantity:,.3g}"
        dollars = f"{line.usd:,.3f}", f"{line.list_usd:,.3f}"
        table.add_row(line.price.service, line.price.what, f"{quantity} {line.price.unit}", *dollars)
    return table


def _sentences(month: Bill) -> list[str]:
    low, high = range_of(month.workload)
    runs, seconds = month.refreshes.all_runs, month.refreshes.seconds
    unchecked = sorted(line.price.service for line in month.lines if line.price.evidence == "unchecked")
    sentences = [
        "usd leaves out what AWS gives every account for ever, as if nothing else used that; list does not.",
        f"{runs:,.0f} refreshes of {seconds:,.0f} s on Glue: measured elsewhere and translated. It may be off by "
        f"so much that the whole is {low:,.2f} to {high:,.2f}.",
    ]
    if month.refreshes.is_late:
        sentences.append("A refresh takes longer than the time between two: they follow one another at once.")
    if month.refreshes.is_cut:
        sentences.append(
            f"A refresh, or the weekly one that lists everything, takes longer than its limit of "
            f"{DEFAULT.timeout_minutes} minutes: raise job.timeout_minutes, or take more workers or fuller requests."
        )
    if unchecked:
        sentences.append(f"Prices that no source confirmed: {', '.join(dict.fromkeys(unchecked))}.")
    return sentences
