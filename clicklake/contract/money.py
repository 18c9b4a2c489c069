"""Money: decimal(18,4) as canonical text. Read from the digits as sent, never through a float."""

import re
from decimal import Decimal

import msgspec

from clicklake.contract.memo import Memo
from clicklake.contract.reasons import Reason

# |x| < 1e12 and at most four significant decimals. `(?!\n)$`, because Python's $ also matches before a
# newline at the end while ECMAScript's does not.
PATTERN = r"^-?0*[0-9]{1,12}(\.[0-9]{1,4}0*)?(?!\n)$"
NOT_NEGATIVE_PATTERN = r"^(-0+(\.0+)?|0*[0-9]{1,12}(\.[0-9]{1,4}0*)?)(?!\n)$"

# Possessive, and zeros are taken off later: however long the digits, each is looked at once.
_TEXT = re.compile(r"(-?)([0-9]++)(?:\.([0-9]++))?", re.ASCII)
_NUMBER = re.compile(r"(-?)([0-9]++)(?:\.([0-9]++))?[eE]([+-]?[0-9]++)", re.ASCII)

# Prices repeat within a shop. Only short texts are kept, so that the cache stays below a few megabytes.
_CACHED_LENGTH = 24


def read_money(raw: bytes) -> str | Reason:
    """The canonical text of a JSON value: plain notation, no exponent, no trailing zeros, "-0" is "0"."""
    return _known[raw]


def _read(raw: bytes) -> str | Reason:
    if raw[0] == 0x22:
        text = msgspec.json.decode(raw)
        is_number = False
    else:
        # A list or an object may hold any text; a number is ASCII.
        is_number = raw[0] in b"-0123456789"
        if not is_number:
            return Reason.NOT_MONEY
        text = raw.decode("ascii")
    match = _TEXT.fullmatch(text)
    if match is None:
        return _read_exponent(text) if is_number else Reason.NOT_MONEY
    sign, whole, decimals = match.groups()
    return _canonical(sign, whole, decimals or "")


def _read_exponent(text: str) -> str | Reason:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return Reason.NOT_MONEY
    sign, whole, decimals, exponent_text = match.groups()
    digits = whole + (decimals or "")
    if not digits.strip("0"):
        return "0"
    # Beyond these bounds the answer is known, and the number would take gigabytes to write down.
    power = exponent_text.lstrip("+-").lstrip("0")[:9]
    exponent = int((exponent_text[0] if exponent_text[0] == "-" else "") + (power or "0"))
    if len(digits) + abs(exponent) > 40_000:
        return Reason.OUT_OF_RANGE if exponent > 0 else Reason.TOO_MANY_DECIMALS
    plain = format(Decimal(text), "f").lstrip("-")
    whole, _, decimals = plain.partition(".")
    return _canonical(sign, whole, decimals)


def _canonical(sign: str, whole: str, decimals: str) -> str | Reason:
    whole = whole.lstrip("0")
    decimals = decimals.rstrip("0")
    if len(whole) > 12:
        return Reason.OUT_OF_RANGE
    if len(decimals) > 4:
        return Reason.TOO_MANY_DECIMALS
    if not whole and not decimals:
        return "0"
    return f"{sign}{whole or '0'}{'.' + decimals if decimals else ''}"


_known: Memo[bytes] = Memo(_read, limit=16_384, longest=_CACHED_LENGTH)
