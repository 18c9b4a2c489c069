"""Reading instants: ISO-8601 text or epoch numbers, as milliseconds since 1970 in UTC."""

import datetime
import re
from functools import lru_cache

import msgspec

from clicklake.contract.memo import Memo

MIN_INSTANT_MS = -62_135_596_800_000  # 0001-01-01T00:00:00.000Z
MAX_INSTANT_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

# Our own grammar, because datetime.fromisoformat takes more with every Python version.
_ISO = re.compile(
    rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})'
    rb"(?:[Tt ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]+))?)?"
    rb'(?:([Zz])|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?"'
)
_MINUTE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:")
_NUMBER = re.compile(rb"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?")
_DIGITS = re.compile(rb'"([0-9]{1,40})"')
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()


def read_instant(raw: bytes) -> int | None:
    """Epoch milliseconds of a JSON value, cut (never rounded) to the millisecond; None if unreadable.

    Numbers, and texts of digits alone, below 1e11 are seconds, others milliseconds. Texts are
    `YYYY-MM-DD`, optionally followed by `T` or a space, `HH:MM`, `:SS`, a fraction, and `Z` or an
    offset; no offset means UTC. Instants outside the years 0001 to 9999 are unreadable.
    """
    if b"\\" in raw:
        # Some writers escape the plus sign of an offset. A value that is not a text falls through.
        raw = b'"%b"' % msgspec.json.decode(raw).encode() if raw[0] == 0x22 else raw
    digits = _DIGITS.fullmatch(raw)
    if digits is not None:
        return _from_number(b"", digits[1], b"", 0)
    number = _NUMBER.fullmatch(raw)
    if number is not None:
        sign, whole, fraction, exponent = number.groups()
        return _from_number(sign, whole, fraction or b"", int(exponent or 0))
    iso = _ISO.fullmatch(raw)
    return _from_iso(iso) if iso is not None else None


def read_sent_instant(value: str | int) -> int | None:
    """read_instant of a value that is decoded already, and is a text or an integer."""
    if type(value) is int:
        return read_instant(b"%d" % value)
    # What browsers write, 2026-05-01T12:00:00.123Z: events of a batch share their minute.
    try:
        return _SECONDS[value[17:20]] + _MILLIS[value[20:]] + _minutes[value[:17]]
    except (KeyError, TypeError):
        pass
    # Texts with a backslash in them are unreadable, and would be taken for escapes.
    return read_instant(b'"%b"' % value.encode()) if "\\" not in value else None


def _minute_ms(text: str) -> int | None:
    return read_instant(b'"%b00Z"' % text.encode()) if _MINUTE.fullmatch(text) else None


_SECONDS = {f"{second:02d}.": second * 1000 for second in range(60)}
_MILLIS = {f"{millis:03d}Z": millis for millis in range(1000)}
_minutes: Memo[str] = Memo(_minute_ms, limit=4096)


def _from_number(sign: bytes, whole: bytes, fraction: bytes, exponent: int) -> int | None:
    digits = (whole + fraction).lstrip(b"0")
    if not digits:
        return 0
    # The value is 0.d1d2d3... times ten to this power; a readable instant has at most 15 whole digits.
    magnitude = len(digits) - len(fraction) + exponent
    if magnitude > 15:
        return None
    # Below 1e11, see read_instant.
    is_seconds = bool(sign) or magnitude <= 11
    places = len(fraction) - exponent - (3 if is_seconds else 0)
    # Digits beyond 40 places cannot change the millisecond, except whether anything is left to cut.
    kept = max(magnitude + (3 if is_seconds else 0), 0)
    if places <= 0:
        unsigned, is_cut = int(digits) * 10**-places, False
    else:
        unsigned = int(digits[:kept] or b"0")
        is_cut = bool(digits[kept:].strip(b"0"))
    instant = -unsigned - is_cut if sign else unsigned
    return instant if MIN_INSTANT_MS <= instant <= MAX_INSTANT_MS else None


def _from_iso(match: re.Match[bytes]) -> int | None:
    date, hour, minute, second, fraction, _, sign, offset_hour, offset_minute = match.groups()
    midnight = _midnight_ms(date)
    if midnight is None:
        return None
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    if sign is not None:
        offset = int(offset_hour) * 3600 + int(offset_minute or 0) * 60
        seconds += offset if sign == b"-" else -offset
    instant = midnight + seconds * 1000 + int((fraction or b"")[:3].ljust(3, b"0"))
    return instant if MIN_INSTANT_MS <= instant <= MAX_INSTANT_MS else None


@lru_cache(maxsize=1024)
def _midnight_ms(text: bytes) -> int | None:
    try:
        day = datetime.date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError:
        return None
    return (day.toordinal() - _EPOCH_DAY) * 86_400_000
