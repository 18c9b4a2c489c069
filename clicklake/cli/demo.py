"""`clicklake demo`: sixty days of a shop, from the first click to the report."""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clicklake.cli.show import as_table, console
from clicklake.local import twin
from clicklake.local.places import TwinError
from clicklake.local.refresher import Job, running_job
from clicklake.local.sql import Engine, QueryError, connect, read_queries
from clicklake.local.twin import (
    EDGE,
    INGEST_LOG,
    REPORT,
    SPARK_LOG,
    Sender,
    Twin,
    job_arguments,
    write_atomically,
)
from clicklake.shop import Request, simulate
from dashboards.report.page import render

# As two instances of the function would: one waits for S3 while the other works.
SENDERS = 2
SHOWN_QUERIES = (
    ("kpis", "Key figures", ()),
    ("funnel", "Funnel", ("step_name", "sessions", "dropped", "share_of_previous", "share_of_first", "median_seconds")),
    ("ledger", "Ledger: where every line went", ()),
)


@dataclass(frozen=True)
class Plan:
    """What the simulated shop sends. `last_day` is the last whole UTC day; None is yesterday."""

    profile: str
    days: int
    seed: int
    visitors: float
    events_per_day: int
    last_day: date | None = None

    def requests(self) -> Iterable[Request]:
        last_day = self.last_day or datetime.now(timezone.utc).date() - timedelta(days=1)
        until = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), timezone.utc)
        return simulate(
            self.profile,
            self.seed,
            self.days,
            until=until,
            visitors=self.visitors,
            events_per_day=self.events_per_day,
            edge=EDGE,
        )


def run_demo(plan: Plan, *, port: int, report: Path | None) -> None:
    started = time.monotonic()
    report = report or REPORT
    check_writable(report)
    with console.status("Starting the emulator ...") as status, twin.running(port) as running:
        status.stop()
        # The pool is left last: what waits in it ends with the job.
        with ThreadPoolExecutor(max_workers=1) as aside, running_job(running.lake, SPARK_LOG) as job:
            # A rebuild of an empty lake creates its tables and warms the JVM up while the requests are sent.
            ready = aside.submit(job.run, job_arguments(running.lake, "rebuild"))
            send(running, plan)
            with console.status("Starting Spark ..."):
                ready.result()
            refresh(running, job)
        console.print()
        engine = connect(running.lake.endpoints(), running.lake.database)
        show(engine)
        write_report(engine, report)
    console.print()
    console.print(f"The report: [bold]{report.resolve()}[/]", soft_wrap=True)
    console.print("Open it in a browser; it needs no network. Logs are in build/logs.")
    console.print("Next: [bold]make up[/] runs the same live; [bold]clicklake query --list[/] shows what to ask it.")
    console.print(f"Done in {time.monotonic() - started:.0f} s.")


def send(running: Twin, plan: Plan) -> None:
    """The shop's requests through the real handler, with a bar."""
    with console.status("Simulating the shop's visitors ..."):
        try:
            requests = list(plan.requests())
        except ValueError as error:
            raise TwinError(f"{error}.") from error
    INGEST_LOG.parent.mkdir(parents=True, exist_ok=True)
    answers: Counter[int] = Counter()
    is_stopped = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    begun = time.monotonic()
    with open(INGEST_LOG, "w", encoding="utf-8") as log, Progress(*columns, console=console) as progress:
        task = progress.add_task("Sending requests through the ingest function", total=len(requests))

        def deliver(number: int) -> Counter[int]:
            name = f"demo-{plan.profile}-{plan.seed}-{number}"
            sender = Sender(running.lake, name, lambda line: log.write(line + "\n"))
            told: Counter[int] = Counter()
            for request in requests[number::SENDERS]:
                if is_stopped.is_set():
                    break
                told[sender.send(request)] += 1
                progress.advance(task)
            return told

        with ThreadPoolExecutor(SENDERS) as senders:
            try:
                for told in senders.map(deliver, range(SENDERS)):
                    answers += told
            finally:
                is_stopped.set()
    told = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    console.print(f"{len(requests):,} requests answered in {time.monotonic() - begun:.0f} s: {told}.")


def refresh(running: Twin, job: Job) -> None:
    with console.status("Refreshing the lake with Spark ..."):
        job.run(job_arguments(running.lake), say=lambda line: console.print(line, markup=False))


def show(engine: Engine) -> None:
    """The saved queries that make the demo's summary."""
    saved = read_queries("saved")
    for name, title, columns in SHOWN_QUERIES:
        try:
            rows = engine.query(saved[name])
            console.print(as_table(rows.select(columns) if columns else rows, title=title))
        except QueryError as error:
            raise TwinError(f"The saved query {name} failed: {error}") from error


def check_writable(path: Path) -> None:
    """Now, not after minutes of work."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise TwinError(f"The report cannot be written to {path}: {error.strerror}.") from error


def write_report(engine: Engine, path: Path) -> None:
    try:
        write_atomically(path, render(engine))
    except QueryError as error:
        raise TwinError(f"The report cannot be drawn: {error}") from error
