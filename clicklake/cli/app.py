"""The commands of `clicklake`, their options and their help."""

import errno
import os
import signal
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clicklake import __version__
from clicklake.local.places import TwinError

app = typer.Typer(
    name="clicklake",
    help="Your shop's own clickstream platform, on your laptop: real ingest, real Spark job, real SQL.",
    epilog="Begin with: clicklake demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False)


class Profile(StrEnum):
    shop = "shop"
    plain = "plain"


class Output(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


ProfileOption = Annotated[
    Profile,
    typer.Option(help="shop: visitors with journeys. plain: independent events in the older flat form."),
]
SeedOption = Annotated[int, typer.Option(help="The same seed makes the same visitors.", min=0)]
EventsOption = Annotated[
    int, typer.Option("--events-per-day", help="Volume of the plain profile.", min=1, max=10_000_000)
]
VisitorsOption = Annotated[
    float, typer.Option(help="Visitors of the shop profile, as a multiple of the usual.", min=0.01, max=1000)
]
PORT_LIMITS = {"min": 0, "max": 65_535}
DeploymentOption = Annotated[
    str | None,
    typer.Option("--env", metavar="NAME", help="A deployment on AWS, as dev; left out: the twin on this computer."),
]


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"clicklake {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Options of every command."""


@app.command(epilog="Examples: `clicklake demo` · `clicklake demo --days 7` · `clicklake demo --profile plain`")
def demo(
    profile: ProfileOption = Profile.shop,
    days: Annotated[int, typer.Option(help="Days of visitors.", min=1, max=730)] = 60,
    seed: SeedOption = 7,
    visitors: VisitorsOption = 1.0,
    events_per_day: EventsOption = 5_760,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Last day; yesterday if left out."),
    ] = None,
    port: Annotated[int, typer.Option(help="The emulator's port; 0 is a free one.", **PORT_LIMITS)] = 0,
    report: Annotated[Path | None, typer.Option(help="Where to write the report.")] = None,
) -> None:
    """A simulated shop from its first click to the report, then end.

    Starts an emulator of AWS, sends the shop's requests through the real ingest function, runs the
    real Spark job, prints the key figures and the ledger, writes a report to open in a browser, and
    compares the lake with a second computation: the exit code is 1 where a difference is not explained.
    """
    from clicklake.cli.demo import run_demo
    from clicklake.cli.making import Plan

    plan = Plan(profile.value, days, seed, visitors, events_per_day, until.date() if until else None)
    if not run_demo(plan, port=port, report=report):
        raise typer.Exit(1)


@app.command(epilog="Examples: `clicklake up` · `clicklake up --port 9000 --every 30`")
def up(
    port: Annotated[int, typer.Option(help="The gateway's port.", **PORT_LIMITS)] = 8787,
    report_port: Annotated[int, typer.Option(help="The report's port.", **PORT_LIMITS)] = 8788,
    emulator_port: Annotated[int, typer.Option(help="The emulator's port; 0 is a free one.", **PORT_LIMITS)] = 0,
    profile: ProfileOption = Profile.shop,
    seed: SeedOption = 7,
    speed: Annotated[float, typer.Option(help="How many times busier than usual.", min=0.01, max=1000)] = 20.0,
    every: Annotated[int, typer.Option(help="Seconds between refreshes.", min=1, max=86_400)] = 60,
) -> None:
    """The platform, live: gateway, visitors, a refresh a minute, the report. Until Ctrl-C.

    While it runs, `clicklake query`, `refresh`, `rebuild`, `reparse` and `maintain` work in another terminal.
    """
    from clicklake.cli.up import run_up

    run_up(
        gateway_port=port,
        report_port=report_port,
        emulator_port=emulator_port,
        profile=profile.value,
        seed=seed,
        speed=speed,
        every_seconds=every,
    )


@app.command(epilog="Examples: `clicklake refresh` · `clicklake refresh --env dev`")
def refresh(
    environment: DeploymentOption = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="List all raw objects, not only the latest hours.")
    ] = False,
) -> None:
    """Raw objects that have arrived since the last refresh become rows. Without new ones nothing changes.

    A run that is at work already is waited for. On AWS each run bills a minute of two workers, or more.
    """
    from clicklake.cli.runs import run_deployed_job, run_job

    arguments = {"--reconcile": "true"} if reconcile else {}
    if environment:
        run_deployed_job(environment, arguments)
    else:
        run_job("refresh", *(part for pair in arguments.items() for part in pair))


