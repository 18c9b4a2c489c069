"""Net revenue by touch, six models (docs/definitions.md: Attribution). The credits add up to it exactly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from clicklake.verify.channels import Visit
from clicklake.verify.rules import DAY_MS

WINDOW_MS = 30 * DAY_MS
HALF_LIFE_MS = 7 * DAY_MS
# ISO 4217: currencies without two decimals.
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "HUF": 2, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3}


@dataclass(frozen=True, slots=True)
class Touch:
    """A session that may have led to the order."""

    started_at: int
    visit: Visit
    channel: str

    @property
    def is_direct(self) -> bool:
        return self.channel == "Direct"


def touches_before(sessions: Sequence[Touch], ordered_at: int) -> list[Touch]:
    """The touches of a conversion, earliest first: within 30 days, repeats in a row collapsed to the first."""
    recent = sorted(
        (touch for touch in sessions if ordered_at - WINDOW_MS <= touch.started_at <= ordered_at),
        key=lambda touch: touch.started_at,
    )
    collapsed: list[Touch] = []
    for touch in recent:
        if not collapsed or collapsed[-1].visit != touch.visit:
            collapsed.append(touch)
    return collapsed


def _first(touches: Sequence[Touch], _: int) -> list[float]:
    return [1.0] + [0.0] * (len(touches) - 1)


def _last(touches: Sequence[Touch], _: int) -> list[float]:
    return [0.0] * (len(touches) - 1) + [1.0]


def _last_non_direct(touches: Sequence[Touch], _: int) -> list[float]:
    chosen = max((place for place, touch in enumerate(touches) if not touch.is_direct), default=len(touches) - 1)
    return [float(place == chosen) for place in range(len(touches))]


def _linear(touches: Sequence[Touch], _: int) -> list[float]:
    return [1.0] * len(touches)


def _position(touches: Sequence[Touch], _: int) -> list[float]:
    inner = len(touches) - 2
    if inner <= 0:
        return [1.0] * len(touches)
    return [40.0, *[20.0 / inner] * inner, 40.0]


def _time_decay(touches: Sequence[Touch], ordered_at: int) -> list[float]:
    return [0.5 ** ((ordered_at - touch.started_at) / HALF_LIFE_MS) for touch in touches]


MODELS: Mapping[str, Callable[[Sequence[Touch], int], list[float]]] = {
    "first": _first,
    "last": _last,
    "last_non_direct": _last_non_direct,
    "linear": _linear,
    "position": _position,
    "time_decay": _time_decay,
}


def attribute(model: str, touches: Sequence[Touch], ordered_at: int, amount: Decimal, currency: str) -> list[Decimal]:
    """Each touch's credit, in whole minor units by largest remainder, ties to the earliest touch."""
    return allocate(amount, MODELS[model](touches, ordered_at), currency)


def allocate(amount: Decimal, weights: Sequence[float], currency: str) -> list[Decimal]:
    """`amount` split by `weights`; the parts add up to it exactly."""
    unit = Decimal(1).scaleb(-_MINOR_DIGITS.get(currency, 2))
    total = Decimal(sum(weights))
    exact = [amount * Decimal(weight) / total for weight in weights]
    parts = [(share / unit).to_integral_value(ROUND_FLOOR) * unit for share in exact]
    rest = amount - sum(parts, Decimal(0))
    by_remainder = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_remainder:
        # Less than a unit is left where the amount itself has more decimals.
        given = min(unit, rest)
        if given <= 0:
            break
        parts[place] += given
        rest -= given
    return parts
