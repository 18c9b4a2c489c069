"""Faults in the data: what a lake makes of them has to be the same in one run and in several, in any order.

Each kind gives the objects of a small shop's days, some of them spoilt, the ids that are whole in them, and the lines
that have to be refused, each with its reason.
"""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clicklake.paths import raw_key
from tests.faults.job_kinds import Disturbed
from tests.faults.world import FaultLake, World, seeded
from tests.spark.lakes import DAY_MS, line, ms

START = ms("2026-09-07T00:00:00")
HOUR_MS = 3_600_000
Lines = list[dict[str, Any]]


@dataclass
class Objects:
    """Bodies of raw objects with the lines that their keys promise.

    `whole` are the ids that must be stored, `refused` the texts of lines that must not be, with the reason.
    """

    bodies: list[tuple[bytes, int]]
    whole: set[str]
    spoilt: str
    refused: dict[str, str]


@dataclass(frozen=True)
class Expected:
    """What has to be in a lake: these ids, these refused lines, and the tables of the lake that was read at once."""

    stored: set[str]
    refused: dict[str, str]
    prints: dict[str, str]

    def is_in(self, lake: FaultLake) -> bool:
        return lake.refused() == sorted(self.refused.items()) and lake.prints() == self.prints


def make_lines(rng: random.Random, name: str, count: int = 120) -> Lines:
    """Events of a few visitors over five days: visits, orders, searches. Every id has `name` in it."""
    lines = []
    for number in range(count):
        at = START + rng.randrange(5 * DAY_MS)
        kind = rng.choice(["page_view", "view_item", "search", "add_to_cart", "purchase"])
        fields: dict[str, Any] = {}
        if kind == "purchase":
            fields = {"order_id": f"{name}o{number % 9}", "value": str(rng.randint(1, 90)), "currency": "EUR"}
        visitor, page = f"{name}v{rng.randrange(12)}", f"{name}p{number}"
        lines.append(line(f"{name}e{number}", visitor, at, kind, page_view_id=page, **fields))
    return lines


def late(rng: random.Random, name: str) -> Objects:
    """A third of the lines comes an hour, three days or forty days after it happened."""
    lines = make_lines(rng, name)
    for each in rng.sample(lines, 40):
        wait = rng.choice([HOUR_MS, 3 * DAY_MS, 40 * DAY_MS])
        each["received_at"] += wait
        each["sent_at"] += wait
    return _pack(rng, lines, "40 lines late by 1 h, 3 d or 40 d")


def wrong_clocks(rng: random.Random, name: str) -> Objects:
    """A third of the browsers is a day off, in 1970 or in 2099; some tell when they sent, some do not."""
    lines = make_lines(rng, name)
    for each in rng.sample(lines, 40):
        shift = rng.choice([-DAY_MS, DAY_MS, 5 - each["ts"], ms("2099-06-01") - each["ts"]])
        each["ts"] += shift
        if rng.random() < 0.5:
            each["sent_at"] += shift
        else:
            del each["sent_at"]
    # What a browser of 2099 did not correct is taken at the time of receipt, and one of 1970 is too late.
    refused = {
        each["event_id"]: "too_late" for each in lines if "sent_at" not in each and each["ts"] <= START - 2 * DAY_MS
    }
    return _pack(rng, lines, "40 lines by clocks a day off, of 1970, of 2099", refused)


