"""What a month of 30 days uses of each service, by the keys of prices.json.

What is measured comes from measured.json, what exists from configuration.py. What is neither is assumed, here,
and says so. Nothing is counted for what the lake's own people do in Athena, nor for the options domain, replica
and chat. The lake is a year old: twelve months are kept.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from clicklake.cost.configuration import DEFAULT, Configuration
from clicklake.cost.refresh_time import (
    KEYS_A_LIST,
    LIST_SECONDS,
    MINIMUM_SECONDS,
    RefreshModel,
    measured,
    refresh_model,
)
from clicklake.paths import LISTING_OVERLAP

DAYS = 30
MONTHS_KEPT = 12
GB = 1_000_000_000

# --- assumed: how long functions take on AWS, where they wait for other services
INGEST_SECONDS = 0.05
GATE_SECONDS = 0.5
QUERY_SECONDS = 1.5
GENERATOR_SECONDS = 1.0
ADMIN_SECONDS = 0.3
# --- assumed: what is written to logs beside the functions' own lines
PLATFORM_LOG_BYTES = 350  # START, END and REPORT of a call
ACCESS_LOG_BYTES = 220
SMALL_LOG_BYTES = 400
JOB_LOG_BYTES = 1_000_000
# --- assumed: people, and what is asked in passing
REPORT_VIEWS = 2 * DAYS
REQUESTS_A_VIEW = 4
HEADER_BYTES = 500
EMAILS = 10
ADMINISTRATORS = 1
COLD_STARTS = 50 * DAYS
SECRETS = 3
# --- Athena: 10 MB a query at least. A count of events reads 0.6 MB a million; two of the report's queries make one.
REPORT_QUERIES = 19
QUERY_MB = 10
EVENTS_QUERIES, MB_PER_MILLION_EVENTS = 2, 0.6
GETS_A_QUERY, RESULT_OBJECTS_A_QUERY, CATALOG_REQUESTS_A_QUERY = 20, 2, 10
# Lambda asks a queue by five connections, each of which waits for 20 seconds. Source: AWS, Using Lambda with SQS.
QUEUE_REQUESTS = 5 * 3 * 60 * 24 * DAYS
# The gate and the job look back so far behind the last run.
LISTED_BEFORE_HOURS = LISTING_OVERLAP // timedelta(hours=1)


@dataclass(frozen=True)
class Workload:
    """What comes, and what was chosen. Events are spread evenly over the day.

    `is_flex` None is as Terraform has it: where refreshes are hours apart.
    `is_maintained` is a lake whose superseded files are removed monthly; the time of that job is not counted.
    `is_gzipped` and `is_rest` are as it is built, and can be turned for comparison only.
    """

    events_per_day: int = 5_760
    events_per_request: float = 10
    refresh_minutes: int = DEFAULT.refresh_minutes
    workers: int = DEFAULT.workers
    is_flex: bool | None = None
    has_firewall: bool = False
    ingest_memory_mb: int = DEFAULT.memory_mb["ingest"]
    raw_months_kept: int = MONTHS_KEPT
    is_maintained: bool = False
    is_gzipped: bool = True
    is_rest: bool = False

    @property
    def requests_per_day(self) -> float:
        return self.events_per_day / self.events_per_request

    @property
    def has_flex_runs(self) -> bool:
        return self.refresh_minutes >= DEFAULT.flex_from_minutes if self.is_flex is None else self.is_flex


@dataclass(frozen=True)
class Refreshes:
    """A month's runs that find something new, and the weekly ones that list everything.

    `is_late` where a run takes longer than the time between two, `is_cut` where one ends at its time limit.
    """

    runs: float
    reconciling_runs: float
    seconds: float
    reconciling_seconds: float
    is_late: bool
    is_cut: bool

    @property
    def all_runs(self) -> float:
        return self.runs + self.reconciling_runs

    @property
    def billed_seconds(self) -> float:
        """Of all runs of the month, Glue's minimum applied."""
        return self.runs * max(MINIMUM_SECONDS, self.seconds) + self.reconciling_runs * max(
            MINIMUM_SECONDS, self.reconciling_seconds
        )


