"""Who owns a visitor, and when (docs/definitions.md: Identity)."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from clicklake.verify.lines import Event
from clicklake.verify.rules import DAY_MS

BACKDATED_MS = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class Owned:
    """`person_id` owns the visitor from `valid_from` on."""

    visitor_id: str
    valid_from: int
    person_id: str


@dataclass
class Identity:
    """Changes of owner by visitor, in order of time."""

    rows: list[Owned] = field(default_factory=list)
    _by_visitor: dict[str, list[Owned]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            self._by_visitor.setdefault(row.visitor_id, []).append(row)

    def of(self, visitor_id: str) -> list[Owned]:
        return self._by_visitor.get(visitor_id, [])

    def person(self, visitor_id: str, moment: int) -> str:
        """The person behind a visitor at a moment; without an owner the visitor stands for itself."""
        owners = self.of(visitor_id)
        place = bisect_right([owner.valid_from for owner in owners], moment)
        return owners[place - 1].person_id if place else visitor_id

    def persons_between(self, visitor_id: str, first: int, last: int) -> set[str]:
        """Everyone who owns the visitor at some moment from first to last, both included."""
        found = {self.person(visitor_id, first)}
        found |= {owner.person_id for owner in self.of(visitor_id) if first < owner.valid_from <= last}
        return found


def identify(events: Iterable[Event]) -> Identity:
    """The first verified user owns a visitor from 30 days before, each other one from their first event on."""
    verified = [event for event in events if event.visitor_id and event.user_id and event.is_persons]
    verified.sort(key=lambda event: (event.visitor_id, event.order))
    rows: list[Owned] = []
    for event in verified:
        last = rows[-1] if rows and rows[-1].visitor_id == event.visitor_id else None
        if last is None:
            rows.append(Owned(event.visitor_id, event.occurred_at - BACKDATED_MS, event.user_id))
        elif last.person_id != event.user_id:
            if last.valid_from == event.occurred_at:
                rows.pop()  # two users in one instant: the later by event_id is in force
            rows.append(Owned(event.visitor_id, event.occurred_at, event.user_id))
    return Identity(rows)
