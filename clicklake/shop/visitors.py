"""Who comes: a visitor is one browser, with its place, device, habits, consent, clock and people."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clicklake.shop.catalogue import (
    City,
    Country,
    Device,
    bots,
    categories_by_wish,
    countries_by_reach,
    devices,
)
from clicklake.shop.chance import Chance, Weighted

HOUR_MS = 3_600_000
DAY_MS = 86_400_000

# A clock whose battery is empty begins in 1970 with every start; so far it is behind, in these years.
NEVER_SET_MS = 56 * 365 * DAY_MS

# People who own several devices come from this many; they are how one person becomes two visitors.
WELL_KNOWN_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with an account. `sub` is the user pool's name for them; `age` is told or None."""

    sub: str
    age: int | None


class Bot(StrEnum):
    """declared says so in its user agent; behaving looks like a browser and clicks too evenly; a scraper looks
    like one and reads the whole catalogue."""

    DECLARED = "declared"
    BEHAVING = "behaving"
    SCRAPER = "scraper"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser. `people` may sign in with it: none, one, or two who share it. `has_account`: they were
    customers before they came with this browser.

    `clock_ahead_ms` is what its clock shows too much; `tells_time` is False where what it sends as ts cannot be
    read. `wish` is how much it is after something (1 is usual). `bot` is empty for people. `is_test`: the
    shop's own staff try something out. `key` names it for ever, whatever else is simulated.
    """

    key: str
    seed: int
    anonymous_id: str
    device: Device
    country: Country
    city: City
    address: str
    interests: tuple[str, ...]
    wish: float
    people: tuple[Person, ...]
    has_account: bool
    analytics: str
    marketing: str
    tells_consent: bool
    clock_ahead_ms: int
    tells_time: bool
    goes_offline: bool
    sdk: str
    bot: Bot | None = None
    is_test: bool = False

    @property
    def is_bot(self) -> bool:
        return self.bot is not None

    def chance(self, visit_number: int) -> Chance:
        """The stream for one visit: later visits do not depend on what else happens in the shop."""
        return Chance(self.seed, self.key, visit_number)


_STRICT = frozenset({"DE", "AT", "FR", "NL", "BE", "LU", "DK", "SE", "NO", "FI", "IT", "ES"})
_SDKS = Weighted([("clicklake-js/1.0.0", 88), ("clicklake-js/0.9.2", 8), ("clicklake-app/0.3.1", 4)])


_BOTS = Weighted([(Bot.DECLARED, 70), (Bot.BEHAVING, 20), (Bot.SCRAPER, 10)])


def new_visitor(seed: int, day: date, number: int) -> Visitor:
    """The day's `number`-th newcomer."""
    key = f"{day:%Y%m%d}.{number}"
    chance = Chance(seed, "visitor", key)
    country = chance.pick(countries_by_reach())
    device = chance.pick(devices())
    analytics, marketing = _consent(chance, country)
    people = _people(chance, seed)
    return Visitor(
        key=key,
        seed=seed,
        anonymous_id=chance.uuid(),
        device=device,
        country=country,
        city=chance.one_of(country.cities),
        address=_address(chance),
        interests=tuple(chance.pick(categories_by_wish()) for _ in range(2)),
        wish=min(chance.around(1.0, 0.6), 4.0),
        people=people,
        has_account=len(people) > 1 or chance.happens(0.5),
        analytics=analytics,
        marketing=marketing,
        tells_consent=analytics != "unknown" or chance.happens(0.5),
        clock_ahead_ms=_clock(chance),
        tells_time=not chance.happens(0.002),
        goes_offline=device.device_type != "desktop" and chance.happens(0.12),
        sdk=chance.pick(_SDKS),
        is_test=chance.happens(0.004),
    )


def new_bot(seed: int, day: date, number: int) -> Visitor:
    """A crawler or script that runs the page's JavaScript."""
    key = f"{day:%Y%m%d}.bot{number}"
    chance = Chance(seed, "bot", key)
    bot = chance.pick(_BOTS)
    home = "US" if chance.happens(0.8) else "DE"
    country = next(country for country in countries_by_reach().things if country.code == home)
    return Visitor(
        key=key,
        seed=seed,
        anonymous_id=chance.uuid(),
        device=chance.pick(bots() if bot is Bot.DECLARED else devices()),
        country=country,
        city=country.cities[0],
        address=_address(chance),
        interests=tuple(chance.pick(categories_by_wish()) for _ in range(2)),
        wish=0.0,
        people=(),
        has_account=False,
        analytics="granted",
        marketing="unknown",
        tells_consent=chance.happens(0.7),
        clock_ahead_ms=0,
        tells_time=True,
        goes_offline=False,
        sdk="clicklake-js/1.0.0",
        bot=bot,
    )


def person(seed: int, *name: object) -> Person:
    chance = Chance(seed, "person", *name)
    sub = chance.uuid()
    age = min(80, max(16, round(chance.normal(37, 11))))
    return Person(sub, age if chance.happens(0.8) else None)


def _people(chance: Chance, seed: int) -> tuple[Person, ...]:
    if chance.happens(0.03):  # a family's tablet, an office PC
        return person(seed, chance.uuid()), person(seed, chance.uuid())
    if chance.happens(0.07):
        return (person(seed, "well-known", chance.integer(1, WELL_KNOWN_PEOPLE)),)
    if chance.happens(0.3):
        return (person(seed, chance.uuid()),)
    return ()


def _consent(chance: Chance, country: Country) -> tuple[str, str]:
    refuses = 0.13 if country.code in _STRICT else 0.06
    if chance.happens(refuses):
        return "denied", "denied"
    if chance.happens(0.03):
        return "unknown", "unknown"
    return "granted", "denied" if chance.happens(0.15) else "granted"


def _clock(chance: Chance) -> int:
    """Most clocks are right within a second or two; some are minutes, hours or days off, or were never set."""
    share = chance.random()
    sign = 1 if chance.happens(0.5) else -1
    if share < 0.018:
        return sign * int(chance.between(6, 40) * 60_000)
    if share < 0.026:
        return sign * int(chance.between(1, 12)) * HOUR_MS
    if share < 0.030:
        return sign * (chance.integer(1, 9) * DAY_MS + int(chance.between(-60_000, 60_000)))
    if share < 0.031:
        return -NEVER_SET_MS
    if share < 0.034:  # too little to be corrected, enough to be noticed
        return sign * int(chance.between(1.5, 4.5) * 60_000)
    return int(chance.normal(0, 900))


def _address(chance: Chance) -> str:
    # 198.18.0.0/15 is kept for tests: nobody's address.
    return f"198.{chance.integer(18, 19)}.{chance.integer(0, 255)}.{chance.integer(1, 254)}"