def refreshes(
    workload: Workload, model: RefreshModel | None = None, configuration: Configuration = DEFAULT
) -> Refreshes:
    """The gate starts a run when something is new, and not while one is at work.

    Raises ValueError where the workers cannot keep up with the events, however rarely they run.
    """
    model = model or refresh_model()
    minutes = workload.refresh_minutes
    expected = workload.requests_per_day * minutes / 1_440
    # Independent requests: with 2 expected in an interval, one interval in seven has none.
    runs = DAYS * 1_440 / minutes * -math.expm1(-expected)
    seconds = _seconds(workload, model, runs)
    is_late = seconds > minutes * 60
    if is_late:
        runs = _longest_without_pause(workload, model, minutes)
        seconds = _seconds(workload, model, runs)
    kept_objects = workload.requests_per_day * DAYS * workload.raw_months_kept
    listing = kept_objects / KEYS_A_LIST * LIST_SECONDS
    reconciling_seconds = model.seconds(0, 0, 0, workload.workers) + listing
    limit = configuration.timeout_minutes * 60
    return Refreshes(
        runs=runs,
        reconciling_runs=DAYS / configuration.reconcile_days,
        seconds=seconds,
        reconciling_seconds=min(reconciling_seconds, limit),
        is_late=is_late,
        is_cut=max(seconds, reconciling_seconds) > limit,
    )


def _seconds(workload: Workload, model: RefreshModel, runs: float) -> float:
    events, objects = workload.events_per_day * DAYS / runs, workload.requests_per_day * DAYS / runs
    return model.seconds(events, objects, workload.events_per_day, workload.workers)


def _longest_without_pause(workload: Workload, model: RefreshModel, minutes: int) -> float:
    """Runs a month that follow one another at once, each on what came during the one before, at the next look."""
    looks = 1
    while _seconds(workload, model, DAYS * 1_440 / (minutes * looks)) > looks * minutes * 60:
        looks += 1
        if looks * minutes > DAYS * 1_440:
            raise ValueError(
                f"{workload.events_per_day:,} events a day are more than {workload.workers} workers can refresh: "
                "take more of them"
            )
    return DAYS * 1_440 / (minutes * looks)


Usage = dict[str, dict[str, float]]


def usage(workload: Workload, model: RefreshModel | None = None, configuration: Configuration = DEFAULT) -> Usage:
    """By price, and within it by what needs it: units of the price, in a month."""
    model = model or refresh_model()
    month = _Month(workload, model, configuration, refreshes(workload, model, configuration))
    return {**_door(month), **_functions(month), **_job_and_report(month), **_store(month), **_watching(month)}


class _Month:
    """What several services are billed for."""

    def __init__(
        self, workload: Workload, model: RefreshModel, configuration: Configuration, refreshed: Refreshes
    ) -> None:
        self.workload, self.model, self.configuration, self.refreshed = workload, model, configuration, refreshed
        self.requests = workload.requests_per_day * DAYS
        self.events = workload.events_per_day * DAYS
        self.runs = refreshed.all_runs
        self.queries = self.runs * REPORT_QUERIES

        # The gate looks: at each schedule, hourly to measure, and weekly.
        refresh = DAYS * 1_440 / workload.refresh_minutes
        measure = DAYS * 1_440 / configuration.measure_minutes
        self.gate_calls = refresh + measure + refreshed.reconciling_runs
        between = DAYS * 24 / refreshed.runs
        since, halfway = (hours + LISTED_BEFORE_HOURS + 1 for hours in (between, between / 2))
        pages = max(1, math.ceil(workload.requests_per_day / 24 / KEYS_A_LIST))
        # To measure it begins with the oldest, which held all they ever will when the last run began.
        listed_hours = refresh * self._listed(since) + refreshed.reconciling_runs * self._listed(halfway)
        listed_hours += measure * self._listed(halfway, without_news=LISTED_BEFORE_HOURS)
        remembered_hours = self.runs * (LISTED_BEFORE_HOURS + 1)
        self.gate_lists = self.gate_calls + pages * (listed_hours + remembered_hours)
        # The job lists them again, and once a week everything.
        kept_pages = self.requests * workload.raw_months_kept / KEYS_A_LIST
        self.job_lists = refreshed.runs * pages * since + refreshed.reconciling_runs * kept_pages

        self.calls = {
            "ingest": self.requests,
            "gate": self.gate_calls,
            "report": self.runs,
            "generator": DAYS * 1_440 / configuration.generator_minutes,
            "admin": REPORT_VIEWS,
        }

    def _listed(self, hours: float, without_news: int = 0) -> float:
        """Hours that the gate lists in a look: to the first with something new, or all."""
        an_hour = self.workload.requests_per_day / 24
        is_quiet = math.exp(-an_hour * max(0, hours - LISTED_BEFORE_HOURS - 1))
        to_first = min(hours, without_news + 1 / -math.expm1(-an_hour))
        return is_quiet * hours + (1 - is_quiet) * to_first


