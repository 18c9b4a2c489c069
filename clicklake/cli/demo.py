"""`clicklake demo`: sixty days of a shop, from the first click to the report."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from clicklake.cli.making import Plan, made_lake
from clicklake.cli.show import as_table, console
from clicklake.cli.verify import as_rows, check_made, sentence, tell_hard_cases
from clicklake.local.places import TwinError, write_atomically
from clicklake.local.sql import Engine, QueryError, read_queries
from clicklake.local.twin import REPORT
from clicklake.verify.checks import Check
from dashboards.report.page import render

SHOWN_QUERIES = (
    ("kpis", "Key figures", ()),
    ("funnel", "Funnel", ("step_name", "sessions", "dropped", "share_of_previous", "share_of_first", "median_seconds")),
    ("ledger", "Ledger: where every line went", ()),
)


def run_demo(plan: Plan, *, port: int, report: Path | None) -> bool:
    """False where the lake differs from what it should be without an explanation; all is shown and written even so."""
    started = time.monotonic()
    report = report or REPORT
    check_writable(report)
    with made_lake(plan, port) as made:
        console.print()
        show(made.engine)
        write_report(made.engine, report)
        console.print()
        is_sound = tell_verdict(check_made(made))
        tell_hard_cases(made.truth)
    console.print()
    console.print(f"The report: [bold]{report.resolve()}[/]", soft_wrap=True)
    console.print("Open it in a browser; it needs no network. Logs are in build/logs.")
    console.print("Next: [bold]make up[/] runs the same live; [bold]clicklake query --list[/] shows what to ask it.")
    console.print(f"Done in {time.monotonic() - started:.0f} s.")
    return is_sound


def tell_verdict(checks: Sequence[Check]) -> bool:
    """One sentence where all is explained; where not, what differs."""
    wrong = [check for check in checks if not check.is_sound]
    if wrong:
        console.print(as_table(as_rows(wrong), title="What differs"))
        console.print(sentence(checks), "Do not rely on the report; the demo has failed.", soft_wrap=True)
    else:
        console.print(sentence(checks), "[bold]clicklake verify --days 7[/] shows how.", soft_wrap=True)
    return not wrong


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
