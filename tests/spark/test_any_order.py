"""The same raw lines give equal tables, in any order, repeated, split or killed half-way."""

import random
from datetime import date

import pytest

from glue_jobs.lake import Lake
from tests.spark.lakes import DAY_MS, SmallLake, line, ms

ITEM = {"product_id": "p1", "name": "Cable", "category": "cables", "price": "10.5", "qty": 2}
START = ms("2026-09-07T00:00:00")


def golden_week() -> list[dict]:
    """A week with what makes order matter: late bridges, wrong clocks, shared devices, repeats, refunds."""
    rng = random.Random(11)
    lines = []

    def add(event_id: str, visitor: str | None, at: int, kind: str = "page_view", **fields):
        fields.setdefault("ingest_id", f"{event_id:0>32}"[-32:])
        lines.append(line(event_id, visitor, at, kind, **fields))

    for day in range(7):
        morning = START + day * DAY_MS + 8 * 3_600_000
        for n in range(4):
            visitor = f"v{n}"
            at = morning + n * 600_000
            add(f"a{day}{n}", visitor, at, page_view_id=f"p{day}{n}", referrer="https://www.google.de/")
            add(f"b{day}{n}", visitor, at + 60_000, "view_item", items=[ITEM], page_view_id=f"p{day}{n}")
            # Two visits half an hour and a bit apart: the event between them comes days late and joins them.
            add(f"c{day}{n}", visitor, at + 3_000_000, "search", props={"search_query": "cable"})
            if n % 2 == 0:
                between = at + 1_500_000
                late = between + rng.randrange(1, 4) * DAY_MS
                add(f"d{day}{n}", visitor, between, "add_to_cart", items=[ITEM], received_at=late, sent_at=late - 500)
            if n == 1:
                add(f"e{day}", visitor, at + 3_100_000, "begin_checkout")
                add(f"f{day}", visitor, at + 3_200_000, "purchase", order_id=f"o{day}", value="21", tax="4", items=[ITEM], user_id="1.anna")
            # The page is left long after the visit.
            add(f"g{day}{n}", visitor, at + 9_000_000, "page_leave", page_view_id=f"p{day}{n}", props={"engaged_ms": 12_000})
        # A clock four days ahead; one without a readable time; one that goes back to 1970.
        noon = morning + 4 * 3_600_000
        wrong = noon + 4 * DAY_MS
        add(f"h{day}", "v9", wrong, received_at=noon, sent_at=wrong + 1000)
        add(f"i{day}", "v8", noon, ts=None)
        add(f"j{day}", "v8", 1_000, sent_at=2_000, received_at=noon)
        # A shared tablet: who is signed in changes.
        add(f"k{day}", "v7", noon + 5_000, user_id="1.ben" if day % 3 == 1 else "1.anna")
        add(f"l{day}", None, noon, "purchase", order_id=f"n{day}", value="7.5")
        add(f"m{day}", "bot", noon, is_bot=True, bot_reasons=["user_agent"])
    # An order bought again three days later (a reload), refunded twice by one refund_id and once more.
    add("r1", "v1", START + 3 * DAY_MS, "purchase", order_id="o0", value="22")
    for n, refund in enumerate(("x", "x", "y")):
        add(f"r{n + 2}", None, START + (4 + n) * DAY_MS, "refund", order_id="o1", refund_id=refund, value="15")
    add("r9", None, START + 5 * DAY_MS, "refund", order_id="never-seen", refund_id="z")
    add("late", "v1", START - 91 * DAY_MS, received_at=START, sent_at=START)
    for n in range(3):
        rejected = {"verdict": "rejected", "reason": "unknown_event_type", "field": "event_type", "text": "{}"}
        lines.append({"ingest_id": f"{'no' + str(n):0>32}", "position": 0, "received_at": START + n * DAY_MS, **rejected})
    return lines


def all_lines() -> list[dict | str]:
    """The golden week with retried requests, and lines that are no raw lines."""
    rng = random.Random(5)
    lines: list[dict | str] = list(golden_week())
    for number, retried in enumerate(rng.sample(lines, 12)):
        if retried["verdict"] == "accepted":
            # The same event in another request, later: a repeat whatever else it carries.
            lines.append({**retried, "ingest_id": f"{'z' + str(number):0>32}", "received_at": retried["received_at"] + 5_000, "sent_at": retried.get("sent_at", 0) + 5_000})
    return [*lines, "not json", '{"a": 1}']


def put_all(lake: SmallLake, seed: int, runs: int) -> None:
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


@pytest.fixture(scope="module")
def in_one_go(new_lake) -> tuple[SmallLake, dict[str, str]]:
    lake = new_lake()
    put_all(lake, 0, 1)
    lake.assert_every_line_has_one_outcome()
    return lake, lake.prints()


@pytest.mark.parametrize("seed", [*range(1, 6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 51))])
def test_order_repetition_and_splitting_do_not_matter(new_lake, in_one_go, seed):
    lake = new_lake()
    put_all(lake, seed, runs=2)
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


def test_rebuild_and_reparse_give_the_same_tables(in_one_go):
    lake, prints = in_one_go
    lake.run(command="rebuild")
    assert lake.prints() == prints
    lake.run(command="reparse", first_day=date(2026, 9, 8), last_day=date(2026, 9, 10))
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == prints


def test_a_second_refresh_changes_nothing_and_says_so(in_one_go):
    lake, _ = in_one_go
    before = {name: lake.table(name + ".snapshots").count() for name in ("events", "sessions", "refresh_runs")}
    report = lake.run()
    after = {name: lake.table(name + ".snapshots").count() for name in before}
    assert not report.is_changed and "Nothing new" in report.sentence()
    assert after == before


class Killed(BaseException):
    """Stands for a killed driver: nothing after it is done."""


def commit_points(monkeypatch, die_after: int | None) -> list[str]:
    """Counts the commits of a run; after the given number the driver is gone."""
    commits: list[str] = []
    for method in ("append", "overwrite", "merge"):
        original = getattr(Lake, method)

        def commit(self, table, *args, original=original, **kwargs):
            original(self, table, *args, **kwargs)
            commits.append(table)
            if len(commits) == die_after:
                raise Killed

        monkeypatch.setattr(Lake, method, commit)
    return commits


def two_halves(lake: SmallLake) -> None:
    lines = all_lines()
    half = len(lines) // 2
    lake.put(lines[:half], "first", "2026-09-07T10:00:00")
    lake.run()
    lake.put(lines[half:], "second", "2026-09-13T10:00:00")


def test_killed_after_every_commit_in_turn_the_lake_is_whole_in_the_end(new_lake, in_one_go):
    lake = new_lake()
    two_halves(lake)
    killed_after = []
    while True:
        with pytest.MonkeyPatch.context() as patch:
            commits = commit_points(patch, die_after=len(killed_after) + 1)
            try:
                lake.run()
            except Killed:
                killed_after.append(commits[-1])
                if commits[-1] == "refresh_runs":
                    break
                continue
        pytest.fail(f"a run ended before its {len(killed_after) + 1}. commit")
    assert len(killed_after) >= 12
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1]


@pytest.mark.slow
@pytest.mark.parametrize("die_after", range(1, 14))
def test_killed_after_a_commit_the_next_run_makes_it_good(new_lake, in_one_go, die_after):
    lake = new_lake()
    two_halves(lake)
    with pytest.MonkeyPatch.context() as patch:
        commits = commit_points(patch, die_after)
        with pytest.raises(Killed):
            lake.run()
    lake.run()
    lake.assert_every_line_has_one_outcome()
    assert lake.prints() == in_one_go[1], f"killed after {commits[-1]}"
