"""A JSON Schema validator that knows our two keywords and reads numbers exactly, as the decoder does."""

import json
from decimal import Decimal
from typing import Any

import jsonschema
from jsonschema.validators import extend

from clicklake.contract.schema import event_schema


def _decimal_places(validator: Any, places: int, instance: Any, schema: Any) -> Any:
    if isinstance(instance, Decimal) and _significant_places(instance) > places:
        yield jsonschema.ValidationError(f"{instance} has more than {places} decimals")


def _significant_places(number: Decimal) -> int:
    _, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits))
    return -exponent - (len(text) - len(text.rstrip("0"))) if text.strip("0") else 0


def _max_own_properties(validator: Any, limit: int, instance: Any, schema: Any) -> Any:
    if isinstance(instance, dict) and len(instance.keys() - schema["properties"].keys()) > limit:
        yield jsonschema.ValidationError(f"more than {limit} own properties")


def _is_integer(checker: Any, instance: Any) -> bool:
    if isinstance(instance, Decimal):
        return instance == instance.to_integral_value()
    return isinstance(instance, int) and not isinstance(instance, bool)


Validator = extend(
    jsonschema.Draft202012Validator,
    {"x-decimal-places": _decimal_places, "x-max-own-properties": _max_own_properties},
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)

SCHEMAS = {flat: event_schema("tests", accept_flat=flat) for flat in (False, True)}
VALIDATORS = {flat: Validator(schema) for flat, schema in SCHEMAS.items()}
PLAIN_VALIDATORS = {flat: jsonschema.Draft202012Validator(schema) for flat, schema in SCHEMAS.items()}


def is_valid(text: str | bytes, *, accept_flat: bool) -> bool:
    """The schema's verdict on the JSON as written."""
    return VALIDATORS[accept_flat].is_valid(read_exactly(text))


def read_exactly(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=_read_integer)


def _read_integer(digits: str) -> int | Decimal:
    # Python refuses to make an int of more than 4,300 digits.
    return int(digits) if len(digits) < 4_000 else Decimal(digits)
