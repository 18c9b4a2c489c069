"""What the definitions leave to the shop, and the reference lists they refer to."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Rules:
    """The shop's settings, with the defaults of the definitions. `hosts` are its own."""

    time_zone: str = "UTC"
    currency: str = "EUR"
    hosts: tuple[str, ...] = ()
    late_limit_days: int = 90
    min_n: int = 30

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Source:
    """A known source of visits; `kind` is search, social, video, shopping, ai or email."""

    name: str
    kind: str


@dataclass(frozen=True)
class Reference:
    """Known sources by name, alias and domain; payment gateways' domains; countries by code."""

    sources_by_name: Mapping[str, Source] = field(default_factory=dict)
    sources_by_domain: Mapping[str, Source] = field(default_factory=dict)
    payment_gateways: frozenset[str] = frozenset()
    countries: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_reference(folder: Path) -> Reference:
    """The lists from `sources.json` (names, kinds, domains) and `countries.csv` (code, name, continent)."""
    told = json.loads((folder / "sources.json").read_text("utf-8"))
    by_name: dict[str, Source] = {}
    by_domain: dict[str, Source] = {}
    for entry in told["sources"]:
        source = Source(entry["name"], entry["kind"])
        for name in (entry["name"], *entry.get("aliases", ())):
            by_name.setdefault(name, source)
        # The same domain may stand under two names; the later one is the more special.
        by_domain |= dict.fromkeys(entry["domains"], source)
    with open(folder / "countries.csv", encoding="utf-8", newline="") as file:
        countries = {row["code"]: (row["name"], row["continent"]) for row in csv.DictReader(file)}
    return Reference(by_name, by_domain, frozenset(told["payment_gateways"]), countries)
