"""Visits that no person makes (docs/definitions.md: Bots by behaviour)."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from clicklake.verify.lines import Event

# Every page tells these by itself; anything else somebody has done.
_BY_THE_PAGE = frozenset({"page_view", "view_item", "view_item_list", "search", "page_leave", "page_ping"})


def page_gaps(events: Sequence[Event], longest_ms: int) -> dict[tuple[str, date], int]:
    """Of each page view among a visitor's `events` (in order of time), by its key: milliseconds since the one before
    it; only where both tell their own time, and no more than `longest_ms` lie between."""
    timed = [
        event for event in events if event.event_type == "page_view" and event.ts_quality in ("client", "corrected")
    ]
    gaps = {event.key: event.occurred_at - before.occurred_at for before, event in pairwise(timed)}
    return {key: gap for key, gap in gaps.items() if gap <= longest_ms}


def bot_reasons(visit: Sequence[Event], gaps: Sequence[int]) -> tuple[str, ...]:
    """Why a visit is a bot's, sorted; nothing for people. `gaps` are those that end on its page views."""
    if any(event.event_type == "purchase" or event.user_id for event in visit):
        return ()
    return tuple(_reasons(visit, gaps))


def _reasons(visit: Sequence[Event], gaps: Sequence[int]) -> Iterator[str]:
    page_views = sum(event.event_type == "page_view" for event in visit)
    if page_views >= 12 and all(map(_is_silent, visit)):
        yield "no_engagement"
    if len(gaps) >= 9 and sum(gaps) / len(gaps) < 1_000:
        yield "too_fast"
    if len(gaps) >= 7 and any(gaps) and (max(gaps) - min(gaps)) * len(gaps) * 10 <= sum(gaps):
        yield "too_regular"


def _is_silent(event: Event) -> bool:
    """Whether its sender tells engagement, and there was none."""
    tells = (event.line.get("sdk") or "").startswith("clicklake-js/")
    return tells and event.event_type in _BY_THE_PAGE and not event.props.get("engaged_ms")
