"""The shop's days: newcomers by weekday, season and hour, and those who come back, in order of time."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from clicklake.shop.arrivals import DIRECT, Arrival, arrive
from clicklake.shop.chance import Chance, Weighted
from clicklake.shop.journeys import History, Visit, walk
from clicklake.shop.visitors import DAY_MS, HOUR_MS, Visitor, new_bot, new_visitor

# A visitor of a local day may come this long before or after the same day in UTC.
_EARTH_MS = 14 * HOUR_MS

# Monday first.
_WEEKDAYS = (1.1, 1.07, 1.04, 1.0, 0.9, 0.85, 1.04)
# How many come in each hour of their local day.
_HOURS_AT_WORK = (
    2, 1, 0.6, 0.5, 0.5, 0.8, 2, 4, 6, 7, 7.5, 8, 8.5, 7.5, 7, 7, 7.5, 8.5, 9.5, 11, 12, 11, 8, 4.5,
)  # fmt: skip
_HOURS_AT_HOME = (
    3.5, 2, 1, 0.7, 0.5, 0.6, 1, 2, 4, 6.5, 8.5, 9.5, 9, 8.5, 8.5, 9, 9.5, 9.5, 9.5, 10, 11, 10, 7.5, 5,
)  # fmt: skip
_WORKDAY = Weighted(enumerate(_HOURS_AT_WORK))
_WEEKEND = Weighted(enumerate(_HOURS_AT_HOME))


@dataclass(frozen=True)
class Season:
    """How busy the days are. `daily` newcomers on the mean day of the window; busier towards its end by
    `growth` in all; a sale draws `sale_rush` times as many."""

    daily: float
    first_day: date
    days: int
    growth: float = 0.35
    sale_rush: float = 1.55

    def is_sale(self, day: date) -> bool:
        """Each month has one: from the third Thursday to the Sunday after."""
        thursday = 15 + (3 - day.replace(day=15).weekday()) % 7
        return thursday <= day.day <= thursday + 3

    def newcomers(self, seed: int, day: date) -> int:
        expected = self.daily * self._busyness(day) / self._mean_busyness
        chance = Chance(seed, "day", day)
        return max(0, round(chance.normal(expected, math.sqrt(expected) + 0.04 * expected)))

    def _busyness(self, day: date) -> float:
        # Before the window it is as at its start, after it as at its end.
        elapsed = (day - self.first_day).days / max(self.days - 1, 1)
        trend = 1 + self.growth * (min(max(elapsed, 0.0), 1.0) - 0.5)
        return trend * _WEEKDAYS[day.weekday()] * (self.sale_rush if self.is_sale(day) else 1.0)

    @cached_property
    def _mean_busyness(self) -> float:
        days = (self.first_day + timedelta(days=number) for number in range(self.days))
        return sum(self._busyness(day) for day in days) / self.days


def visits(seed: int, season: Season, first_day: date) -> Iterator[Visit]:
    """Every visit from `first_day` on, by start, without end. The first weeks lack those who would have
    come back: begin early and leave them out."""
    waiting: list[tuple[int, str, int, Visitor, History]] = []
    day = first_day
    while True:
        midnight = _midnight_ms(day)
        for visitor in _newcomers(seed, season, day):
            starts = _first_start(visitor, day, midnight)
            heapq.heappush(waiting, (starts, visitor.key, 0, visitor, History()))
        # Newcomers of the next local day may start from here on.
        settled = midnight + DAY_MS - _EARTH_MS
        while waiting and waiting[0][0] < settled:
            starts, _, _, visitor, history = heapq.heappop(waiting)
            visit = walk(visitor, history, _arrival(season, visitor, history, starts), starts, _sale(season, starts))
            if visit.returns:
                back = visit.returns
                at = (back.starts_at_ms, visitor.key, back.history.visits, visitor, back.history)
                heapq.heappush(waiting, at)
            yield visit
        day += timedelta(days=1)


def _newcomers(seed: int, season: Season, day: date) -> Iterator[Visitor]:
    people = season.newcomers(seed, day)
    for number in range(people):
        yield new_visitor(seed, day, number)
    for number in range(math.ceil(people * 0.02)):
        yield new_bot(seed, day, number)


def _first_start(visitor: Visitor, day: date, midnight: int) -> int:
    chance = Chance(visitor.seed, "start", visitor.key)
    hours = _WORKDAY if day.weekday() < 5 else _WEEKEND
    hour = chance.integer(0, 23) if visitor.is_bot else chance.pick(hours)
    return midnight + hour * HOUR_MS + int(chance.random() * HOUR_MS) - visitor.city.utc_offset_ms


def _arrival(season: Season, visitor: Visitor, history: History, starts: int) -> Arrival:
    if visitor.is_bot or history.claim:
        return Arrival(DIRECT, "", "")
    chance = Chance(visitor.seed, "arrival", visitor.key, history.visits)
    day = _date(starts)
    return arrive(chance, history.visits == 0, visitor.country.google_host, day, season.is_sale(day))


def _sale(season: Season, moment_ms: int) -> bool:
    return season.is_sale(_date(moment_ms))


def _date(moment_ms: int) -> date:
    return date.fromordinal(719_163 + moment_ms // DAY_MS)


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
