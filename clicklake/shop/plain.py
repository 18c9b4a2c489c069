"""The plain profile: independent events in the older flat form, as a generator would make them."""

from collections.abc import Iterator
from functools import cache

import msgspec

from clicklake.shop.catalogue import categories, countries_by_population, devices
from clicklake.shop.chance import Chance, Weighted
from clicklake.shop.journeys import ORIGIN
from clicklake.shop.requests import EVENTS_PATH, Request
from clicklake.shop.visitors import DAY_MS

EVENTS_A_CALL = 20
EVENTS_A_DAY = 5_760
USERS = 25_000

_EVENT_TYPES = Weighted([("click", 0.6), ("search", 0.3), ("purchase", 0.1)])
_PAGES = Weighted([("product", 0.4), ("home", 0.2), ("cart", 0.2), ("other", 0.2)])

_encode = msgspec.json.Encoder().encode


def plain_requests(seed: int, start_ms: int, events_a_day: int) -> Iterator[Request]:
    """Calls of 20 events at an even pace, from `start_ms` on, without end; a call's events happened since the
    call before."""
    pause_ms = EVENTS_A_CALL * DAY_MS / events_a_day
    number = 0
    while True:
        chance = Chance(seed, "plain", start_ms, number)
        opens, closes = start_ms + int(number * pause_ms), start_ms + int((number + 1) * pause_ms)
        moments = sorted(int(chance.between(opens, closes)) for _ in range(EVENTS_A_CALL))
        events = [_event(seed, chance, moment // 1000) for moment in moments]
        # The call comes from a generator, not through the edge: `location` alone tells the country.
        headers = {
            "content-type": "application/json",
            "user-agent": chance.pick(devices()).user_agent,
            "origin": ORIGIN,
        }
        yield Request(closes, EVENTS_PATH, headers, _encode(events), f"198.18.0.{chance.integer(1, 254)}")
        number += 1


def _event(seed: int, chance: Chance, second: int) -> dict[str, object]:
    number = chance.integer(1, USERS)
    country, age = _user(seed, number)
    return {
        "event_type": chance.pick(_EVENT_TYPES),
        "user_action": chance.pick(_PAGES),
        "user_id": f"user-{number}",
        "location": country,
        "user_age": age,
        "product_category": chance.one_of(categories()),
        "timestamp": second,
    }


@cache
def _user(seed: int, number: int) -> tuple[str, int]:
    """Where a user lives and how old they are."""
    chance = Chance(seed, "plain user", number)
    country = chance.pick(countries_by_population())
    return country.code, min(80, max(16, round(chance.normal(35, 10))))