@app.command(epilog="Example: `clicklake rebuild`")
def rebuild() -> None:
    """Derive sessions, orders and all daily tables from events again."""
    from clicklake.cli.runs import run_job

    run_job("rebuild")


@app.command(epilog="Example: `clicklake reparse --from 2026-01-01 --to 2026-01-07`")
def reparse(
    first: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="First day of arrival."),
    ],
    last: Annotated[
        datetime,
        typer.Option("--to", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Last day of arrival."),
    ],
) -> None:
    """Read the raw objects of some days again, for instance after the contract has changed."""
    from clicklake.cli.runs import run_job

    if first > last:
        raise TwinError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}: exchange them.")
    run_job("reparse", "--from", f"{first:%Y-%m-%d}", "--to", f"{last:%Y-%m-%d}")


@app.command(epilog="Examples: `clicklake maintain` · `clicklake maintain --keep-days 1`")
def maintain(
    keep_days: Annotated[int, typer.Option(help="Days for which every state of a table can be read.", min=1)] = 7,
) -> None:
    """Compact the tables, forget their old states, pack raw objects of days that are over. No row changes."""
    from clicklake.cli.runs import run_job

    run_job("maintain", "--keep_days", str(keep_days))


@app.command(
    epilog='Examples: `clicklake query kpis` · `clicklake query "select count(*) as n from events"` · '
    "`clicklake query products --output csv > products.csv` · `clicklake query kpis --env dev`"
)
def query(
    sql: Annotated[
        str,
        typer.Argument(help="A SELECT in Athena's SQL, or the name of a saved query; - reads it from stdin."),
    ] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the rows.")] = Output.table,
    limit: Annotated[int, typer.Option(help="Rows of a table to print; 0 is all.", min=0)] = 100,
    listing: Annotated[bool, typer.Option("--list", help="List the saved queries, tables and views.")] = False,
    environment: DeploymentOption = None,
) -> None:
    """Ask the lake of the running twin (`clicklake up`), of AWS_ENDPOINT_URL and LAKE_BUCKET, or of a deployment.

    On AWS it is Athena that answers, in the deployment's workgroup; a query bills 10 MB read, or more.
    """
    from clicklake.cli.query import list_queries, read_stdin, run_query

    if listing or not sql:
        list_queries()
    else:
        run_query(read_stdin() if sql == "-" else sql, output.value, limit, environment)


@app.command(
    epilog="Examples: `clicklake verify --days 60` · `clicklake verify` · `clicklake verify --all --output csv`"
)
def verify(
    days: Annotated[
        int | None,
        typer.Option(help="Make a lake of so many simulated days first, and compare that.", min=1, max=730),
    ] = None,
    seed: SeedOption = 7,
    visitors: VisitorsOption = 1.0,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Their last day; yesterday if left out."),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the comparison.")] = Output.table,
    show_all: Annotated[bool, typer.Option("--all", help="Every figure of every period, sound ones too.")] = False,
) -> None:
    """Compare every table and figure of a lake with a second computation, and with what really happened.

    The second computation reads the raw lines anew, in plain Python, by the definitions alone. With --days the
    lake is made for the comparison, and the simulated shop notes the truth while it makes its visitors;
    otherwise it is the running twin's, whose truth nobody knows. Each difference is explained in a line;
    the exit code is 1 when one is not.
    """
    from clicklake.cli.making import Plan
    from clicklake.cli.verify import run_verify

    if days is None and (seed != 7 or visitors != 1.0 or until):
        raise TwinError("--seed, --visitors and --until tell what to simulate: add --days.")
    plan = Plan("shop", days, seed, visitors, 1, until.date() if until else None) if days else None
    if not run_verify(plan, output.value, show_all):
        raise typer.Exit(1)


