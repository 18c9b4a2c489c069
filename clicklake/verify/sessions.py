"""Sessions, computed from events, and what happened in each (docs/definitions.md: Sessions, Funnel)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from operator import attrgetter

from clicklake.verify.behaviour import bot_reasons, page_gaps
from clicklake.verify.lines import Event
from clicklake.verify.rules import DAY_MS, MINUTE_MS

GAP_MS = 30 * MINUTE_MS
# docs/decisions/0004: how far from a passive event its page view is sought.
PAGE_VIEW_BEFORE_MS = 23 * 60 * MINUTE_MS
PAGE_VIEW_AFTER_MS = 30 * MINUTE_MS
FUNNEL = ("view_item", "add_to_cart", "begin_checkout", "purchase")
KEY_EVENTS = frozenset({"add_to_cart", "begin_checkout", "purchase", "sign_up"})
ENGAGED_MS = 10_000


@dataclass(frozen=True)
class Session:
    """`members` in order of time, the first of them non-passive. `told_later` are passive events that came
    before anything else of a later island and belong to a page view of this session."""

    session_id: str
    visitor_id: str
    members: tuple[Event, ...]
    told_later: tuple[Event, ...] = ()

    @property
    def first(self) -> Event:
        return self.members[0]

    @property
    def started_at(self) -> int:
        return self.members[0].occurred_at

    @property
    def ended_at(self) -> int:
        return self.members[-1].occurred_at

    def count(self, *event_types: str) -> int:
        return sum(event.event_type in event_types for event in self.members)

    @cached_property
    def page_views(self) -> list[Event]:
        return [event for event in self.members if event.event_type == "page_view"]

    @cached_property
    def engaged_ms(self) -> int:
        """Foreground time: per page view the greatest that was told of it."""
        greatest: dict[str, int] = {}
        for event in (*self.members, *self.told_later):
            told = event.props.get("engaged_ms")
            if told is not None and event.page_view_id is not None:
                greatest[event.page_view_id] = max(told, greatest.get(event.page_view_id, 0))
        return sum(greatest.values())

    @cached_property
    def is_engaged(self) -> bool:
        return self.engaged_ms >= ENGAGED_MS or len(self.page_views) >= 2 or self.count(*KEY_EVENTS) >= 1

    @property
    def is_bounce(self) -> bool | None:
        return not self.is_engaged if self.page_views else None

    @property
    def is_single_page(self) -> bool:
        return len(self.page_views) == 1 and all(
            event.is_passive or event.event_type == "page_view" for event in self.members
        )

    @cached_property
    def funnel(self) -> list[Event]:
        """The first event of each step reached, each strictly after the one before."""
        return walk_funnel(self.members, FUNNEL)


def walk_funnel(events: Iterable[Event], steps: Sequence[str]) -> list[Event]:
    """`events` in order of time; the earliest event of every step that is reached."""
    reached: list[Event] = []
    for event in events:
        if len(reached) < len(steps) and event.event_type == steps[len(reached)]:
            reached.append(event)
    return reached


def sessionize(events: Iterable[Event]) -> list[Session]:
    """All sessions, and session_id on the events that have one."""
    eligible = [
        event
        for event in events
        if event.visitor_id is not None and event.counts and event.origin not in ("server", "import")
    ]
    eligible.sort(key=lambda event: (event.visitor_id, event.order))
    sessions: list[Session] = []
    for _, of_visitor in groupby(eligible, key=attrgetter("visitor_id")):
        sessions += _sessions_of(list(of_visitor))
    return sessions


def _sessions_of(events: list[Event]) -> list[Session]:
    groups: list[list[Event]] = []
    waiting: list[Event] = []
    gaps = page_gaps(events, GAP_MS)
    for island in _islands(events):
        started_at = island[0].occurred_at
        for _, of_day in groupby(island, key=lambda event: (event.occurred_at - started_at) // DAY_MS):
            of_day = list(of_day)
            first = next((place for place, event in enumerate(of_day) if not event.is_passive), len(of_day))
            members = of_day[first:]
            waiting += of_day[:first]
            if not members:
                continue
            session_id = name_session(members[0].visitor_id, *members[0].key)
            reasons = bot_reasons(of_day, [gaps[event.key] for event in of_day if event.key in gaps])
            for event in members:
                _put(event, session_id, reasons)
            if not reasons:
                groups.append(members)
    later: dict[str, list[Event]] = {}
    page_views = [event for event in events if event.event_type == "page_view"]
    for event in waiting:
        view = next((view for view in page_views if _is_its_page_view(view, event)), None)
        if view:
            _put(event, view.session_id or view.set_aside_session_id, view.bot_reasons)
        if event.session_id:
            later.setdefault(event.session_id, []).append(event)
    return [
        Session(session_id, members[0].visitor_id, tuple(members), tuple(later.get(session_id, ())))
        for members in groups
        for session_id in [members[0].session_id]
    ]


def _put(event: Event, session_id: str | None, reasons: tuple[str, ...]) -> None:
    """Into its session, or aside."""
    if reasons:
        event.set_aside_session_id, event.is_bot, event.bot_reasons = session_id, True, reasons
    else:
        event.session_id = session_id


def _islands(events: list[Event]) -> list[list[Event]]:
    islands: list[list[Event]] = []
    for event in events:
        if not islands or event.occurred_at - islands[-1][-1].occurred_at > GAP_MS:
            islands.append([])
        islands[-1].append(event)
    return islands


def _is_its_page_view(view: Event, event: Event) -> bool:
    since = event.occurred_at - view.occurred_at
    return (
        view.page_view_id is not None
        and view.page_view_id == event.page_view_id
        and -PAGE_VIEW_AFTER_MS <= since <= PAGE_VIEW_BEFORE_MS
    )


def name_session(visitor_id: str, event_id: str, ts_date: date) -> str:
    """The id of a session by its visitor and its first event."""
    return hashlib.sha256(f"{visitor_id}\n{event_id}\n{ts_date}".encode()).hexdigest()[:32]