def damaged_objects(rng: random.Random, name: str) -> Objects:
    """Truncated gzip, half a line, zero bytes, a byte order mark, bytes that are no UTF-8."""
    objects = _pack(rng, make_lines(rng, name), "")
    whole, refused, told = set(objects.whole), {}, []
    for number in rng.sample(range(len(objects.bodies)), 5):
        body, promised = objects.bodies[number]
        texts = gzip.decompress(body).split(b"\n")[:-1]
        ids = [json.loads(text)["event_id"] for text in texts]
        damage = ("truncated gzip", "half a line", "zero bytes", "byte order mark", "invalid UTF-8")[len(told)]
        told.append(damage)
        if damage == "truncated gzip":
            body = body[: rng.randint(1, len(body) - 9)]
            whole -= set(ids)
        elif damage == "half a line":
            half = texts[-1][: len(texts[-1]) // 2]
            body = gzip.compress(b"\n".join([*texts[:-1], half]))
            whole.discard(ids[-1])
            refused[half.decode()] = "not_json"
        elif damage == "zero bytes":
            body = b""
            whole -= set(ids)
        elif damage == "byte order mark":
            texts[0] = b"\xef\xbb\xbf" + texts[0]
            body = gzip.compress(b"".join(text + b"\n" for text in texts))
            whole.discard(ids[0])
            refused[texts[0].decode()] = "not_json"
        else:
            texts[0] = texts[0].replace(b"shop.example", b"sh\xffp.example")
            body = gzip.compress(b"".join(text + b"\n" for text in texts))
            whole.discard(ids[0])
            refused[texts[0].decode("utf-8", "replace")] = "not_utf8"
        objects.bodies[number] = body, promised
    return Objects(objects.bodies, whole, ", ".join(told), refused)


# Fields of another type than theirs, in the places where they belong.
DRIFTS: tuple[dict[str, Any], ...] = (
    {"props": {"scroll_pct": "deep"}},
    {"props": "none"},
    {"device": "desktop"},
    {"ts": {"at": 1}},
    {"is_bot": "perhaps"},
    {"value": "much"},
)


def odd_lines(rng: random.Random, name: str) -> Objects:
    """NaN, duplicate keys, fields of another type, countries that do not exist."""
    lines = make_lines(rng, name)
    texts = {each["event_id"]: json.dumps(each) for each in lines}
    refused = {}
    for number, each in enumerate(rng.sample(lines, 40)):
        event_id, text = each["event_id"], texts[each["event_id"]]
        odd = number % 4
        if odd == 0:
            # Spark takes NaN for a number, which is no money.
            text = text[:-1] + ', "value": NaN}'
            refused[event_id] = "type_drift"
        elif odd == 1:
            text = text[:-1] + ', "page_title": "first", "page_title": "second"}'
        elif odd == 2:
            text = json.dumps({**each, **DRIFTS[number // 4 % len(DRIFTS)]})
            refused[event_id] = "type_drift"
        else:
            text = json.dumps({**each, "geo": {"country": rng.choice(["ZZ", "XX", "Q1"])}})
        texts[event_id] = text
    return _pack(rng, lines, "NaN, duplicate keys, type drift, unknown countries", refused, texts)


KINDS: dict[str, Callable[[random.Random, str], Objects]] = {
    "late": late,
    "wrong clocks": wrong_clocks,
    "damaged objects": damaged_objects,
    "odd lines": odd_lines,
}


def disturb(world: World, cases: list[tuple[str, int]]) -> tuple[FaultLake, Disturbed, Expected]:
    """The objects of these kinds and seeds in one run, and in two runs in another order with copies; the second lake
    is to be judged."""
    spoilt = [KINDS[kind](seeded(kind, seed), f"{number}") for number, (kind, seed) in enumerate(cases)]
    rng = seeded(*cases[0])
    whole = [body for objects in spoilt for body in objects.bodies]
    together = world.new_lake()
    _put(together, whole, "all")
    world.must_succeed(world.driver.run(together))
    lake = world.new_lake()
    bodies = whole + [body for objects in spoilt for body in rng.sample(objects.bodies, 3)]
    rng.shuffle(bodies)
    half = len(bodies) // 2
    _put(lake, bodies[:half], "one")
    world.must_succeed(world.driver.run(lake))
    _put(lake, bodies[half:], "two")
    ended = world.driver.run(lake)
    stored = set().union(*(objects.whole for objects in spoilt))
    refused = {text: reason for objects in spoilt for text, reason in objects.refused.items()}
    told = "; ".join(objects.spoilt for objects in spoilt)
    return lake, Disturbed(ended, told), Expected(stored, refused, together.prints())


def _pack(
    rng: random.Random,
    lines: Lines,
    spoilt: str,
    refused: dict[str, str] | None = None,
    texts: dict[str, str] | None = None,
) -> Objects:
    """Ten lines an object. `refused` are reasons by id; `texts`, by id too, the lines as they are to be written."""
    lines, refused = list(lines), refused or {}
    texts = texts or {each["event_id"]: json.dumps(each) for each in lines}
    rng.shuffle(lines)
    bodies = []
    for first in range(0, len(lines), 10):
        chosen = [texts[each["event_id"]] for each in lines[first : first + 10]]
        bodies.append((gzip.compress("".join(f"{text}\n" for text in chosen).encode()), len(chosen)))
    whole = texts.keys() - refused.keys()
    return Objects(bodies, whole, spoilt, {texts[event_id]: reason for event_id, reason in refused.items()})


def _put(lake: FaultLake, bodies: list[tuple[bytes, int]], name: str) -> None:
    for number, (body, promised) in enumerate(bodies):
        lake.put_bytes(raw_key(f"{name}{number}", promised, lake.now()), body)