@app.command(epilog="Example: `clicklake smoke --env dev`")
def smoke(
    environment: Annotated[str, typer.Option("--env", metavar="NAME", help="The deployment on AWS, as dev.")],
) -> None:
    """Send one test event through a deployment: its address, raw, a refresh, SQL. It counts in no figure.

    Prints each step with its seconds; where one fails, which, and what to look at.
    """
    from clicklake.cli.smoke import run_smoke

    run_smoke(environment)


@app.command(epilog="Examples: `clicklake doctor` · `clicklake doctor --env dev`")
def doctor(
    environment: Annotated[
        str | None,
        typer.Option("--env", metavar="NAME", help="Check what deploying to AWS needs instead, for this deployment."),
    ] = None,
) -> None:
    """Check what a laptop needs, and say how to get what is missing."""
    from clicklake.cli.doctor import run_doctor

    if not run_doctor(environment):
        raise typer.Exit(1)


@app.command(
    epilog="Examples: `clicklake cost` · `clicklake cost --events-per-day 100000 --refresh hourly --flex` · "
    "`clicklake cost --output json`"
)
def cost(
    events_per_day: Annotated[int, typer.Option(help="Events a day, evenly spread.", min=1)] = 5_760,
    events_per_request: Annotated[float, typer.Option(help="Events that a request brings.", min=1, max=500)] = 10,
    refresh: Annotated[
        str, typer.Option(help='daily, hourly, 5-minutes, or a rate, as "rate(6 hours)".', metavar="CADENCE")
    ] = "daily",
    workers: Annotated[int, typer.Option(help="Glue's workers, one of them the driver.", min=2, max=299)] = 2,
    flex: Annotated[
        bool | None,
        typer.Option(
            "--flex/--no-flex", help="Glue's cheaper class, which may wait for capacity: as deployed, from 6 hours on."
        ),
    ] = None,
    firewall: Annotated[bool, typer.Option("--firewall", help="With WAF in front of everything.")] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the bill.")] = Output.table,
) -> None:
    """What a month on AWS costs, every service counted, with and without what AWS gives for nothing.

    Prices are those of clicklake/cost/prices.json, which says where each was read; what is assumed beside them is
    in docs/cost.md. It asks nobody: no account is needed.
    """
    from clicklake.cli.cost import minutes_of, run_cost
    from clicklake.cost.usage import Workload

    run_cost(
        Workload(events_per_day, events_per_request, minutes_of(refresh), workers, flex, firewall),
        output.value,
    )


_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)


class _Stopped(BaseException):
    """Ctrl-C, or a polite request to end. Not KeyboardInterrupt: libraries have their own ideas of that."""


def run(arguments: list[str]) -> int:
    """The exit code. What a user can put right is one sentence, never a stack trace."""
    try:
        sys.unraisablehook = _stop_soon
        for ending in (*_ENDINGS, signal.SIGALRM):
            # nohup asks to live on when the terminal is closed.
            if (ending, signal.getsignal(ending)) != (signal.SIGHUP, signal.SIG_IGN):
                signal.signal(ending, _stop)
        app(arguments, prog_name="clicklake")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except _Stopped:
        errors.print("Stopped; nothing is left running here.")
        return 130
    except TwinError as error:
        errors.print(str(error), markup=False, soft_wrap=True)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain while flushing at its end.
        _put_output_away()
        return 141
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _put_output_away()
        where = f" ({error.filename})" if error.filename else ""
        sentence = f"{error.strerror or error}{where}: there has to be room, and the right to write."
        errors.print(sentence, markup=False, soft_wrap=True)
        return 1
    return 0


def _put_output_away() -> None:
    """What is still to be written is, if it can be."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(*_: object) -> None:
    # Once is enough: a second Ctrl-C must not interrupt the tidying up.
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise _Stopped


def _stop_soon(passed_over: "sys.UnraisableHookArgs") -> None:
    """Python passes over what is raised in a destructor or a weak reference's callback: then once more, elsewhere."""
    if passed_over.exc_type is _Stopped:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(passed_over)
