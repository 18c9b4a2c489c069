"""A week with what makes order matter, and ways to put it into a lake."""

import random

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
                add(
                    f"d{day}{n}",
                    visitor,
                    between,
                    "add_to_cart",
                    items=[ITEM],
                    received_at=late,
                    sent_at=late - 500,
                )
            if n == 1:
                add(f"e{day}", visitor, at + 3_100_000, "begin_checkout")
                add(
                    f"f{day}",
                    visitor,
                    at + 3_200_000,
                    "purchase",
                    order_id=f"o{day}",
                    value="21",
                    tax="4",
                    items=[ITEM],
                    user_id="1.anna",
                )
            # The page is left long after the visit.
            add(
                f"g{day}{n}",
                visitor,
                at + 9_000_000,
                "page_leave",
                page_view_id=f"p{day}{n}",
                props={"engaged_ms": 12_000},
            )
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
        rejected = {
            "verdict": "rejected",
            "reason": "unknown_event_type",
            "field": "event_type",
            "text": "{}",
        }
        lines.append(
            {
                "ingest_id": f"{'no' + str(n):0>32}",
                "position": 0,
                "received_at": START + n * DAY_MS,
                **rejected,
            }
        )
    return lines


def all_lines() -> list[dict | str]:
    """The golden week with retried requests, and lines that are no raw lines."""
    rng = random.Random(5)
    lines: list[dict | str] = list(golden_week())
    for number, retried in enumerate(rng.sample(lines, 12)):
        if retried["verdict"] == "accepted":
            # The same event in another request, later: a repeat whatever else it carries.
            lines.append(
                {
                    **retried,
                    "ingest_id": f"{'z' + str(number):0>32}",
                    "received_at": retried["received_at"] + 5_000,
                    "sent_at": retried.get("sent_at", 0) + 5_000,
                }
            )
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
