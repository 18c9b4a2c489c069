"""How often the truth holds what makes a lake hard to get right. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clicklake.shop.truth import TrueEvent, Truth
from clicklake.verify.clock import BELIEVED_SKEW_MS
from clicklake.verify.sessions import GAP_MS

_LATE_MS = 3_600_000


@dataclass(frozen=True)
class HardCases:
    """Of what was received: late deliveries that make one visit of two, browsers whose clock is wrong beyond belief,
    and browsers in which more than one person signed in."""

    late_bridges: int
    wrong_clocks: int
    shared_devices: int

    def __str__(self) -> str:
        return (
            f"{self.late_bridges:,} late deliveries that join two visits, {self.wrong_clocks:,} clocks that are wrong,"
            f" {self.shared_devices:,} devices that people share"
        )


def count_hard_cases(truth: Truth) -> HardCases:
    visits = {visit.visit: visit for visit in truth.visits}
    events = {event.event_id: event for event in truth.events}
    first: dict[str, tuple[int, int]] = {}
    for line in truth.lines:
        if line.event_id:
            arrival = line.received_at, line.request
            first[line.event_id] = min(arrival, first.get(line.event_id, arrival))
    persons: dict[str, set[str]] = defaultdict(set)
    wrong: set[str] = set()
    deliveries: dict[str, dict[tuple[int, int], list[TrueEvent]]] = defaultdict(lambda: defaultdict(list))
    for event_id, arrival in first.items():
        event = events[event_id]
        visit = visits[event.visit]
        if event.person:
            persons[visit.visitor].add(event.person)
        if abs(visit.clock_ahead_ms) > BELIEVED_SKEW_MS:
            wrong.add(visit.visitor)
        if event.analytics == "granted" and not visit.bot:
            deliveries[visit.visitor][arrival].append(event)
    return HardCases(
        sum(map(_bridges, deliveries.values())), len(wrong), sum(len(each) > 1 for each in persons.values())
    )


def _bridges(deliveries: dict[tuple[int, int], Sequence[TrueEvent]]) -> int:
    """How many of a browser's deliveries came late and left fewer visits than there had seemed to be."""
    found = 0
    received: list[int] = []
    for (received_at, _), events in sorted(deliveries.items()):
        moments = sorted(event.happened_at for event in events)
        near = [moment for moment in received if moments[0] - GAP_MS <= moment <= moments[-1] + GAP_MS]
        is_late = received_at - moments[0] > _LATE_MS
        found += is_late and _runs([*near, *moments]) < _runs(near)
        received += moments
    return found


def _runs(moments: Iterable[int]) -> int:
    ordered = sorted(moments)
    return bool(ordered) + sum(later - earlier > GAP_MS for earlier, later in pairwise(ordered))
