from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest

from clicklake.shop import Delivery, deliveries
from clicklake.shop.journeys import IDLE_MS, Event

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 60


@dataclass(frozen=True, repr=False)
class Shop:
    """The default sixty days. `sent` are the first sendings, `sessions` what consented people did."""

    deliveries: list[Delivery]
    sent: list[Delivery]
    sessions: list[list[Event]]

    def share(self, *event_types: str) -> float:
        """Share of sessions with one of the event types."""
        return sum(any(e.event_type in event_types for e in session) for session in self.sessions) / len(self.sessions)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return shop_until(UNTIL)


@cache
def shop_until(until: datetime) -> Shop:
    received = list(deliveries(until=until, days=DAYS))
    sent = [delivery for delivery in received if delivery.attempt == 1]
    return Shop(received, sent, sessions_of(sent))


def sessions_of(sent: Iterable[Delivery]) -> list[list[Event]]:
    """Runs of a consented visitor's events without a gap of more than 30 minutes, by true time."""
    events: dict[str, list[Event]] = defaultdict(list)
    for delivery in sent:
        if delivery.visitor.analytics == "granted" and not delivery.visitor.is_bot:
            events[delivery.visitor.key] += delivery.events
    sessions: list[list[Event]] = []
    for of_visitor in events.values():
        last_ms = None
        for event in sorted(of_visitor, key=lambda event: event.happened_at_ms):
            if last_ms is None or event.happened_at_ms - last_ms > IDLE_MS:
                sessions.append([])
            sessions[-1].append(event)
            last_ms = event.happened_at_ms
    return sessions
