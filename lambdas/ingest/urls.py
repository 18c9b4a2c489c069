"""URLs as they may be stored: without credentials and fragment, the query reduced to an allow-list."""

from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from clicklake.contract.consent import CLICK_IDS
from lambdas.ingest.scrub import PHONE, scrub_code, scrub_text

_CLICK_IDS = frozenset(CLICK_IDS)
CAMPAIGN_PREFIX = "utm_"
_CALLS = ("tel:", "sms:", "callto:", "fax:")
_PATH_SAFE = "/:@!$&'()*+,;=~-._[]%"


@lru_cache(maxsize=8192)
def reduce_url(url: str, search_parameters: frozenset[str]) -> str:
    """Keeps scheme, host, path, utm_*, click ids and the shop's search parameters, in their order.

    A relative URL stays relative; text that is no URL at all is treated as a path.
    """
    url, _, _ = url.partition("#")
    if url[:9].lower().startswith(_CALLS):
        return url[: url.index(":") + 1] + PHONE
    address, _, query = url.partition("?")
    address = _scrub_encoded(_without_credentials(address), quoted_by=_PATH_SAFE)
    if not query:
        return address
    pairs = [kept for pair in query.split("&") if (kept := _reduce_pair(pair, search_parameters))]
    return f"{address}?{'&'.join(pairs)}" if pairs else address


def _without_credentials(address: str) -> str:
    scheme, mark, rest = address.partition("//")
    if not mark:
        return address
    authority, slash, path = rest.partition("/")
    return f"{scheme}//{authority.rpartition('@')[2]}{slash}{path}" if "@" in authority else address


def _reduce_pair(pair: str, search_parameters: frozenset[str]) -> str:
    name, equals, value = pair.partition("=")
    key = (unquote_plus(name) if "%" in name or "+" in name else name).lower()
    if key in search_parameters:
        text = unquote_plus(value) if "%" in value or "+" in value else value
        scrubbed = scrub_text(text)
        return pair if scrubbed == text else f"{name}{equals}{quote_plus(scrubbed, safe='[]')}"
    if key in _CLICK_IDS:
        return scrub_code(pair)
    if key.startswith(CAMPAIGN_PREFIX) and key[len(CAMPAIGN_PREFIX) :].replace("_", "").isalnum():
        return name + equals + _scrub_encoded(value, quoted_by="[]", is_form=True)
    return ""


def _scrub_encoded(text: str, quoted_by: str, is_form: bool = False) -> str:
    """Scrubs what the percent-encoding hides; encodes again only if something was found."""
    has_code = "%" in text or (is_form and "+" in text)
    plain = (unquote_plus(text) if is_form else unquote(text)) if has_code else text
    scrubbed = scrub_code(plain)
    if scrubbed == plain:
        return text
    if not has_code:
        return scrubbed
    return quote_plus(scrubbed, safe=quoted_by) if is_form else quote(scrubbed, safe=quoted_by)
