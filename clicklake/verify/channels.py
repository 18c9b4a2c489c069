"""Where a visit came from: source, medium, campaign and channel (docs/definitions.md: Source and channel)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit

from clicklake.verify.rules import Reference, Rules, Source

NOT_SET = "(not set)"
_CLICK_IDS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "cpc"),
    "gad_source": ("google", "cpc"),
    "msclkid": ("bing", "cpc"),
    "ttclid": ("tiktok", "paid"),
    "twclid": ("twitter", "paid"),
    "li_fat_id": ("linkedin", "paid"),
    # On organic links too, so the medium is unknown.
    "fbclid": ("facebook", NOT_SET),
}
_COUNTRY_SITE = re.compile(
    r"((?:.+\.)?(?:google|yahoo|bing|yandex|amazon|ebay|pinterest))\.(?:(?:com?|org|net)\.)?[a-z]{2}"
)
_PAID = re.compile(r"(.*cp.*|ppc|retargeting|paid.*)")
_SHOP_CAMPAIGN = re.compile(r"(.*(([^a-df-z]|^)shop|shopping).*)")
_SOCIAL_MEDIA = ("social", "social-network", "social-media", "sm", "social network", "social media")
_EMAIL = ("email", "e-mail", "e_mail", "e mail")


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a session came from; missing parts are '(not set)'."""

    source: str
    medium: str
    campaign: str


DIRECT = Visit("(direct)", "(none)", NOT_SET)


def visit_source(pages: Iterable[tuple[str | None, str | None]], rules: Rules, reference: Reference) -> Visit:
    """The source of a session from its pages in order, each an URL and its referrer."""
    pages = list(pages)
    for url, _ in pages:
        utm = {name: value for name, value in _parameters(url).items() if name.startswith("utm_")}
        if utm:
            return Visit(*(utm.get(f"utm_{part}") or NOT_SET for part in ("source", "medium", "campaign")))
    for url, _ in pages:
        parameters = _parameters(url)
        for name, (source, medium) in _CLICK_IDS.items():
            if name in parameters:
                return Visit(source, medium, NOT_SET)
    for url, referrer in pages:
        host = _host(referrer)
        is_own = host == _host(url) or (host and _lies_under(host, rules.hosts))
        if host and not is_own and not _lies_under(host, reference.payment_gateways):
            known = _by_domain(host, reference)
            if known:
                return Visit(known.name, "organic" if known.kind == "search" else known.kind, NOT_SET)
            return Visit(host, "referral", NOT_SET)
    return DIRECT


def _parameters(url: str | None) -> dict[str, str]:
    return _parameters_of_query(url.partition("#")[0].partition("?")[2]) if url and "?" in url else {}


@lru_cache(maxsize=65536)
def _parameters_of_query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if value:
            found.setdefault(unquote_plus(name).lower(), unquote_plus(value).strip())
    return found


@lru_cache(maxsize=65536)
def _host(url: str | None) -> str | None:
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return _plain_host(host) if host else None


def _plain_host(host: str) -> str:
    return re.sub(r"^www\d?\.", "", host.strip().lower().rstrip("."))


def _domains(host: str) -> Iterable[str]:
    """The host and the domains it lies under, the longest first."""
    parts = host.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))


def _lies_under(host: str, domains: Iterable[str]) -> bool:
    domains = set(domains)
    return any(domain in domains for domain in _domains(host))


def _by_domain(host: str, reference: Reference) -> Source | None:
    country_site = _COUNTRY_SITE.fullmatch(host)
    for candidate in (host, country_site[1] + ".com") if country_site else (host,):
        for domain in _domains(candidate):
            if domain in reference.sources_by_domain:
                return reference.sources_by_domain[domain]
    return None


def channel_of(visit: Visit, reference: Reference) -> str:
    """The channel group: the first rule that matches."""
    source, medium, campaign = (_folded(part) for part in (visit.source, visit.medium, visit.campaign))
    host = _plain_host(source)
    known = reference.sources_by_name.get(host) or _by_domain(host, reference)
    kind = known.kind if known else ""
    is_paid = _PAID.fullmatch(medium) is not None
    is_shop = kind == "shopping" or _SHOP_CAMPAIGN.fullmatch(campaign) is not None
    rules = (
        ("Direct", not (source or medium or campaign) or (source == "(direct)" and medium in ("", "(none)"))),
        ("Cross-network", "cross-network" in campaign),
        ("Paid Shopping", is_shop and is_paid),
        ("Paid Search", kind == "search" and is_paid),
        ("Paid Social", kind == "social" and is_paid),
        ("Paid Video", kind == "video" and is_paid),
        ("Display", medium in ("display", "banner", "expandable", "interstitial", "cpm")),
        ("Paid Other", is_paid),
        ("Organic Shopping", is_shop),
        ("Organic Social", kind == "social" or medium in _SOCIAL_MEDIA),
        ("Organic Video", kind == "video" or "video" in medium),
        ("Organic Search", kind == "search" or medium == "organic"),
        ("AI Assistants", kind == "ai"),
        ("Email", kind == "email" or source in _EMAIL or medium in _EMAIL),
        ("Affiliates", medium == "affiliate"),
        ("Audio", medium == "audio"),
        ("SMS", "sms" in (source, medium)),
        (
            "Mobile Push",
            medium.endswith("push") or "mobile" in medium or "notification" in medium or source == "firebase",
        ),
        ("Referral", medium in ("referral", "app", "link") or bool(source)),
    )
    return next((channel for channel, is_met in rules if is_met), "Unassigned")


def _folded(part: str | None) -> str:
    text = (part or "").strip().lower()
    return "" if text == NOT_SET else text
