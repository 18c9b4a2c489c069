"""What the shop sells, where its visitors live and what they browse with: the data files, read once."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from clicklake.shop.chance import Weighted


@dataclass(frozen=True, slots=True)
class Product:
    product_id: str
    name: str
    category: str
    variants: tuple[str, ...]
    price_cents: int
    popularity: float

    @property
    def path(self) -> str:
        return f"/product/{slug(self.name)}-{self.product_id.lower()}"


@dataclass(frozen=True, slots=True)
class City:
    name: str
    utc_offset_ms: int


@dataclass(frozen=True, slots=True)
class Country:
    code: str
    population_millions: float
    tax_percent: float
    google_host: str
    currency: str
    cities: tuple[City, ...]


@dataclass(frozen=True, slots=True)
class Device:
    device_type: str
    user_agent: str


# What a euro costs the shop's customers. They pay whole units less a hundredth, in yen whole units.
_RATES = {"EUR": 1.0, "GBP": 0.86, "USD": 1.1, "CHF": 0.95, "SEK": 11.5, "DKK": 7.46, "PLN": 4.3, "JPY": 162.0}

# Weight falls with rank to this power: the long tail of a shop.
TAIL_EXPONENT = 0.9

# What people type; a term that matches no product shows the shop what it does not sell.
SEARCH_TERMS = Weighted(
    [
        ("usb c cable", 9), ("mechanical keyboard", 9), ("wireless mouse", 8), ("ssd 1 tb", 8),
        ("27 monitor", 7), ("laptop", 7), ("headset", 7), ("webcam", 5), ("docking station", 5),
        ("hdmi adapter", 5), ("charger 65 w", 5), ("laptop stand", 4), ("monitor arm", 4), ("ddr5 32 gb", 4),
        ("gaming mouse", 4), ("wifi 7 router", 3), ("mesh", 3), ("toner 700", 3), ("power bank", 3),
        ("backpack 15", 3), ("graphics card", 3), ("microphone", 3), ("ethernet cable 10 m", 2),
        ("usb stick 128 gb", 2), ("nas", 2), ("gaming chair", 2), ("ergonomic keyboard", 2), ("doorbell", 1),
        ("playstation", 2.5), ("iphone case", 2), ("macbook charger 96w", 1), ("ps6", 0.8), ("drone", 0.7),
        ("3d printer", 0.7), ("ssd 8 tb", 0.5), ("keybord", 1.2), ("vinyl player", 0.3),
    ]
)  # fmt: skip

# Words that stand for a category when they are searched for.
_CATEGORY_WORDS = {
    "Laptops": "laptop notebook", "Desktop PCs": "pc desktop", "Monitors": "monitor screen 27",
    "Keyboards": "keyboard mechanical ergonomic", "Mice": "mouse wireless", "Headsets": "headset headphones",
    "Webcams & Microphones": "webcam microphone", "Storage": "ssd usb stick nas disk",
    "Memory": "ddr5 ddr4 ram memory", "Graphics Cards": "graphics card gpu",
    "Networking": "router wifi mesh switch", "Cables & Adapters": "cable adapter",
    "Docks & Hubs": "docking station dock hub", "Chargers & Power": "charger power bank ups",
    "Printers & Ink": "printer ink toner", "Bags & Stands": "backpack bag stand arm",
    "Smart Home": "smart bulb doorbell", "Gaming": "gaming chair",
}  # fmt: skip


def local_cents(euro_cents: int, currency: str) -> int:
    """A price in hundredths of another currency."""
    if currency == "EUR":
        return euro_cents
    whole = max(1, round(euro_cents * _RATES[currency] / 100))
    return whole * 100 - (0 if currency == "JPY" else 1)


def slug(text: str) -> str:
    kept = "".join(letter if letter.isalnum() else " " for letter in text.lower())
    return "-".join(kept.split())


def _rows(name: str) -> list[dict[str, str]]:
    text = files("clicklake.shop").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def products() -> tuple[Product, ...]:
    return tuple(
        Product(
            row["product_id"],
            row["name"],
            row["category"],
            tuple(row["variants"].split("|")) if row["variants"] else (),
            round(float(row["price"]) * 100),
            1.0 / (int(row["popularity_rank"]) + 2) ** TAIL_EXPONENT,
        )
        for row in _rows("catalogue.csv")
    )


@cache
def products_by_wish() -> Weighted[Product]:
    return Weighted((product, product.popularity) for product in products())


@cache
def categories() -> tuple[str, ...]:
    return tuple(dict.fromkeys(product.category for product in products()))


@cache
def categories_by_wish() -> Weighted[str]:
    return Weighted((name, sum(p.popularity for p in shelf(name))) for name in categories())


@cache
def shelf(category: str) -> tuple[Product, ...]:
    """A category's products as its list shows them, the most wanted first."""
    found = (product for product in products() if product.category == category)
    return tuple(sorted(found, key=lambda product: (-product.popularity, product.product_id)))


@cache
def shelf_by_wish(category: str) -> Weighted[Product]:
    return Weighted((product, product.popularity) for product in shelf(category))


@cache
def found_by(term: str) -> tuple[Product, ...]:
    """Search results: products all of whose words are in name or category; those that have more of them in the name
    come first, then the more wanted."""
    words = set(term.split())

    def in_name(product: Product) -> set[str]:
        return words & set(slug(product.name).split("-"))

    def matches(product: Product) -> bool:
        of_category = slug(product.category).split("-") + _CATEGORY_WORDS[product.category].split()
        return words - in_name(product) <= set(of_category)

    found = (product for product in products() if matches(product))
    return tuple(sorted(found, key=lambda p: (-len(in_name(p)), -p.popularity, p.product_id)))


def _country(row: dict[str, str]) -> Country:
    cities = []
    for text in row["cities"].split("|"):
        name, _, offset = text.partition("@")
        cities.append(City(name, round(float(offset or row["utc_offset_hours"]) * 3_600_000)))
    return Country(
        row["country"],
        float(row["population_millions"]),
        float(row["tax_percent"]),
        row["google"],
        row["currency"],
        tuple(cities),
    )


@cache
def countries_by_reach() -> Weighted[Country]:
    """Countries by how many of their people know the shop."""
    rows = _rows("countries.csv")
    return Weighted((_country(row), float(row["population_millions"]) * float(row["reach"])) for row in rows)


@cache
def countries_by_population() -> Weighted[Country]:
    countries = [_country(row) for row in _rows("countries.csv")]
    return Weighted((country, country.population_millions) for country in countries)


@cache
def devices() -> Weighted[Device]:
    """What people browse with."""
    return Weighted(_devices(is_bot=False))


@cache
def bots() -> Weighted[Device]:
    return Weighted(_devices(is_bot=True))


def _devices(is_bot: bool) -> list[tuple[Device, float]]:
    rows = [row for row in _rows("devices.csv") if (row["device_type"] == "bot") is is_bot]
    return [(Device(row["device_type"], row["user_agent"]), float(row["weight"])) for row in rows]
