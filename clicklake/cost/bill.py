"""Usage times prices: a month's bill, line by line."""

from collections.abc import Mapping
from dataclasses import dataclass

from clicklake.cost.configuration import DEFAULT, Configuration
from clicklake.cost.prices import Price, price_list
from clicklake.cost.refresh_time import HIGH, LOW, RefreshModel, refresh_model
from clicklake.cost.usage import Refreshes, Workload, refreshes, usage


@dataclass(frozen=True)
class Line:
    """`usd` leaves the free amounts out that every account has for ever; `list_usd` has no free amounts."""

    key: str
    price: Price
    quantity: float
    parts: Mapping[str, float]
    usd: float
    list_usd: float


@dataclass(frozen=True)
class Bill:
    workload: Workload
    refreshes: Refreshes
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    @property
    def list_usd(self) -> float:
        return sum(line.list_usd for line in self.lines)

    def usd_of(self, *keys: str) -> float:
        return sum(line.usd for line in self.lines if line.key in keys)

    def by_service(self) -> dict[str, float]:
        """Dollars by service, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.price.service] = sums.get(line.price.service, 0.0) + line.usd
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


def bill(workload: Workload, model: RefreshModel | None = None, configuration: Configuration = DEFAULT) -> Bill:
    """Lines are in the order of prices.json; what is not used has none."""
    used, prices = usage(workload, model, configuration), price_list().prices
    unknown = used.keys() - prices.keys()
    if unknown:
        raise KeyError(f"no price for {', '.join(sorted(unknown))} in prices.json")
    lines = []
    for key, price in prices.items():
        if key in used:
            quantity = sum(used[key].values())
            dollars = price.of(quantity, has_free=True), price.of(quantity, has_free=False)
            lines.append(Line(key, price, quantity, used[key], *dollars))
    return Bill(workload, refreshes(workload, model, configuration), tuple(lines))


def range_of(workload: Workload) -> tuple[float, float]:
    """The bill, where Glue is as much quicker or slower than taken as it may be."""
    model = refresh_model()
    return bill(workload, model.scaled(LOW)).usd, bill(workload, model.scaled(HIGH)).usd
