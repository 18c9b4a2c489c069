"""Faults under the refresh job: a run is disturbed, another follows in peace, and the lake has to be as if nothing
had happened.

In the campaign a kind starts from a lake that has read the first half of the golden week; the second half is disturbed.
"""

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from clicklake.paths import JOURNAL_KEY, LEASE_KEY, RESULTS_PREFIX
from tests.faults.function import Function
from tests.faults.proxy import (
    Fault,
    Matches,
    Request,
    Rule,
    anything,
    cut_body,
    delay,
    drop,
    fail_after,
    gets_raw,
    lists_raw,
    lose_answer,
    puts,
    puts_lease,
    refuse,
    updates_table,
    writes,
)
from tests.faults.world import NOTHING, Driver, FaultLake, World, deal, seeded
from tests.spark.lakes import line


@dataclass(frozen=True)
class Disturbed:
    """How the disturbed runs ended, and what struck them."""

    ended: str
    struck: str


@dataclass
class Scene:
    """One seed of a kind: a lake, the lines that the disturbed run is to read, and the luck of the seed.

    `name` is that of the lines' objects, `requests` what an undisturbed run asks for, or less.
    """

    world: World
    lake: FaultLake
    rng: random.Random
    lines: list[str]
    name: str
    requests: list[Request]

    def somewhere(self, matches: Matches) -> int:
        """The number of one of the requests that match, of those that an undisturbed run makes."""
        return self.rng.randint(1, max(1, sum(map(matches, self.requests))))

    def put(self, held_back: int = 0) -> list[list[str]]:
        """Puts the lines as ten objects, but for those of `held_back` of them, which are returned."""
        parts = deal(self.lines, self.rng)
        for number, part in enumerate(parts[held_back:]):
            self.lake.put_now(part, f"{self.name}n{number}")
        return parts[:held_back]

    def run(self, *rules: Rule, **changes: Any) -> Disturbed:
        """Puts the lines, and runs under these faults."""
        self.put()
        ended = self.world.driver.run(self.lake, *rules, **changes)
        return Disturbed(ended, _tell(rules))


Disturb = Callable[[Scene], Disturbed]


def killed(matches: Matches, is_before: bool) -> Disturb:
    def disturb(scene: Scene) -> Disturbed:
        kill = scene.world.driver.kill
        fault = Fault(before=kill, takes_effect=False, answer="lost") if is_before else Fault(after=kill, answer="lost")
        return scene.run(Rule(matches, fault, at=scene.somewhere(matches)))

    return disturb


def credentials_end(scene: Scene) -> Disturbed:
    """From the n-th request on every one is refused for good: what happens to a run that is cut off."""
    return scene.run(Rule(anything, refuse(403, "AccessDenied"), at=scene.somewhere(anything), times=None))


def answers_lost(scene: Scene) -> Disturbed:
    fault = scene.rng.choice([lose_answer(), fail_after(500, "InternalError"), fail_after(503, "SlowDown")])
    return scene.run(Rule(writes, fault, at=scene.somewhere(writes), times=scene.rng.randint(1, 2)))


def table_answer_lost(scene: Scene) -> Disturbed:
    fault = scene.rng.choice([lose_answer(), fail_after(500, "InternalServiceException")])
    return scene.run(Rule(updates_table, fault, at=scene.somewhere(updates_table)))


def conflicts(scene: Scene) -> Disturbed:
    """A conditional write is refused, though nobody else is there."""
    fault = scene.rng.choice([refuse(412, "PreconditionFailed"), refuse(409, "ConditionalRequestConflict")])
    return scene.run(Rule(puts_lease, fault, at=scene.rng.randint(1, 3)))


def lease_answer_lost(scene: Scene) -> Disturbed:
    """The lease is written, and the holder is not told; what repeats the request meets its own object."""
    fault = scene.rng.choice([lose_answer(), fail_after(500, "InternalError")])
    return scene.run(Rule(puts_lease, fault, at=scene.rng.randint(1, 3)))


def storm(scene: Scene) -> Disturbed:
    """One request in thirty is refused, dropped, late, or loses its answer."""

    def unlucky(_: Request) -> bool:
        return scene.rng.random() < 1 / 120

    faults = (refuse(), drop(), delay(0.5), lose_answer())
    return scene.run(*(Rule(unlucky, fault, times=None) for fault in faults))


