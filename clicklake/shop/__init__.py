"""The simulated shop: what happened in it (world, journeys) and how it was sent (wire).

    for request in simulate(until=datetime(2026, 3, 1, tzinfo=timezone.utc)):
        ...

The same arguments give the same requests for ever.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile, takewhile

from clicklake.shop.journeys import ORIGIN, Visit
from clicklake.shop.plain import EVENTS_A_DAY, plain_requests
from clicklake.shop.requests import WITHOUT_SECRET, Edge, Request
from clicklake.shop.truth import TruthWriter
from clicklake.shop.visitors import DAY_MS
from clicklake.shop.wire import USUAL_FAULTS, Delivery, Faults, deliver
from clicklake.shop.world import Season, visits

__all__ = [
    "ORIGIN",
    "PROFILES",
    "Delivery",
    "Edge",
    "Faults",
    "Request",
    "Visit",
    "deliveries",
    "live",
    "simulate",
    "visits_of",
]

PROFILES = ("shop", "plain")

# Newcomers on the mean day; with those who return, about 90,000 events in 60 days.
NEWCOMERS_A_DAY = 83.0
# Simulated before the window and left out, so that its first day has returning visitors.
RUN_IN_DAYS = 21
# In live mode the SDK sends this soon, not at the end of the visit.
LIVE_FLUSH_MS = 15_000
LIVE_SEASON_DAYS = 60


def simulate(
    profile: str = "shop",
    seed: int = 7,
    days: int = 60,
    *,
    until: datetime,
    visitors: float = 1.0,
    events_per_day: int = EVENTS_A_DAY,
    edge: Edge = WITHOUT_SECRET,
    truth: TruthWriter | None = None,
) -> Iterator[Request]:
    """The requests received in the `days` before `until`, in order of received_at.

    `visitors` multiplies the shop's visitors; `events_per_day` is the plain profile's volume. `truth` notes what
    happens, all of it once the last request was taken; the plain profile has no journeys, and so no truth.
    Raises ValueError for an unknown profile or an `until` without a time zone.
    """
    start_ms, end_ms = _window(until, days)
    if _known(profile) == "plain":
        calls = plain_requests(seed, start_ms, events_per_day)
        return takewhile(lambda request: request.received_at_ms <= end_ms, calls)
    return (
        delivery.request for delivery in deliveries(seed, days, until=until, visitors=visitors, edge=edge, truth=truth)
    )


def deliveries(
    seed: int = 7,
    days: int = 60,
    *,
    until: datetime,
    visitors: float = 1.0,
    edge: Edge = WITHOUT_SECRET,
    faults: Faults = USUAL_FAULTS,
    truth: TruthWriter | None = None,
) -> Iterator[Delivery]:
    """The shop profile's requests with what is in them: events by true time, rubbish, attempts."""
    _, end_ms = _window(until, days)
    happened = visits_of(seed, days, until=until, visitors=visitors)
    if truth:
        happened = truth.visits(happened)
    received = takewhile(lambda delivery: delivery.request.received_at_ms <= end_ms, deliver(happened, edge, faults))
    yield from truth.deliveries(received) if truth else received
    # What happened near the end may not have been sent before it; it happened all the same.
    for _ in happened if truth else ():
        pass


def visits_of(seed: int = 7, days: int = 60, *, until: datetime, visitors: float = 1.0) -> Iterator[Visit]:
    """What happened: the visits that start in the window, by start, whether or not all of it has been
    received by its end."""
    start_ms, end_ms = _window(until, days)
    season = Season(NEWCOMERS_A_DAY * visitors, _day(start_ms), days)
    happened = visits(seed, season, season.first_day - timedelta(days=RUN_IN_DAYS))
    happened = dropwhile(lambda visit: visit.started_at_ms < start_ms, happened)
    return takewhile(lambda visit: visit.started_at_ms <= end_ms, happened)


def live(
    profile: str = "shop",
    seed: int = 7,
    *,
    start: datetime,
    speed: float = 1.0,
    edge: Edge = WITHOUT_SECRET,
) -> Iterator[Request]:
    """Requests received from `start` on, without end; the caller waits until each one's received_at_ms.

    `speed` makes the shop so many times busier: visits keep their natural pace, so that sessions stay sessions.
    """
    start_ms, _ = _window(start, 0)
    if _known(profile) == "plain":
        return plain_requests(seed, start_ms, round(EVENTS_A_DAY * speed))
    # The season of the days before: what `simulate` made until `start` goes on here, late phones included.
    season = Season(NEWCOMERS_A_DAY * speed, _day(start_ms - LIVE_SEASON_DAYS * DAY_MS), LIVE_SEASON_DAYS)
    run_in_days = max(2, round(RUN_IN_DAYS / max(speed, 1)))
    happened = visits(seed, season, _day(start_ms) - timedelta(days=run_in_days))
    sent = deliver(happened, edge, flush_after_ms=LIVE_FLUSH_MS)
    return (delivery.request for delivery in sent if delivery.request.received_at_ms >= start_ms)


def _known(profile: str) -> str:
    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}: choose one of {', '.join(PROFILES)}")
    return profile


def _window(until: datetime, days: int) -> tuple[int, int]:
    if until.tzinfo is None:
        raise ValueError("the end of the simulation needs a time zone, such as timezone.utc")
    end_ms = int(until.timestamp() * 1000)
    return end_ms - days * DAY_MS, end_ms


def _day(moment_ms: int) -> date:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).date()
