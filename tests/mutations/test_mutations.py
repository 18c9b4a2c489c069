"""A transform broken on purpose is found out by the tests. Each line breaks one rule in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clicklake.local.places import ROOT

pytestmark = pytest.mark.slow

SESSIONS, WEEK, BEHAVIOUR, RARE = (
    f"tests/spark/test_{name}.py" for name in ("sessionize", "golden_days", "behaviour", "rare_cases")
)
# What is broken, in which file of glue_jobs/transforms, how, and the tests that have to fail.
MUTATIONS = [
    ("a gap of exactly 30 minutes splits", "sessionize", "> GAP_SECONDS * 1000", ">= GAP_SECONDS * 1000", SESSIONS),
    ("a session has no end", "sessionize", "/ (CAP_SECONDS * 1000)", "/ (CAP_SECONDS * 1000_000)", SESSIONS),
    ("a ping begins a session", "sessionize", "F.when(~is_passive, order)", "order", SESSIONS),
    ("a session is named by event_id alone", "sessionize", ', ts_date.cast("string"))', ")", SESSIONS),
    ("items may come to anything", "parse", "_items_value() > MAX_MONEY", "F.lit(False)", RARE),
    ("an unknown country loses the event", "enrich", 'how="left"', 'how="inner"', WEEK),
    ("a repeat is known by its receipt", "place_in_time", "to_date(instant(ts))", "to_date(instant(received))", WEEK),
    ("wrong clocks are believed", "place_in_time", "otherwise(ts + skew)", "otherwise(ts)", WEEK),
    ("nothing is too late", "place_in_time", "is_too_late, \"too_late\"", "F.lit(False), \"too_late\"", WEEK),
    ("the latest copy is kept", "deduplicate", 'orderBy("received_at"', 'orderBy(F.desc("received_at")', WEEK),
    ("any verified user is kept", "deduplicate", 'F.min("user_id")', 'F.max("user_id")', WEEK),
    ("the first user owns nothing before", "identity", "interval 30 days", "interval 0 days", WEEK),
    ("a refund counts as often as it is told", "orders", '"order_id", "refund_key")', '"order_id", "event_id")', WEEK),
    ("refunds exceed the order", "orders", "F.least(F.sum(wanted).over(so_far), total)", "F.sum(wanted).over(so_far)",
     WEEK),
    ("funnel steps come in any order", "summarize_sessions", "if previous:", "if False:", WEEK),
    ("bots are visitors", "daily", '        & ~F.col("is_bot")\n', "", WEEK),
    ("who buys is taken for a bot", "behaviour", "F.when(is_person,", "F.when(F.lit(False),", BEHAVIOUR),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "tests"), [m[1:] for m in MUTATIONS], ids=[m[0] for m in MUTATIONS])
def test_a_broken_rule_is_found_out(tmp_path: Path, file: str, old: str, new: str, tests: str) -> None:
    for part in ("athena_queries", "clicklake", "dashboards", "glue_jobs", "lambdas", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "glue_jobs" / "transforms" / f"{file}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", tests]
    ended = subprocess.run(
        command,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    # 1: tests failed. A tree that no longer runs ends in 2 or 4.
    assert ended.returncode == 1, ended.stdout
