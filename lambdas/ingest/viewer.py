"""Who asks, by the headers: each is trusted only as far as whoever set it can be."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from clicklake.contract.memo import Memo
from lambdas.ingest.agent import NO_AGENT, SERVER, Agent, read_agent
from lambdas.ingest.scrub import scrub_text

EDGE_SECRET_HEADER = "x-clicklake-edge-secret"
# The shop's own servers prove themselves by a key, then say what they send. The edge's secret would
# not do: the edge adds it to every visitor's request as well.
SERVER_KEY_HEADER = "x-clicklake-server-key"
ORIGIN_HEADER = "x-clicklake-origin"

_COUNTRY = re.compile(r"[A-Z]{2}\Z")
MAX_CITY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Viewer:
    """`origin` is browser, server or import; country and city are None unless the edge vouches for them."""

    origin: str
    agent: Agent
    country: str | None
    city: str | None


def is_secret(given: str, expected: str) -> bool:
    """Compares in constant time with each of the comma separated expected values; empty ones never match."""
    is_equal = False
    for secret in expected.split(","):
        secret = secret.strip()
        if secret:
            is_equal |= hmac.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode("utf-8"))
    return is_equal


def read_viewer(headers: Mapping[str, str], user_agent: str, *, edge_secret: str, server_key: str) -> Viewer:
    """`headers` have lower-case names, as API Gateway sends them. X-Forwarded-For is never read."""
    origin = "browser"
    if SERVER_KEY_HEADER in headers and is_secret(headers[SERVER_KEY_HEADER], server_key):
        origin = "import" if headers.get(ORIGIN_HEADER) == "import" else "server"
    country = city = None
    if EDGE_SECRET_HEADER in headers and is_secret(headers[EDGE_SECRET_HEADER], edge_secret):
        country = read_country(headers.get("cloudfront-viewer-country", ""))
        city = _cities[headers.get("cloudfront-viewer-city", "")]
    if origin == "browser":
        agent = read_agent(user_agent) if user_agent else NO_AGENT
    else:
        # Country and browser would be those of the shop's machine room.
        agent, country, city = SERVER, None, None
    return Viewer(origin, agent, country, city)


def read_country(header: str) -> str | None:
    code = header.strip().upper()
    return code if _COUNTRY.match(code) else None


def read_city(header: str) -> str | None:
    """The edge percent-encodes what is not ASCII."""
    city = "".join(letter for letter in unquote(header.strip()) if letter.isprintable())[:MAX_CITY_LENGTH]
    return scrub_text(city) or None


_cities = Memo(read_city)
