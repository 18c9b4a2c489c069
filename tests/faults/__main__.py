"""Runs the fault campaign: `python -m tests.faults [--seeds 20] [--missing] [--kind NAME ...]`.

Needs nothing but this machine. Each seed's result goes to docs/faults.csv as soon as it is known, in place of an older
one of the same seed; the table in docs/faults.md sums them up.
"""

import argparse
import csv
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from clicklake.local.places import ROOT
from tests.faults.campaign import KINDS, Case, run
from tests.faults.world import NOTHING, Result, open_world

TABLE, RESULTS = ROOT / "docs" / "faults.md", ROOT / "docs" / "faults.csv"
FIELDS = ("kind", "seed", "struck", "ended", "lost", "repeated", "is_balanced", "is_equal", "seconds", "run_on")
BEGIN, END = "<!-- table: python -m tests.faults -->", "<!-- end -->"
HEADER = (
    "| kind | seeds | struck | the disturbed run | lost | repeated | ledger | tables | seconds a seed | run on |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)
Record = dict[str, str]


def read_results() -> dict[Case, Record]:
    """The last result of each seed of each kind."""
    if not RESULTS.exists():
        return {}
    with RESULTS.open(encoding="utf-8", newline="") as file:
        return {(record["kind"], int(record["seed"])): record for record in csv.DictReader(file)}


def keep(result: Result) -> None:
    values = {**result.__dict__, **result.verdict.__dict__, "seconds": f"{result.seconds:.1f}", "run_on": date.today()}
    is_new = not RESULTS.exists()
    with RESULTS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore", lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(values)


def row(kind: str, records: list[Record]) -> str:
    """One line of the table for all seeds of a kind."""
    ends = Counter(record["ended"] for record in records)
    struck = [record["struck"] for record in records if record["struck"] != NOTHING]
    examples = "; ".join(list(dict.fromkeys(struck))[:3]) or NOTHING
    balanced = sum(record["is_balanced"] == "True" for record in records)
    # Empty: the tables of this seed were compared with nothing.
    compared = [record["is_equal"] == "True" for record in records if record["is_equal"]]
    equal = f"{sum(compared)} of {len(compared)}" if compared else "-"
    lost, repeated = (sum(int(record[name]) for record in records) for name in ("lost", "repeated"))
    seconds = sum(float(record["seconds"]) for record in records) / len(records)
    told = "; ".join(f"{end} ({count})" for end, count in ends.most_common())
    run_on = sorted({record["run_on"] for record in records})
    days = " to ".join(dict.fromkeys((run_on[0], run_on[-1])))
    return (
        f"| {kind} | {len(records)} | {len(struck)} of {len(records)}: {examples} | {told} | {lost} | {repeated} "
        f"| {balanced} of {len(records)} | {equal} | {seconds:.1f} | {days} |\n"
    )


def write_table() -> None:
    """The table anew from all results; they are put in order, with one line a seed."""
    results = read_results()
    order = sorted(results, key=lambda case: (KINDS.index(case[0]), case[1]))
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(results[case] for case in order)
    of_kinds = ((kind, [results[case] for case in order if case[0] == kind]) for kind in KINDS)
    lines = "".join(row(kind, records) for kind, records in of_kinds if records)
    text = TABLE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    TABLE.write_text(f"{before}{BEGIN}\n{HEADER}{lines}{END}{after}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each kind (20)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--kind", nargs="*", choices=KINDS, metavar="KIND", help=f"of: {'; '.join(KINDS)}")
    parser.add_argument("--missing", action="store_true", help="only seeds that docs/faults.csv does not have")
    parser.add_argument("--keep-table", action="store_true", help="write neither docs/faults.csv nor docs/faults.md")
    arguments = parser.parse_args()
    kinds = arguments.kind or KINDS
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    # Seed by seed, so that a campaign that is stopped early has seen every kind.
    cases = [(kind, seed) for seed in seeds for kind in kinds]
    if arguments.missing:
        known = read_results()
        cases = [case for case in cases if case not in known]
    done, wrong = 0, 0
    start = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="clicklake-") as folder, open_world(Path(folder)) as world:
            for done, result in enumerate(run(world, cases), 1):
                if not arguments.keep_table:
                    keep(result)
                wrong += not result.is_good
                mark = "ok" if result.is_good else "WRONG"
                told = f"{result.kind} {result.seed}: {result.struck}; {result.ended} ({result.seconds:.1f} s)"
                print(f"{time.monotonic() - start:7.1f} s  {done} of {len(cases)}  {mark:5}  {told}", flush=True)
                if not result.is_good:
                    print(f"           {json.dumps(result.verdict.__dict__)}", flush=True)
    except KeyboardInterrupt:
        print("stopped; the table holds what was run")
    finally:
        if not arguments.keep_table:
            write_table()
    print(f"{done} of {len(cases)} cases run, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
