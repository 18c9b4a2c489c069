"""Takes e-mail addresses, phone numbers and card numbers out of text before it is written anywhere.

When in doubt it redacts: a lost article number costs less than a stored phone number. Only where people
look for products, and products are named, a number with the check digit of an article number stays.
Names cannot be recognised; the SDK's rule is never to send them.
"""

import re
from collections.abc import Callable
from itertools import accumulate, cycle

from clicklake.contract.memo import Memo

EMAIL, PHONE, CARD = "[email]", "[phone]", "[card]"

_AT = "@\uff20"
# One cheap look that most texts fail: an at sign (also as JSON or a URL spells it), or seven digits
# with little between them.
_SUSPECT = re.compile(rf"[{_AT}]|%40|\d(?:[^\w]{{0,3}}\d){{6}}")
_DOMAIN = re.compile(
    rf"(?:[{_AT}]|%40)((?:[\w-]{{1,63}}\.){{1,8}}(?:xn--[\w-]{{1,59}}|[^\W\d_]{{2,24}})|\[?\d{{1,3}}(?:\.\d{{1,3}}){{3}}\]?)"
)
_NOT_LOCAL = frozenset(' \t\r\n\f\v\0@\uff20<>()[]{},;:"\\/=?&|')
_MAX_LOCAL = 64
# Digits with at most two of the usual separators between two of them. Bounded, so no text makes it slow.
_DIGITS = re.compile(r"(?<![^\W_])(?:\+|\(\+?)?\d(?:[ \u00a0\u2009\u202f.()/\u2010-\u2015-]{0,3}\d){6,40}(?![^\W_])")
_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d)"
    r"(?:[ ./-]{1,3}\d{1,2}){0,3}\Z"
)
_GROUPED = re.compile(r"\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}\Z")
_PLAIN = range(10)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_ISSUER = re.compile(r"3[0-9]|4|5[0-8]|6|2[2-7]|81")


def scrub_emails(text: str) -> str:
    """Replaces each address, found from its at sign: searching for the local part first takes
    quadratic time on text without any."""
    parts: list[str] = []
    done = 0
    for match in _DOMAIN.finditer(text):
        start, floor = match.start(), max(done, match.start() - _MAX_LOCAL)
        while start > floor and text[start - 1] not in _NOT_LOCAL:
            start -= 1
        if start < match.start():
            parts += (text[done:start], EMAIL)
            done = match.end()
    return "".join(parts) + text[done:] if parts else text


def _redact_in_text(match: re.Match[str]) -> str:
    found = match[0]
    digits = "".join(letter for letter in found if letter.isdecimal())
    if has_card_number(digits):
        return CARD
    return PHONE if _is_phone(found, digits) else found


def _redact_in_product(match: re.Match[str]) -> str:
    found = match[0]
    if is_gtin(found) and not has_card_number(found, of_known_issuer=True):
        return found
    return _redact_in_text(match)


def _redact_in_code(match: re.Match[str]) -> str:
    found = match[0]
    digits = "".join(letter for letter in found if letter.isdecimal())
    if has_card_number(digits, of_known_issuer=True):
        return CARD
    is_international = found.startswith(("+", "(+", "00")) and 9 <= len(digits) <= 17
    return PHONE if is_international or _GROUPED.match(found) else found


def _scrubber(redact: Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """A function of a text. It remembers, because titles, terms and ids repeat; and it is a dict's own method,
    because of all calls it is made most."""

    def scrub(text: str) -> str:
        return _DIGITS.sub(redact, scrub_emails(text)) if _SUSPECT.search(text) else text

    return Memo(scrub).__getitem__


# For what people type and pages say: titles, search terms, names, the shop's own values.
scrub_text = _scrubber(_redact_in_text)
# For search terms and the texts of products: as scrub_text, but article numbers (see is_gtin) stay.
scrub_product = _scrubber(_redact_in_product)
# For what machines make: URLs, ids, campaign and coupon codes. A bare number of phone length is an article
# or campaign here, so only numbers with a + or 00 and real card numbers are taken.
scrub_code = _scrubber(_redact_in_code)


def _is_phone(found: str, digits: str) -> bool:
    count = len(digits)
    if found.startswith(("+", "(+")):
        return 7 <= count <= 16
    if _DATE.match(found):
        return False
    if found.startswith(("0", "(")):
        return 7 <= count <= 17
    if count == len(found):
        return 10 <= count <= 15
    return 10 <= count <= 17 or (count >= 7 and re.fullmatch(r"\d{3}[ .-]\d{4}", found) is not None)


def has_card_number(digits: str, of_known_issuer: bool = False) -> bool:
    """Whether the digits are a card number by Luhn's check, or hold one among others."""
    count = len(digits)
    if 13 <= count <= 19 and is_luhn_valid(digits):
        return not of_known_issuer or (count >= 14 and bool(_ISSUER.match(digits)))
    if count <= 16:
        return False
    # Luhn's sums of everything before each place, so that no digit is added up again for each number it may be in:
    # in the first every digit of even place counts double, in the second every other.
    double_even, double_odd = (
        list(accumulate((table[digit] for digit, table in zip(map(int, digits), cycle(tables))), initial=0))
        for tables in ((_DOUBLED, _PLAIN), (_PLAIN, _DOUBLED))
    )
    for length in (15, 16, 19):
        for start in range(count - length + 1):
            # The last digit is plain, so the one before it counts double.
            sums = double_odd if (start + length) % 2 else double_even
            if (sums[start + length] - sums[start]) % 10 == 0 and _ISSUER.match(digits, start):
                return True
    return False


def is_gtin(text: str) -> bool:
    """Whether it is an article number (GTIN-8, -12, -13 or -14: EAN, UPC) by its length and check digit.

    A tenth of all numbers of those lengths has it by chance, so what begins like a phone number is none:
    with 00, or with the 0 of a number within the country, which has 12 digits at most.
    """
    count = len(text)
    if count not in (8, 12, 13, 14) or not (text.isascii() and text.isdecimal()):
        return False
    if text.startswith("00" if count > 12 else "0"):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text))) % 10 == 0


def is_luhn_valid(digits: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0 and total > 0
