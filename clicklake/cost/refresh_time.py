"""How long a refresh takes on Glue: fitted to measured runs, and translated.

The runs are in measured.json, made by tests/benchmarks/cost.py, on two cores that other programs used too: their
CPU time is taken, not the time on the clock. What a run takes whatever there is to do is Python, Spark's session
and the planning of some eighty queries, most of it one driver's work; what grows with the events is spread over
the executors. Waiting for S3 and the catalog is added, because the emulator answers sooner than they do.
"""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from statistics import linear_regression, mean
from typing import Any

MINIMUM_SECONDS = 60
LAKE_DAYS = 10  # over which the events of a measured lake are spread
CORES_A_WORKER = 4  # G.1X: four vCPUs, each taken for a core; one worker is the driver
# Planning keeps one thread busy, the compilers and the collector some of another: between 1 and 2 cores.
BUSY_CORES = 1.5
# "When making small requests (less than 512 KB), median latencies are often in the tens of milliseconds."
# Source: AWS, Best Practices Design Patterns: Optimizing Amazon S3 Performance. Through the emulator it is 4.5 ms.
REQUEST_SECONDS = 0.03
# Of the requests beside those for raw objects, about two are under way at once.
REQUESTS_AT_ONCE = 2
# The driver lists the hours one page after another.
LIST_SECONDS, KEYS_A_LIST = 0.05, 1_000
# How far the translation may be off in both directions, by judgement: the job has not run on Glue.
LOW, HIGH = 0.6, 1.6


@dataclass(frozen=True)
class RefreshModel:
    """What a run takes, asks for and writes. `base_seconds` are on Glue, slopes in seconds of a core.

    A run also reads the stored events of the days around its own, and writes their daily tables again:
    `core_seconds_per_daily_event` is for each event that the lake has of a day.
    """

    base_seconds: float
    core_seconds_per_event: float
    core_seconds_per_daily_event: float
    core_seconds_per_object: float
    puts: float
    puts_per_event: float
    gets: float
    catalog_requests: float
    results_bytes: float
    results_bytes_per_event: float

    def seconds(self, events: float, objects: float, events_per_day: float, workers: int = 2) -> float:
        """Seconds on Glue, before its minimum is applied, of a run with so many new events in so many objects."""
        cores = CORES_A_WORKER * (workers - 1)
        work = (
            events * self.core_seconds_per_event
            + events_per_day * self.core_seconds_per_daily_event
            + objects * self.core_seconds_per_object
        )
        return self.base_seconds + objects * LIST_SECONDS / KEYS_A_LIST + work / cores

    def scaled(self, factor: float) -> "RefreshModel":
        """The same job where everything takes `factor` times as long."""
        return replace(
            self,
            base_seconds=self.base_seconds * factor,
            core_seconds_per_event=self.core_seconds_per_event * factor,
            core_seconds_per_daily_event=self.core_seconds_per_daily_event * factor,
            core_seconds_per_object=self.core_seconds_per_object * factor,
        )


def measured() -> dict[str, Any]:
    return json.loads(files("clicklake.cost").joinpath("measured.json").read_text("utf-8"))


@lru_cache(maxsize=1)
def refresh_model() -> RefreshModel:
    return fit(measured()["refreshes"])


def fit(points: list[dict[str, Any]]) -> RefreshModel:
    """From runs on empty lakes of several sizes (`lake_events` 0), and runs of a day more on each.

    What a new event needs is the slope of the former, what a stored one needs that of the latter; the constants
    are those of a run of a day more, which most runs are.
    """
    firsts = [point for point in points if point["lake_events"] == 0]
    days = [point for point in points if point["lake_events"] > 0]

    def per_event(name: str) -> float:
        found = linear_regression([point["events"] for point in firsts], [point[name] for point in firsts])
        return found.slope

    def constant(name: str) -> float:
        return mean(point[name] - per_event(name) * point["events"] for point in days)

    stored_a_day = [point["lake_events"] / LAKE_DAYS for point in days]
    daily = linear_regression(
        stored_a_day, [point["cpu_seconds"] - per_event("cpu_seconds") * point["events"] for point in days]
    )
    gets = mean(point["s3_gets"] - point["objects"] for point in days)
    puts, catalog_requests = constant("s3_puts"), mean(point["catalog"] for point in days)
    waiting = (puts + gets + catalog_requests) * REQUEST_SECONDS / REQUESTS_AT_ONCE
    return RefreshModel(
        base_seconds=daily.intercept / BUSY_CORES + waiting,
        core_seconds_per_event=per_event("cpu_seconds"),
        core_seconds_per_daily_event=daily.slope,
        core_seconds_per_object=REQUEST_SECONDS,
        puts=puts,
        puts_per_event=per_event("s3_puts"),
        gets=gets,
        catalog_requests=catalog_requests,
        results_bytes=constant("results_bytes"),
        results_bytes_per_event=per_event("results_bytes"),
    )
