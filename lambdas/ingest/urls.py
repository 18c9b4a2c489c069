"""URLs as they may be stored: without credentials and fragment, the query reduced to an allow-list."""

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from clicklake.contract.consent import CLICK_IDS
from lambdas.ingest.scrub import PHONE, scrub_code, scrub_product

NO_CLICK_IDS: frozenset[str] = frozenset()
CAMPAIGN_PREFIX = "utm_"
_CALLS = ("tel:", "sms:", "callto:", "fax:")
# A web address, whatever follows, or a path with a query. Other texts may have a question mark for what it is.
is_url = re.compile(r"https?://|/\S*\?", re.IGNORECASE).match
_PATH_SAFE = "/:@!$&'()*+,;=~-._[]%"


def reduce_url(url: str, search_parameters: frozenset[str], click_ids: frozenset[str] = CLICK_IDS) -> str:
    """Keeps scheme, host, path, utm_*, these click ids and the shop's search parameters, in their order.

    A relative URL stays relative; text that is no URL at all is treated as a path; nothing may be left.
    """
    url, _, _ = url.partition("#")
    if url[:9].lower().startswith(_CALLS):
        return url[: url.index(":") + 1] + PHONE
    address, _, query = url.partition("?")
    address = _scrub_path(_without_credentials(address))
    if not query:
        return address
    pairs = [kept for pair in query.split("&") if (kept := _reduce_pair(pair, search_parameters, click_ids))]
    return f"{address}?{'&'.join(pairs)}" if pairs else address


def _without_credentials(address: str) -> str:
    scheme, mark, rest = address.partition("//")
    if not mark:
        return address
    authority, slash, path = rest.partition("/")
    return f"{scheme}//{authority.rpartition('@')[2]}{slash}{path}" if "@" in authority else address


def _reduce_pair(pair: str, search_parameters: frozenset[str], click_ids: frozenset[str]) -> str:
    name, equals, value = pair.partition("=")
    key = (unquote_plus(name) if "%" in name or "+" in name else name).lower()
    if key in search_parameters:
        return name + equals + _scrub_value(value, scrub_product)
    if key in click_ids or (key.startswith(CAMPAIGN_PREFIX) and key[len(CAMPAIGN_PREFIX) :].replace("_", "").isalnum()):
        return name + equals + _scrub_value(value, scrub_code)
    return ""


def _scrub_value(value: str, scrub: Callable[[str], str]) -> str:
    """Scrubs what the encoding hides; encodes again only if something was found."""
    if "%" not in value and "+" not in value:
        return scrub(value)
    plain = unquote(value)
    # A plus is a space, or a careless phone number's: looked at as both.
    scrubbed = scrub(scrub(plain).replace("+", " "))
    return value if scrubbed == plain.replace("+", " ") else quote_plus(scrubbed.strip(), safe="[]")


def _scrub_path(address: str) -> str:
    if "%" not in address:
        return scrub_code(address)
    plain = unquote(address)
    scrubbed = scrub_code(plain)
    return address if scrubbed == plain else quote(scrubbed, safe=_PATH_SAFE)
