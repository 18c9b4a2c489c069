from clicklake.shop.catalogue import (
    SEARCH_TERMS,
    categories,
    countries_by_population,
    countries_by_reach,
    devices,
    found_by,
    products,
    products_by_wish,
)
from clicklake.shop.chance import Chance


def test_every_product_has_its_own_id_and_path_and_a_price():
    assert len(products()) >= 1_000
    assert len({product.product_id for product in products()}) == len(products())
    assert len({product.path for product in products()}) == len(products())
    assert min(product.price_cents for product in products()) > 0
    assert len(categories()) >= 15


def test_a_fifth_of_the_products_draws_most_wishes_the_rest_is_a_long_tail_and_none_draws_none():
    wishes, chance = 100_000, Chance("wishes")
    counts = dict.fromkeys((product.product_id for product in products()), 0)
    for _ in range(wishes):
        counts[chance.pick(products_by_wish()).product_id] += 1
    ranked = sorted(counts.values(), reverse=True)
    assert 0.6 < sum(ranked[: len(ranked) // 5]) / wishes < 0.8
    assert sum(ranked[len(ranked) // 2 :]) / wishes > 0.12
    assert ranked[-1] > 0


def test_of_two_sizes_the_larger_costs_more():
    prices = {product.name: product.price_cents for product in products()}
    assert prices["Granit SSD 500 GB"] < prices["Granit SSD 1 TB"] < prices["Granit SSD 2 TB"]
    assert prices["Orbis Ethernet Cable 2 m"] < prices["Orbis Ethernet Cable 10 m"]


def test_some_search_terms_find_nothing_and_most_find_something():
    hits = [len(found_by(term)) for term in SEARCH_TERMS.things]
    assert 0.1 < hits.count(0) / len(hits) < 0.4


def test_the_plain_profile_has_at_least_45_countries_and_weighs_them_by_population():
    countries = countries_by_population()
    assert len({country.code for country in countries.things}) >= 45
    assert max(countries.things, key=lambda country: country.population_millions).code == "IN"


def test_the_shop_does_not_reach_countries_it_does_not_ship_to():
    assert "RU" not in {country.code for country in countries_by_reach().things}


def test_bots_are_kept_apart_from_what_people_browse_with():
    assert {device.device_type for device in devices().things} == {"desktop", "mobile", "tablet"}
