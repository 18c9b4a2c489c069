"""The fault campaign: kinds of faults, each with seeds, and the judgement of every one."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from random import Random

from tests.faults import data_kinds, ingest_kinds, job_kinds
from tests.faults.job_kinds import Scene
from tests.faults.proxy import Proxy, Rule
from tests.faults.world import Result, World, deal, halves, seeded
from tests.spark.lakes import line

LARGE = {
    "1,005 and 2,500 objects": job_kinds.many_objects,
    "one event a million times": job_kinds.one_event_a_million_times,
}
KINDS = (*ingest_kinds.KINDS, *job_kinds.KINDS, *LARGE, *data_kinds.KINDS)
# Judged by ids and lines alone: ingest's seeds share one lake, and a million lines take the second reading gigabytes.
NOT_COMPARED = (*ingest_kinds.KINDS, "one event a million times")
# What `make test` strikes the job with, too.
CHAIN = (
    *("killed before a PUT", "killed after a PUT", "killed before UpdateTable", "killed after UpdateTable"),
    *("objects arrive while listing", "objects arrive while reading"),
    *("two runs at once", "compaction while appending"),
)
Case = tuple[str, int]


def run(world: World, cases: Iterable[Case]) -> Iterator[Result]:
    """Every case in turn. Those of ingest go first and are judged together, after one refresh of all of them."""
    cases = list(cases)
    yield from run_ingest(world, [case for case in cases if case[0] in ingest_kinds.KINDS])
    for kind, seed in cases:
        if kind not in ingest_kinds.KINDS:
            yield run_job(world, kind, seed)


def run_ingest(world: World, cases: list[Case], *disturbances: list[Rule]) -> list[Result]:
    """All cases into one lake; then a run under each of the disturbances, and one in peace."""
    if not cases:
        return []
    lake = world.new_lake()
    sent = []
    endpoints, queue_url = world.lake.endpoints(), world.lake.buffer_queue_url
    with (
        Proxy(world.lake.endpoint_url).serving() as proxy,
        ingest_kinds.Functions(lake, proxy, endpoints, queue_url) as functions,
    ):
        for kind, seed in cases:
            start = time.monotonic()
            sent.append((ingest_kinds.disturb(kind, seed, functions), time.monotonic() - start))
    for rules in disturbances:
        world.driver.run(lake, *rules)
    world.must_succeed(world.driver.run(lake))
    names = {f"{ingest_kinds.name_of(case.kind, case.seed)}-": set(case.acknowledged) for case, _ in sent}
    return [
        Result(case.kind, case.seed, case.struck, case.ended, replace(it, lost=max(it.lost, case.missing)), seconds)
        for (case, seconds), it in zip(sent, lake.judge_each(names), strict=True)
    ]


def run_chain(world: World, cases: list[Case]) -> list[Result]:
    """The job's kinds on one lake, each with a share of the golden week and on top of what the one before left.

    After all of them one run follows in peace, and they are judged together.
    """
    lake = world.new_half()
    _, second = halves()
    lake.put_now([line("one", "v1", "2026-09-08T12:00:00")], "one")
    world.must_succeed(world.driver.run(lake))
    # No share asks for less than one page view.
    requests = world.driver.proxy.seen
    disturbed = []
    for number, ((kind, seed), share) in enumerate(zip(cases, deal(second, Random(0), len(cases)), strict=True)):
        start = time.monotonic()
        scene = Scene(world, lake, seeded(kind, seed), share, f"s{number}", requests)
        disturbed.append((job_kinds.KINDS[kind](scene), time.monotonic() - start))
    world.must_succeed(world.driver.run(lake))
    verdict = replace(lake.judge(lake.acknowledged_ids()), is_equal=lake.is_as_defined())
    return [
        Result(kind, seed, it.struck, it.ended, verdict, seconds)
        for (kind, seed), (it, seconds) in zip(cases, disturbed, strict=True)
    ]


def run_job(world: World, kind: str, seed: int) -> Result:
    """One disturbed run (or two), a run in peace, and the judgement."""
    acknowledged = is_equal = None
    # Made once for all, so before the clock starts.
    half = world.half if kind in job_kinds.KINDS else None
    start = time.monotonic()
    if kind in data_kinds.KINDS:
        lake, disturbed, expected = data_kinds.disturb(world, [(kind, seed)])
        acknowledged, is_equal = expected.stored, partial(expected.is_in, lake)
    elif kind in LARGE:
        lake, disturbed = LARGE[kind](world, seed)
        is_equal = None if kind in NOT_COMPARED else lake.is_as_defined
    else:
        lake, is_equal = half, partial(world.is_whole, half)
        lake.go_back()
        _, second = halves()
        scene = Scene(world, lake, seeded(kind, seed), second, f"s{seed}", world.requests)
        disturbed = job_kinds.KINDS[kind](scene)
    ended, then = disturbed.ended, world.driver.run(lake)
    if then != "succeeded":
        ended += f", and the next run {then}"
    verdict = lake.judge(lake.acknowledged_ids() if acknowledged is None else acknowledged)
    if is_equal is not None:
        verdict = replace(verdict, is_equal=is_equal())
    return Result(kind, seed, disturbed.struck, ended, verdict, time.monotonic() - start)
