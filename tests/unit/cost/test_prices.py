import re

import pytest

from clicklake.cost.prices import EVIDENCE, Price, price_list
from clicklake.cost.resources import RESOURCES, Free
from clicklake.cost.usage import Workload, usage

PRICES = price_list().prices


@pytest.mark.parametrize("key", PRICES)
def test_a_price_says_where_it_was_read_or_that_nobody_checked_it(key):
    price = PRICES[key]
    assert price.usd > 0 and price.per >= 1 and price.free_a_month >= 0
    assert price.evidence in EVIDENCE
    assert price.source.startswith("https://aws.amazon.com/")
    assert bool(price.read) == (price.evidence != "unchecked")


def test_the_list_is_of_one_region_and_one_day():
    assert price_list().region == "us-east-1"
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", price_list().as_of)
    assert price_list().evidence.keys() == set(EVIDENCE)


def test_what_is_free_is_free_first_and_only_where_it_counts():
    price = Price("S", "w", usd=2.0, per=1000, unit="u", free_a_month=500, evidence="page", source="", read="")
    assert price.of(400, has_free=True) == 0
    assert price.of(1500, has_free=True) == 2.0
    assert price.of(1500, has_free=False) == 3.0


def test_every_price_is_used_by_a_resource_or_stands_for_comparison():
    used = {key for keys in RESOURCES.values() if not isinstance(keys, Free) for key in keys}
    assert used <= PRICES.keys()
    assert PRICES.keys() - used == {"rest_api_requests"}


def test_each_priced_resource_is_counted_with_all_options_on():
    counted = usage(Workload(has_firewall=True)).keys() | usage(Workload(refresh_minutes=60)).keys()
    used = {key for keys in RESOURCES.values() if not isinstance(keys, Free) for key in keys}
    assert used <= counted