def get_fails(scene: Scene) -> Disturbed:
    fault = scene.rng.choice([refuse(500, "InternalError"), refuse(), drop(), refuse(404, "NoSuchKey")])
    return scene.run(Rule(gets_raw, fault, at=scene.somewhere(gets_raw), times=scene.rng.choice([1, 2, 8])))


def get_is_cut(scene: Scene) -> Disturbed:
    at = scene.somewhere(gets_raw)
    return scene.run(Rule(gets_raw, cut_body(), at=at, times=scene.rng.choice([1, 2, 8])))


def arrive_while_listing(scene: Scene) -> Disturbed:
    """Three objects come between the pages of a listing, before and behind the page that was just read."""
    return _arrive(scene, lists_raw, scene.rng.randint(1, 4), page_size=2)


def arrive_while_reading(scene: Scene) -> Disturbed:
    # Seven of ten objects are there to be read, three are held back.
    return _arrive(scene, gets_raw, scene.rng.randint(1, 7), page_size=None)


def _arrive(scene: Scene, when: Matches, at: int, page_size: int | None) -> Disturbed:
    driver = scene.world.driver
    parts = scene.put(held_back=3)
    # By their names: before the first, in the middle, and behind the last of those that are listed.
    names = [f"{letter}{scene.name}" for letter in "asz"]

    def arrive() -> None:
        for part, name in zip(parts, names, strict=True):
            scene.lake.put_now(part, name)

    rule = Rule(when, Fault(before=arrive), at=at)
    return Disturbed(driver.run(scene.lake, rule, page_size=page_size), _tell([rule]))


def two_at_once(scene: Scene) -> Disturbed:
    """Two runs, released together; one of them is slow here and there."""
    world = scene.world
    if not world.other_driver.is_warm:
        world.other_driver.run(scene.lake)
    scene.put()
    together = threading.Barrier(2)
    slow = Rule(anything, delay(scene.rng.uniform(0.1, 1.0)), at=scene.rng.randint(1, 60), times=3)

    def run(driver: Driver, *rules: Rule) -> str:
        together.wait()
        return driver.run(scene.lake, *rules)

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(run, world.driver, slow), pool.submit(run, world.other_driver)]
    return Disturbed(" and ".join(sorted(end.result() for end in ends)), _tell([slow]))


def renewals_are_slow(scene: Scene) -> Disturbed:
    """Each renewal of the lease takes longer than the lease."""
    rule = Rule(puts_lease, delay(4.0), at=2, times=None)
    slow = Rule(writes, delay(2.5), at=scene.somewhere(writes))
    return scene.run(rule, slow, lease_seconds=2.0)


def late(matches: Matches, may_land_amid: bool = False) -> Disturb:
    """A run stalls at a write until its lease is gone and another run is done, or at work; then the write lands.

    With some seeds the run that stalls has to undo another one first, so that the undoing may come late too.
    """

    def disturb(scene: Scene) -> Disturbed:
        world, lake = scene.world, scene.lake
        scene.put()
        if scene.rng.random() < 0.5:
            cut_off = Rule(updates_table, refuse(403, "AccessDenied"), at=scene.rng.randint(2, 8), times=None)
            world.driver.run(lake, cut_off)
        stalled, released = threading.Event(), threading.Event()

        def stall() -> None:
            stalled.set()
            released.wait(120)

        # All from then on: a client gives a request up after half a minute and sends it again.
        held = Rule(matches, Fault(before=stall), at=scene.somewhere(matches), times=None)
        silent = Rule(
            lambda request: stalled.is_set() and request.name == LEASE_KEY and puts(request), drop(), times=None
        )
        # It lands while the other run is at work (at one of its commits), or after its end.
        landing = Rule(
            updates_table,
            Fault(before=lambda: (released.set(), delay(1.0).before())),
            at=scene.somewhere(updates_table),
        )
        is_amid = may_land_amid and scene.rng.random() < 0.5
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(world.driver.run, lake, held, silent, lease_seconds=3.0)
            try:
                stalled.wait(120)
                second = world.other_driver.run(lake, *([landing] if is_amid else []), lease_seconds=3.0)
            finally:
                released.set()
            ended = first.result()
        when = f"lands at {_tell([landing])}" if is_amid and landing.struck else "lands after the other run"
        struck = f"{held.struck[0]} held, {when}" if held.struck else NOTHING
        return Disturbed(f"{ended}; the other run {second}", struck)

    return disturb


