"""The generated blocks of README.md, docs/cost.md and docs/scale.md."""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from statistics import linear_regression
from typing import Any

from clicklake.cost import refresh_time, usage
from clicklake.cost.bill import bill, range_of
from clicklake.cost.levers import LEVERS
from clicklake.cost.prices import EVIDENCE, price_list
from clicklake.cost.refresh_time import measured, refresh_model
from clicklake.cost.usage import DAYS, GB, Workload

PROFILES = {"once a day (the default)": 1_440, "once an hour": 60, "every 5 minutes": 5}
MONTHLY_EVENTS = (1_000_000, 10_000_000, 100_000_000)
DAILY_EVENTS = (1_000_000, 10_000_000, 100_000_000)
PACKED = 500  # events a request, the most that ingest takes
WORKERS = (2, 3, 5, 10, 20, 40, 80, 160, 299)
SCALE_SECONDS = 3_600


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Markdown; all but the first `left` columns are aligned to the right."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def _usd(dollars: float) -> str:
    if abs(dollars) < 0.005:
        return "<$0.01" if dollars else "0"
    digits = 0 if abs(dollars) >= 100 else 2
    return f"${dollars:,.{digits}f}"


def _more(dollars: float) -> str:
    if abs(dollars) < 0.005:
        return "0"
    return ("+" if dollars > 0 else "-") + _usd(abs(dollars))


def profiles() -> str:
    rows = []
    for name, minutes in PROFILES.items():
        workload = Workload(refresh_minutes=minutes)
        month, (low, high) = bill(workload), range_of(workload)
        glue = month.usd_of("glue_dpu_hours", "glue_flex_dpu_hours")
        rows.append([name, f"**{_usd(month.usd)}**", f"{_usd(low)} to {_usd(high)}", _usd(glue), _usd(month.list_usd)])
    return _table(["new events become rows", "a month", "if Glue differs", "of it Glue", "without free amounts"], rows)


def services() -> str:
    months = [bill(Workload(refresh_minutes=minutes)) for minutes in PROFILES.values()]
    by_service = [month.by_service() for month in months]
    order = dict.fromkeys(line.price.service for line in months[0].lines)
    rows = [[name, *(_usd(sums[name]) for sums in by_service)] for name in order]
    rows.append(["**in all**", *(f"**{_usd(month.usd)}**" for month in months)])
    rows.append(["without free amounts", *(_usd(month.list_usd) for month in months)])
    rows.append(["runs", *(f"{month.refreshes.all_runs:,.0f}" for month in months)])
    rows.append(["seconds a run", *(f"{month.refreshes.seconds:,.0f}" for month in months)])
    return _table(["service", *PROFILES], rows)


def goal() -> str:
    month = bill(Workload())
    dearest = sorted(month.lines, key=lambda line: -line.usd)[:3]
    lines = ", ".join(f"{line.price.service}, {line.price.what}: {_usd(line.usd)}" for line in dearest)
    verdict = "above" if month.usd >= 1 else "below"
    enough = {x.name: month.usd + x.effect(Workload()) for x in LEVERS}
    below = ", ".join(f"{name} ({_usd(dollars)})" for name, dollars in enough.items() if dollars < 1 <= month.usd)
    return (
        f"The goal is less than $1 a month. The default is {verdict} it, at {_usd(month.usd)}. Most of it: {lines}."
        + (f" One of these would bring it below: {below}." if below else "")
    )


