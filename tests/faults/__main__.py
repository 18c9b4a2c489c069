"""Runs the fault campaign and writes its table: `python -m tests.faults [--seeds 20] [--kind NAME ...]`.

Needs nothing but this machine. A kind's row is replaced by what was run now; those that were not run stay.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from clicklake.local.places import ROOT
from tests.faults.campaign import KINDS, run
from tests.faults.world import Result, open_world

TABLE = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- table: python -m tests.faults -->", "<!-- end -->"
HEADER = (
    "| kind | seeds | struck | the disturbed run | lost | repeated | ledger, tables | seconds a seed | run on |\n"
    "|---|---|---|---|---|---|---|---|---|\n"
)


def row(kind: str, results: list[Result]) -> str:
    """One line of the table for all seeds of a kind."""
    ends = Counter(result.ended for result in results)
    struck = [result.struck for result in results if result.struck != "nothing"]
    examples = "; ".join(list(dict.fromkeys(struck))[:3]) or "nothing"
    good = sum(result.verdict.is_balanced and result.verdict.is_equal for result in results)
    seconds = sum(result.seconds for result in results) / len(results)
    told = "; ".join(f"{end} ({count})" for end, count in ends.most_common())
    return (
        f"| {kind} | {len(results)} | {len(struck)} of {len(results)}: {examples} | {told} "
        f"| {sum(result.verdict.lost for result in results)} | {sum(result.verdict.repeated for result in results)} "
        f"| {good} of {len(results)} | {seconds:.1f} | {date.today()} |"
    )


def write_table(rows: dict[str, str]) -> None:
    text = TABLE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    kept = {line.split("|")[1].strip(): line for line in old.splitlines() if line.startswith("| ")}
    merged = {**kept, **rows}
    lines = "".join(merged[kind] + "\n" for kind in KINDS if kind in merged)
    TABLE.write_text(f"{before}{BEGIN}\n{HEADER}{lines}{END}{after}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each kind (20)")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--kind", nargs="*", choices=KINDS, metavar="KIND", help=f"of: {'; '.join(KINDS)}")
    parser.add_argument("--keep-table", action="store_true", help="do not write docs/faults.md")
    arguments = parser.parse_args()
    kinds = arguments.kind or KINDS
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    # Seed by seed, so that a campaign that is stopped early has seen every kind.
    cases = [(kind, seed) for seed in seeds for kind in kinds]
    results: dict[str, list[Result]] = defaultdict(list)
    start = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="clicklake-") as folder, open_world(Path(folder)) as world:
            for done, result in enumerate(run(world, cases), 1):
                results[result.kind].append(result)
                mark = "ok" if result.is_good else "WRONG"
                told = f"{result.kind} {result.seed}: {result.struck}; {result.ended} ({result.seconds:.1f} s)"
                print(f"{time.monotonic() - start:7.1f} s  {done} of {len(cases)}  {mark:5}  {told}", flush=True)
                if not result.is_good:
                    print(f"           {json.dumps(result.verdict.__dict__)}", flush=True)
    except KeyboardInterrupt:
        print("stopped; the table holds what was run")
    finally:
        if not arguments.keep_table:
            write_table({kind: row(kind, several) for kind, several in results.items()})
    wrong = [result for several in results.values() for result in several if not result.is_good]
    print(f"{sum(map(len, results.values()))} of {len(cases)} cases run, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
