"""Lakes of chance: visits around midnight and a change of clocks, copies, bots and what came late. Whatever runs they
are read in, the tables are the same, and what a second reading of the definitions says."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from glue_jobs import arrivals, runtime
from tests.spark.lakes import line

ZONE = "Europe/Berlin"
VISITORS = 40
# The clocks go forward on the fourth day.
FIRST_DAY, DAYS = datetime(2026, 3, 26, tzinfo=ZoneInfo(ZONE)), 7
TYPES = ["page_view"] * 4 + ["page_ping", "page_leave", "click", "view_item", "add_to_cart", "purchase", "refund"]
# Gaps within a visit, in milliseconds: many pages open in one instant, some just short of a session's end or beyond.
GAPS = [100, 500, 5_000, 60_000, 600_000, 1_799_000, 1_800_000, 1_801_000]


def _lines(chance: random.Random) -> Iterator[dict[str, Any]]:
    for visitor in range(VISITORS):
        pages: list[str] = []
        for visit in range(chance.randint(1, 4)):
            day = FIRST_DAY + timedelta(days=chance.randint(0, DAYS))
            is_near_midnight = chance.random() < 0.7
            at = day + timedelta(minutes=chance.randint(-70, 70) if is_near_midnight else chance.randint(0, 1_439))
            is_fast = chance.random() < 0.1
            moment = int(at.timestamp() * 1000)
            for number in range(12 if is_fast else chance.randint(1, 4)):
                kind = "page_view" if is_fast else chance.choice(TYPES)
                name = f"{visitor}.{visit}.{number}"
                yield from _copies(
                    chance, line(name, f"v{visitor}", moment, kind, **_fields(chance, kind, name, pages))
                )
                moment += chance.choice(GAPS[:2] if is_fast else GAPS)


def _fields(chance: random.Random, kind: str, name: str, pages: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"user_id": chance.choice([None] * 8 + ["1.anna", "1.ben"])}
    if kind.startswith("page_"):
        if kind == "page_view" and (not pages or chance.random() < 0.7):
            pages.append(name)
        fields |= {
            "page_view_id": chance.choice(pages[-3:] or [name]),
            "props": {"engaged_ms": chance.choice([0, 4_000])},
        }
    if kind in ("view_item", "add_to_cart", "purchase"):
        fields["items"] = [{"product_id": f"p{chance.randint(0, 3)}", "price": "3", "qty": 2}]
    if kind in ("purchase", "refund"):
        fields |= {"order_id": f"o{chance.randint(0, 30)}", "value": chance.choice([None, "6", "20"])}
    if chance.random() < 0.15:
        fields["page_url"] = f"https://shop.example/?utm_source=s{chance.randint(0, 3)}&utm_medium=cpc"
    return fields


def _copies(chance: random.Random, sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The line, and now and then a retry of it: of another instant, user and skew."""
    yield sent
    if chance.random() < 0.12:
        received_at = sent["received_at"] + chance.choice([-1, 1]) * chance.choice([3, 1_800, 7_200, 86_400]) * 1000
        sent_at = chance.choice([sent["sent_at"], received_at])
        ingest_id = f"{chance.getrandbits(128):032x}"
        yield {**sent, "ingest_id": ingest_id, "received_at": received_at, "sent_at": sent_at, "user_id": "1.carl"}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 11))])
def test_any_runs_give_the_same_lake(new_lake, monkeypatch, seed):
    if seed % 2 == 0:
        # The ways of large runs.
        monkeypatch.setattr(runtime, "SMALL_RUN_BYTES", 0)
        monkeypatch.setattr(runtime, "PARTITION_BYTES", 4 << 10)
        monkeypatch.setattr(arrivals, "FEW_EVENTS", 0)
    chance = random.Random(seed)
    lines = sorted(_lines(chance), key=lambda sent: sent["received_at"])
    parts: list[list[dict[str, Any]]] = [[], [], []]
    for number, sent in enumerate(lines):
        is_late = chance.random() < 0.15
        parts[chance.randrange(3) if is_late else number * 3 // len(lines)].append(sent)
    lake = new_lake(shop_time_zone=ZONE)
    for number, part in enumerate(parts):
        lake.put(part, f"part{number}")
        lake.run()
    lake.assert_every_line_has_one_outcome()
    lake.assert_like_the_oracle()
    prints = lake.prints()
    lake.run(command="rebuild")
    assert lake.prints() == prints
