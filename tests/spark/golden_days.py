"""The golden week of tests/golden: its raw lines, its rows, and ways to put it into a lake."""

import random
from pathlib import Path

from tests.spark.lakes import SmallLake

GOLDEN = Path(__file__).parent.parent / "golden"


def all_lines() -> list[str]:
    """Every raw line of the week, in order of receipt; those that are no raw lines come last."""
    return [line for path in sorted(GOLDEN.glob("raw/*.ndjson")) for line in path.read_text().splitlines()]


def put_all(lake: SmallLake, seed: int, runs: int) -> None:
    """Puts and refreshes the week in `runs` parts: in order for seed 0, else shuffled, with lines copied."""
    lines = all_lines()
    rng = random.Random(seed)
    if seed:
        lines += rng.sample(lines, 25)  # lines copied into other objects
        rng.shuffle(lines)
    size = max(1, len(lines) // (runs * 4))
    objects = [lines[i : i + size] for i in range(0, len(lines), size)]
    for number, content in enumerate(objects):
        lake.put(content, f"s{seed}n{number}", f"2026-09-{7 + number % 7:02}T{number % 24:02}:00:00")
        if (number + 1) % -(-len(objects) // runs) == 0:
            lake.run()
    lake.run()
