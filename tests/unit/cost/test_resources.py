import re

from clicklake.cli.build import ROOT
from clicklake.cost.resources import RESOURCES, Free


def types_in_the_configuration() -> set[str]:
    texts = [path.read_text("utf-8") for path in (ROOT / "terraform").rglob("*.tf")]
    return {name for text in texts for name in re.findall(r'^resource "(\w+)"', text, re.M)}


def test_every_type_of_resource_has_its_prices_or_the_reason_for_none():
    unpriced = types_in_the_configuration() - RESOURCES.keys()
    assert unpriced == set(), "say in clicklake/cost/resources.py what they cost"


def test_nothing_is_priced_that_the_configuration_has_no_more():
    assert RESOURCES.keys() - types_in_the_configuration() == set()


def test_a_reason_is_a_reason():
    for name, keys in RESOURCES.items():
        assert len(keys.reason) > 10 if isinstance(keys, Free) else keys, name
