"""`clicklake verify`: the lake beside a second reading of the definitions, and beside what really happened."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError

from clicklake.cli.making import Made, Plan, made_lake
from clicklake.cli.show import as_csv, as_json, as_table, console
from clicklake.local.emulator import Lake, find_lake
from clicklake.local.places import ROOT, TwinError
from clicklake.local.sql import Engine, QueryError, connect
from clicklake.local.twin import job_arguments
from clicklake.shop.truth import read_truth
from clicklake.verify.checks import Check, check_lake
from clicklake.verify.compare import KEYS
from clicklake.verify.hard_cases import count_hard_cases
from clicklake.verify.lake import Bucket, LakeMovedError, listed_until, read_lake
from clicklake.verify.lines import CORE_COLUMNS
from clicklake.verify.oracle import Oracle, recompute
from clicklake.verify.raw_objects import RawObject
from clicklake.verify.rules import Rules, read_reference
from clicklake.verify.truth import check_truth
from glue_jobs.arguments import Settings, read_arguments
from glue_jobs.tables import TABLES

REFERENCE = ROOT / "glue_jobs" / "reference"


def run_verify(plan: Plan | None, output: str, show_all: bool) -> bool:
    """Prints the comparison of the running twin's lake, or of one made for it; False where something unexplained
    differs."""
    # Rows for a program have standard output to themselves.
    console.stderr = output != "table"
    truth = None
    if plan is None:
        lake = find_lake()
        lake.enter()
        checks = verify_lake(lake, truth)
    else:
        with made_lake(plan) as made:
            truth = made.truth
            checks = verify_lake(made.lake, truth)
    print_checks(checks, output, show_all)
    if output == "table":
        tell_hard_cases(truth)
    return all(check.is_sound for check in checks)


def verify_lake(lake: Lake, truth: Path | None) -> list[Check]:
    """The lake beside the oracle, read from raw as it landed, and beside the truth in a folder, where there is one."""
    try:
        engine = connect(lake.endpoints(), lake.database)
        with console.status("Reading the lake's raw lines ..."):
            objects, missed = read_raw(Bucket(lake.endpoints(), lake.bucket), engine)
        with console.status("Recomputing every table from them ..."):
            return [*missed, *compare(engine, recompute_lake(settings_of(lake), objects), truth)]
    except QueryError as error:
        raise TwinError(f"The lake cannot be read: {error}") from error
    except (ClientError, BotoCoreError) as error:
        raise TwinError(f"The lake's raw objects cannot be read: {error}.") from error


def check_made(made: Made) -> list[Check]:
    """The quick comparison of a lake that was just made; raw is taken as it was put."""
    try:
        return compare(made.engine, recompute_lake(settings_of(made.lake), made.raw), made.truth, is_quick=True)
    except QueryError as error:
        raise TwinError(f"The lake cannot be verified: {error}") from error


def read_raw(bucket: Bucket, engine: Engine) -> tuple[list[RawObject], list[Check]]:
    """The raw objects that the lake has read, and a check that it has read all it had to."""
    until = listed_until(engine.query)
    if until is None:
        raise TwinError("No refresh has been completed in this lake: run `clicklake refresh` first.")
    read = set(engine.query("select object from ingested_objects")["object"].to_pylist())
    listed = {each.key: each.put_at for each in bucket.raw()}
    # S3 tells whole seconds: what was put in the last one may have come after the listing.
    until = until.replace(microsecond=0)
    missed = [key for key, put_at in listed.items() if key not in read and put_at < until]
    waiting = len(listed) - len(missed) - len(read & listed.keys())
    remark = f"{waiting:,} more have come since and wait for the next refresh" if waiting else ""
    if missed:
        remark = f"never read: {missed[0]}"
    check = Check("ledger", "raw objects", f"{len(read):,}", f"{len(read) + len(missed):,}", not missed, remark)
    return bucket.open(sorted(read & listed.keys())), [check]


def settings_of(lake: Lake) -> Settings:
    """The settings that the refresh job runs with."""
    return read_arguments(job_arguments(lake))


def recompute_lake(settings: Settings, objects: Iterable[RawObject]) -> Oracle:
    """A second reading of what the job reads with these settings."""
    rules = Rules(settings.shop_time_zone, settings.shop_currency, settings.shop_hosts, settings.late_limit_days)
    return recompute(objects, rules, read_reference(REFERENCE))


def compare(engine: Engine, oracle: Oracle, truth: Path | None = None, *, is_quick: bool = False) -> list[Check]:
    """All checks; a quick comparison looks at the columns of events that decide what is counted, no others."""
    columns = {name: TABLES[name].data_columns for name in KEYS} | ({"events": CORE_COLUMNS} if is_quick else {})
    try:
        side = read_lake(engine.query, columns)
    except LakeMovedError as error:
        raise TwinError(f"{error} Let the refreshes rest for a minute, and try again.") from error
    checks = check_lake(side, oracle, is_quick=is_quick)
    return checks + check_truth(read_truth(truth), side) if truth else checks


def print_checks(checks: Sequence[Check], output: str, show_all: bool) -> None:
    """Parts that are sound in a line each, what differs in full; everything where that is asked for."""
    if output != "table":
        rows = as_rows(checks)
        print(as_csv(rows) if output == "csv" else as_json(rows), end="" if output == "csv" else "\n")
        return
    for part in dict.fromkeys(check.part for check in checks):
        of_part = [check for check in checks if check.part == part]
        shown = [check for check in of_part if show_all or not check.is_sound or is_headline(check)]
        console.print(as_table(as_rows(shown), title=f"{part.capitalize()}: {_verdict(of_part)}"))
    console.print(sentence(checks))


def tell_hard_cases(truth: Path | None) -> None:
    """One line about what of the truth is hard to get right."""
    if truth:
        console.print(f"Among what happened: {count_hard_cases(read_truth(truth))}.", soft_wrap=True)


def is_headline(check: Check) -> bool:
    """Shown even where nothing differs: all but the figures of parts of the whole range."""
    return check.part != "figures" or check.name.startswith("all: ")


def _verdict(checks: Sequence[Check]) -> str:
    wrong = sum(not check.is_sound for check in checks)
    return f"{len(checks):,} compared, " + (f"{wrong:,} differ" if wrong else "none differs")


def sentence(checks: Sequence[Check]) -> str:
    """What it all comes to, in one sentence."""
    wrong = [check for check in checks if not check.is_sound]
    sides = "a second computation"
    if any(check.part == "truth" for check in checks):
        sides += " and with what really happened"
    if not wrong:
        return f"Verified: {len(checks):,} comparisons with {sides}, every difference explained."
    return (
        f"NOT verified: {len(wrong):,} of {len(checks):,} comparisons with {sides} differ without an explanation,"
        f" the first in {wrong[0].part}: {wrong[0].name}."
    )


def as_rows(checks: Sequence[Check]) -> pa.Table:
    return pa.table(
        {
            "part": [check.part for check in checks],
            "name": [check.name for check in checks],
            "lake": [check.lake for check in checks],
            "expected": [check.expected for check in checks],
            "verdict": ["sound" if check.is_sound else "DIFFERS" for check in checks],
            "remark": [check.remark for check in checks],
        }
    )