def _door(month: _Month) -> Usage:
    workload, requests = month.workload, month.requests
    site = REPORT_VIEWS * REQUESTS_A_VIEW
    used: Usage = {
        "rest_api_requests" if workload.is_rest else "api_requests": {"events": requests, "report": REPORT_VIEWS},
        "cloudfront_requests": {"events": requests, "report": site},
        "cloudfront_function_calls": {"report": site},
        "cloudfront_gb": {"answers": requests * (measured()["ingest"]["answer_bytes"] + HEADER_BYTES) / GB},
        "cognito_users": {"administrators": ADMINISTRATORS},
    }
    if workload.has_firewall:
        used["firewall_lists"] = {"firewall": 1}
        used["firewall_rules"] = {"firewall": month.configuration.firewall_rules}
        used["firewall_requests"] = {"events": requests, "report": site}
    return used


def _functions(month: _Month) -> Usage:
    calls = month.calls
    seconds = {
        "ingest": calls["ingest"] * INGEST_SECONDS,
        "gate": calls["gate"] * GATE_SECONDS + month.gate_lists * LIST_SECONDS,
        "report": month.queries * QUERY_SECONDS,
        "generator": calls["generator"] * GENERATOR_SECONDS,
        "admin": calls["admin"] * ADMIN_SECONDS,
    }
    memory_mb = {**month.configuration.memory_mb, "ingest": month.workload.ingest_memory_mb}
    return {
        "lambda_requests": calls,
        "lambda_gb_seconds": {name: seconds[name] * memory_mb[name] / 1024 for name in seconds},
        "sqs_requests": {"drain": QUEUE_REQUESTS},
        "kms_requests": {"ingest": COLD_STARTS * SECRETS},
        "schedule_calls": {"gate": calls["gate"], "generator": calls["generator"]},
    }


def _job_and_report(month: _Month) -> Usage:
    workload, runs = month.workload, month.runs
    kept_millions = month.events * MONTHS_KEPT / 1e6
    scanned_mb = month.queries * QUERY_MB + runs * EVENTS_QUERIES * MB_PER_MILLION_EVENTS * kept_millions
    return {
        "glue_flex_dpu_hours" if workload.has_flex_runs else "glue_dpu_hours": {
            "refresh": workload.workers * month.refreshed.billed_seconds / 3600
        },
        "catalog_requests": {
            "refresh": runs * month.model.catalog_requests,
            "report": month.queries * CATALOG_REQUESTS_A_QUERY,
        },
        "athena_tb": {"report": scanned_mb / 1e6},
    }


def _store(month: _Month) -> Usage:
    workload, model, runs, ingest = month.workload, month.model, month.runs, measured()["ingest"]
    raw_bytes = month.requests * ingest["object_bytes"] + month.events * ingest["object_bytes_per_event"]
    if not workload.is_gzipped:
        raw_bytes = month.events * ingest["line_bytes"]
    superseded_months = 1 if workload.is_maintained else MONTHS_KEPT
    return {
        "s3_puts": {
            "ingest": month.requests,
            "refresh": runs * model.puts + month.events * model.puts_per_event + month.job_lists,
            "gate": month.gate_lists + runs,
            "report": runs + month.queries * RESULT_OBJECTS_A_QUERY,
        },
        "s3_gets": {
            "refresh": runs * model.gets + month.requests,
            "gate": month.gate_calls,
            "report": month.queries * GETS_A_QUERY + REPORT_VIEWS,
        },
        "s3_gb_months": {
            "raw": raw_bytes * workload.raw_months_kept / GB,
            "results": month.events * model.results_bytes_per_event * MONTHS_KEPT / GB,
            "superseded": runs * model.results_bytes * superseded_months / GB,
        },
    }


def _watching(month: _Month) -> Usage:
    configuration = month.configuration
    function_calls = sum(month.calls.values()) - month.requests
    log_gb = {
        "ingest": month.requests * (measured()["ingest"]["log_line_bytes"] + PLATFORM_LOG_BYTES) / GB,
        "access": month.requests * ACCESS_LOG_BYTES / GB,
        "functions": function_calls * (SMALL_LOG_BYTES + PLATFORM_LOG_BYTES) / GB,
        "job": month.runs * JOB_LOG_BYTES / GB,
    }
    kept_months = configuration.log_retention_days / DAYS
    return {
        "alarm_metrics": {"alarms": configuration.alarm_metrics},
        "dashboards": {"dashboard": configuration.dashboards},
        # A metric is billed for the hours in which it is sent.
        "custom_metrics": {
            "ingest": configuration.steady_metrics * -math.expm1(-month.workload.requests_per_day / 24),
            "gate": configuration.gate_metrics,
            "report": configuration.run_metrics * min(1.0, month.runs / (DAYS * 24)),
        },
        "log_gb": log_gb,
        "log_gb_months": {name: size * kept_months for name, size in log_gb.items()},
        "sns_emails": {"notices": EMAILS},
    }