def levers() -> str:
    busy = Workload(events_per_day=MONTHLY_EVENTS[1] // DAYS)
    rows = [[x.name, x.how, _more(x.effect(Workload())), _more(x.effect(busy))] for x in LEVERS]
    before = [f"at {workload.events_per_day:,} events a day" for workload in (Workload(), busy)]
    totals = [["none of them", "", _usd(bill(Workload()).usd), _usd(bill(busy).usd)]]
    return _table(["lever", "where", *before], totals + rows, left=2)


@lru_cache(maxsize=1)
def _published() -> dict[str, Any]:
    return json.loads(files("clicklake.cost").joinpath("published.json").read_text("utf-8"))


def beside() -> str:
    """Both at 1, 10 and 100 million events a month, and what the other's smallest fitting tier is made of."""
    tiers = _published()["tiers"]
    rows = []
    for events in MONTHLY_EVENTS:
        for size in (10, 20):
            workload = Workload(events_per_day=events // DAYS, events_per_request=size)
            a_second = workload.requests_per_day / 86_400
            tier = next(tier for tier in tiers if tier["requests_per_second"] >= a_second)
            other = tier["ingestion"] + tier["processing_daily"] + _published()["monitoring"]
            month, (low, high) = bill(workload), range_of(workload)
            rows.append(
                [
                    f"{events:,}, {size} a request",
                    f"{a_second:,.2f}",
                    _usd(month.usd),
                    f"{_usd(low)} to {_usd(high)}",
                    f"{month.refreshes.seconds / 60:,.0f} min",
                    f"{_usd(other)} ({tier['requests_per_second']} a second)",
                ]
            )
    head = [
        "events a month",
        "requests a second",
        "Clicklake",
        "if Glue differs",
        "daily run",
        "the solution (its tier)",
    ]
    return _table(head, rows)


def prices() -> str:
    listed = price_list()
    rows = [
        [
            price.service,
            price.what,
            f"{price.usd:.10f}".rstrip("0").rstrip(".") if price.usd < 0.001 else f"{price.usd:g}",
            f"{price.per:,} {price.unit}",
            f"{price.free_a_month:,.0f}" if price.free_a_month else "",
            price.evidence,
            price.read or "never",
            price.source + (f". {price.note}" if price.note else ""),
        ]
        for price in listed.prices.values()
    ]
    head = ["service", "what", "$", "for", "free a month", "evidence", "read", "source"]
    meanings = "; ".join(f"*{name}*: {listed.evidence[name]}" for name in EVIDENCE)
    return f"Region {listed.region}, collected on {listed.as_of}. {meanings}.\n\n{_table(head, rows, left=2)}"


def assumed() -> str:
    query = usage.GETS_A_QUERY, usage.RESULT_OBJECTS_A_QUERY, usage.CATALOG_REQUESTS_A_QUERY
    people = usage.REPORT_VIEWS, usage.EMAILS, usage.ADMINISTRATORS
    request_ms, at_once = refresh_time.REQUEST_SECONDS * 1000, refresh_time.REQUESTS_AT_ONCE
    rows = {
        "a call of ingest": f"{usage.INGEST_SECONDS:g} s",
        "a call of the gate, and each list of an hour": f"{usage.GATE_SECONDS:g} s, {refresh_time.LIST_SECONDS:g} s",
        "a query of the report, of which there are": f"{usage.QUERY_SECONDS:g} s, {usage.REPORT_QUERIES}",
        "GETs, result objects, catalog requests a query": ", ".join(map(str, query)),
        "log of a run of the job": f"{usage.JOB_LOG_BYTES / 1e6:g} MB",
        "log of a call, beside the function's own line": f"{usage.PLATFORM_LOG_BYTES} bytes",
        "the API's log of a request": f"{usage.ACCESS_LOG_BYTES} bytes",
        "views of the report, e-mails, administrators": ", ".join(map(str, people)) + " a month",
        "cold starts of ingest": f"{usage.COLD_STARTS:,} a month",
        "a request of the job to S3 or the catalog": f"{request_ms:.0f} ms, {at_once} at once",
        "reading a raw object": f"{request_ms:.0f} ms, as many at once as executors have cores",
        "cores that a small run keeps busy": f"{refresh_time.BUSY_CORES}",
        "how far the translation to Glue may be off": f"{refresh_time.LOW} to {refresh_time.HIGH} times",
        "kept": f"{usage.MONTHS_KEPT} months of events",
    }
    return _table(["assumed", ""], rows.items())


def points() -> str:
    rows = [
        [
            f"{point['lake_events']:,}",
            f"{point['events']:,} in {point['objects']:,}",
            f"{point['seconds']:,.0f}",
            f"{point['cpu_seconds']:,.0f}",
            f"{point['s3_puts']:,}",
            f"{point['s3_gets']:,}",
            f"{point['catalog']:,}",
            f"{point['shuffle_bytes'] / 1e6:,.1f}",
            f"{point['results_bytes'] / 1e6:,.1f}",
        ]
        for point in measured()["refreshes"]
    ]
    head = [
        "in the lake",
        "new events, objects",
        "s",
        "CPU s",
        "PUT, LIST",
        "GET",
        "catalog",
        "shuffled MB",
        "written MB",
    ]
    firsts = [point for point in measured()["refreshes"] if point["lake_events"] == 0]
    line = linear_regression([point["events"] for point in firsts], [point["cpu_seconds"] for point in firsts])
    check = measured()["check"]
    said = line.intercept + line.slope * check["events"]
    return f"""{_table(head, rows)}

Measured on {measured()["measured_on"]}: `{measured()["how"]}`.

A check: `{check["how"]}` with {check["events"]:,} events took {check["cpu_seconds"]:,} s of CPU time on an empty lake
on {check["measured_on"]}. The line through the runs above says {said:,.0f} s there: {said / check["cpu_seconds"]:.1f}
times as much."""


def fitted() -> str:
    model = refresh_model()
    listing_ms = refresh_time.LIST_SECONDS / refresh_time.KEYS_A_LIST * 1e3
    reading = f"{model.core_seconds_per_object * 1e3:,.0f} ms of a core's waiting, {listing_ms:g} ms of the driver's"
    requests = f"{model.puts:,.0f} PUT and LIST, {model.gets:,.0f} GET, {model.catalog_requests:,.0f} of the catalog"
    written = f"{model.results_bytes / 1e6:,.1f} MB, and {model.results_bytes_per_event:,.0f} bytes an event"
    rows = {
        "a run, whatever there is to do": f"{model.base_seconds:,.0f} s on Glue",
        "a new event": f"{model.core_seconds_per_event * 1e6:,.0f} us of a core",
        "an event that the lake has of a day": f"{model.core_seconds_per_daily_event * 1e6:,.0f} us of a core",
        "a raw object (not measured)": reading,
        "a run's requests": requests,
        "a run's files": written,
    }
    return _table(["fitted", ""], rows.items())


def shuffled_per_event() -> float:
    """Bytes that an event's way through a large run puts into shuffles, of the largest run measured."""
    largest = max(measured()["refreshes"], key=lambda point: point["events"])
    return largest["shuffle_bytes"] / largest["events"]


def workers_for(events: float, objects: float) -> int | None:
    """The fewest of WORKERS that are done within an hour; None where none are."""
    return next((n for n in WORKERS if refresh_model().seconds(events, objects, events, n) <= SCALE_SECONDS), None)


def scale() -> str:
    model, sizes, ingest = refresh_model(), (10, 100, PACKED), measured()["ingest"]
    rows = []
    for events in DAILY_EVENTS:
        for size in sizes:
            objects = events / size
            workers = workers_for(events, objects)
            chosen = workers or WORKERS[-1]
            seconds = model.seconds(events, objects, events, chosen)
            raw = objects * ingest["object_bytes"] + events * ingest["object_bytes_per_event"]
            glue = price_list().prices["glue_dpu_hours"].of(chosen * seconds / 3600, has_free=False)
            month = bill(Workload(events_per_day=events, events_per_request=size, workers=chosen, is_flex=False))
            rows.append(
                [
                    f"{events:,}, {size:,} a request",
                    f"{objects:,.0f}",
                    f"{raw / GB:,.1f}",
                    f"{events * ingest['line_bytes'] / GB:,.0f}",
                    f"{events * shuffled_per_event() / GB:,.1f}",
                    f"{events * model.results_bytes_per_event / GB:,.1f}",
                    f"{chosen}" + ("" if workers else ", not within the hour"),
                    f"{seconds / 60:,.0f}",
                    f"{objects * refresh_time.LIST_SECONDS / refresh_time.KEYS_A_LIST / 60:,.1f}",
                    _usd(glue),
                    _usd(month.usd) + (" *" if month.refreshes.is_cut else ""),
                ]
            )
    sizes_head = ["raw objects", "raw GB", "as text GB", "shuffled GB", "written GB"]
    head = ["events a day", *sizes_head, "workers", "minutes", "of it listing", "a run", "a month, all services"]
    return _table(head, rows)


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"profiles": profiles},
    "docs/cost.md": {
        "goal": goal,
        "services": services,
        "levers": levers,
        "beside": beside,
        "assumed": assumed,
        "prices": prices,
    },
    "docs/scale.md": {"points": points, "fitted": fitted, "scale": scale},
}