def _of_a_table(request: Request) -> bool:
    return writes(request) and (request.operation == "UpdateTable" or request.name.startswith(RESULTS_PREFIX))


def _of_the_runs(request: Request) -> bool:
    return _of_a_table(request) and "refresh_runs" in request.name


def _of_the_journal(request: Request) -> bool:
    return puts(request) and request.name == JOURNAL_KEY


def compaction_while_appending(scene: Scene) -> Disturbed:
    """rewrite_data_files in another session, before one of the run's commits."""
    world, lake = scene.world, scene.lake
    ends = []

    def compact() -> None:
        ends.append(compaction(world).invoke({"database": lake.settings.database}))

    disturbed = scene.run(Rule(updates_table, Fault(before=compact), at=scene.somewhere(updates_table)))
    rewritten = sum(end["rewritten"] for end in ends)
    if not rewritten:
        raise RuntimeError("the compaction did not come to pass")
    return Disturbed(disturbed.ended, f"{disturbed.struck}, {rewritten} files rewritten")


def compaction(world: World) -> Function:
    """The compacting session of a world: started once."""
    if world.compaction is None:
        environment = world.lake.environment()
        world.compaction = Function("tests.faults.compaction", environment)
        world.stack.callback(world.compaction.stop)
    return world.compaction


KINDS: dict[str, Disturb] = {
    "killed before a PUT": killed(puts, is_before=True),
    "killed after a PUT": killed(puts, is_before=False),
    "killed before UpdateTable": killed(updates_table, is_before=True),
    "killed after UpdateTable": killed(updates_table, is_before=False),
    "credentials end": credentials_end,
    "answers of writes lost": answers_lost,
    "answer of UpdateTable lost": table_answer_lost,
    "conditional write refused": conflicts,
    "answer of the lease lost": lease_answer_lost,
    "storm": storm,
    "a worker's GET fails": get_fails,
    "a worker's GET is cut": get_is_cut,
    "objects arrive while listing": arrive_while_listing,
    "objects arrive while reading": arrive_while_reading,
    "two runs at once": two_at_once,
    "renewals are slow": renewals_are_slow,
    "a commit after the lease": late(_of_a_table, may_land_amid=True),
    "an UpdateTable after the lease": late(updates_table),
    "the run's row after the lease": late(_of_the_runs),
    "the journal after the lease": late(_of_the_journal),
    "compaction while appending": compaction_while_appending,
}


def many_objects(world: World, seed: int) -> tuple[FaultLake, Disturbed]:
    """1,005 or 2,500 objects, more than a page of a listing; eight answers in a row to a worker's GET break off."""
    rng = seeded("many objects", seed)
    count = (1_005, 2_500)[seed % 2]
    lake = world.new_lake()
    with ThreadPoolExecutor(8) as pool:
        for number in range(count):
            # So many visitors that none has several at once, which would be a bot's.
            event = line(f"e{number}", f"v{number % 250}", f"2026-09-{7 + number % 3:02}T{number % 24:02}:00:00")
            pool.submit(lake.put_now, [event], f"n{number}")
    rule = Rule(gets_raw, cut_body(), at=rng.randint(1, count), times=8)
    ended = world.driver.run(lake, rule)
    return lake, Disturbed(ended, f"{count:,} objects, {_tell([rule])}")


def one_event_a_million_times(world: World, seed: int) -> tuple[FaultLake, Disturbed]:
    """A hundred objects of ten thousand copies of one event, as of a script that repeats its request for ever."""
    lake = world.new_lake()
    rng = seeded("a million", seed)
    before, after = json.dumps(line("one", "v1", "2026-09-07T12:00:00", ingest_id="INGEST")).split("INGEST")
    for number in range(100):
        copies = [f"{before}{rng.getrandbits(128):032x}{after}" for _ in range(10_000)]
        lake.put_now(copies, f"n{number}")
    rule = Rule(gets_raw, cut_body(), at=rng.randint(1, 100), times=8)
    ended = world.driver.run(lake, rule)
    return lake, Disturbed(ended, _tell([rule]))


def _tell(rules: tuple[Rule, ...] | list[Rule]) -> str:
    struck = [request for rule in rules for request in rule.struck]
    if not struck:
        return NOTHING
    return str(struck[0]) if len(struck) == 1 else f"{len(struck)} requests"
