import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.contract.money import read_money
from clicklake.contract.reasons import Reason

ACCEPTED = {
    "0": "0",
    "-0": "0",
    "-0.000": "0",
    "12.30": "12.3",
    "12.3400000000": "12.34",
    "1e3": "1000",
    "1E+3": "1000",
    "12345e-2": "123.45",
    "1e0000000000000002": "100",
    "0e99999999999": "0",
    "0.1": "0.1",
    "999999999999.9999": "999999999999.9999",
    "-999999999999.9999": "-999999999999.9999",
    '"007.50"': "7.5",
    '"-0.00"': "0",
    '"\\u0031"': "1",
    '"999999999999.99990"': "999999999999.9999",
}
REFUSED = {
    "1000000000000": Reason.OUT_OF_RANGE,
    "1e12": Reason.OUT_OF_RANGE,
    "1e999": Reason.OUT_OF_RANGE,
    "1e99999999999999999999": Reason.OUT_OF_RANGE,
    "-1e12": Reason.OUT_OF_RANGE,
    "0.00001": Reason.TOO_MANY_DECIMALS,
    "1e-5": Reason.TOO_MANY_DECIMALS,
    "1e-99999999999999999999": Reason.TOO_MANY_DECIMALS,
    "0.30000000000000004": Reason.TOO_MANY_DECIMALS,
    '"1e3"': Reason.NOT_MONEY,
    '"NaN"': Reason.NOT_MONEY,
    '"Infinity"': Reason.NOT_MONEY,
    '""': Reason.NOT_MONEY,
    '" 1"': Reason.NOT_MONEY,
    '"1."': Reason.NOT_MONEY,
    '".5"': Reason.NOT_MONEY,
    '"+1"': Reason.NOT_MONEY,
    '"1,50"': Reason.NOT_MONEY,
    '"1_000"': Reason.NOT_MONEY,
    '"1\\n"': Reason.NOT_MONEY,
    '"\u0661"': Reason.NOT_MONEY,
    "true": Reason.NOT_MONEY,
    "null": Reason.NOT_MONEY,
    "[1]": Reason.NOT_MONEY,
    '{"a":1}': Reason.NOT_MONEY,
}


@pytest.mark.parametrize(("sent", "expected"), [*ACCEPTED.items(), *REFUSED.items()])
def test_money_is_read_from_its_digits(sent: str, expected: str | Reason) -> None:
    assert read_money(sent.encode()) == expected


@given(st.integers(-(10**16) + 1, 10**16 - 1))
@settings(derandomize=True, database=None)
def test_every_amount_of_four_decimals_survives_as_text_and_the_result_is_canonical(units: int) -> None:
    amount = Decimal(units).scaleb(-4)
    read = read_money(json.dumps(format(amount, "f")).encode())
    assert isinstance(read, str)
    assert Decimal(read) == amount
    assert read_money(read.encode()) == read
    assert "e" not in read.lower() and not (("." in read) and read.endswith(("0", ".")))


@given(st.integers(-(10**10), 10**10))
@settings(derandomize=True, database=None)
def test_every_amount_a_float_can_tell_survives_as_number(units: int) -> None:
    read = read_money(json.dumps(units / 10**4).encode())
    assert isinstance(read, str)
    assert Decimal(read) == Decimal(units).scaleb(-4)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f'"{"0" * 4_000_000}x"', Reason.NOT_MONEY),
        (f'"{"0" * 4_000_000}7.5"', "7.5"),
        (f'"1.{"0" * 4_000_000}x"', Reason.NOT_MONEY),
        (f"1.{'0' * 4_000_000}e1", Reason.OUT_OF_RANGE),
    ],
    ids=["zeros before", "zeros before a price", "zeros behind", "zeros behind, with an exponent"],
)
def test_millions_of_zeros_are_read_once(sent: str, expected: str | Reason) -> None:
    assert read_money(sent.encode()) == expected
