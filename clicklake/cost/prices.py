"""prices.json: one list of prices of one region and date, each with where it was read."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

EVIDENCE = ("page", "quoted", "unchecked")


@dataclass(frozen=True)
class Price:
    """`usd` are asked for `per` units; `free_a_month` units are free in every account, for ever.

    `evidence` is one of EVIDENCE; prices.json tells what each means.
    """

    service: str
    what: str
    usd: float
    per: int
    unit: str
    free_a_month: float
    evidence: str
    source: str
    read: str
    note: str = ""

    def of(self, quantity: float, *, has_free: bool) -> float:
        """Dollars for so many units."""
        return max(0.0, quantity - (self.free_a_month if has_free else 0)) * self.usd / self.per


@dataclass(frozen=True)
class PriceList:
    region: str
    as_of: str
    evidence: dict[str, str]
    prices: dict[str, Price]


@lru_cache(maxsize=1)
def price_list() -> PriceList:
    found: dict[str, Any] = json.loads(files("clicklake.cost").joinpath("prices.json").read_text("utf-8"))
    prices = {key: Price(**{**price, "usd": float(price["usd"])}) for key, price in found["prices"].items()}
    return PriceList(found["region"], found["as_of"], found["evidence"], prices)
