"""What is left of an event without consent. Pure, and applied before anything is written or logged."""

import re
from typing import Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from clicklake.contract.event import Consent, Event, Geo
from clicklake.contract.memo import Memo

UnknownConsent = Literal["denied", "granted"]

# Click ids identify a person's click at an advertiser; other tracking parameters name campaigns.
CLICK_IDS = frozenset(
    ("gclid", "gbraid", "wbraid", "dclid", "gad_source", "msclkid", "ttclid", "twclid", "li_fat_id", "fbclid")
)


def effective_consent(consent: Consent, unknown_consent: UnknownConsent) -> Consent:
    """The consent that counts: unknown becomes what the shop has decided for it."""
    analytics, marketing = consent.analytics, consent.marketing
    if analytics != "unknown" and marketing != "unknown":
        return consent
    return Consent(
        unknown_consent if analytics == "unknown" else analytics,
        unknown_consent if marketing == "unknown" else marketing,
    )


def apply_consent(event: Event, unknown_consent: UnknownConsent) -> Event:
    """The event reduced to what its consent allows; the result's consent is the effective one.

    Without consent to analytics: type, times, path, device, country, items, order and the referrer's
    host stay; anonymous_id, session_hint, page_view_id, user_id, page_title, city and props go. Without
    consent to marketing click ids go, too: whoever reduces the URLs leaves them out. In the older flat form
    unknown counts as granted.
    """
    consent = event.consent
    if consent.analytics == "granted" == consent.marketing:
        return event
    consent = effective_consent(consent, "granted" if event.is_flat else unknown_consent)
    if consent.analytics != "granted":
        return replace(
            event,
            consent=consent,
            anonymous_id=None,
            session_hint=None,
            page_view_id=None,
            user_id=None,
            page_title=None,
            page_url=event.page_url and _paths[event.page_url],
            referrer=event.referrer and _hosts[event.referrer],
            geo=Geo(event.geo.country) if event.geo is not None and event.geo.country else None,
            props=None,
        )
    return event if consent is event.consent else replace(event, consent=consent)


def path_only(url: str | None) -> str | None:
    """The URL without user, query and fragment. An unreadable URL is dropped."""
    if url is None:
        return None
    host = host_only(url)
    if host is None:
        # Relative, or not a URL at all: only a plain path is kept.
        path = re.split(r"[?#;]", url, maxsplit=1)[0]
        return path if path.startswith("/") and not path.startswith("//") else None
    return host.removesuffix("/") + urlsplit(url).path


def host_only(url: str | None) -> str | None:
    """`https://host/` of a web address, else None: what is not a web address may hold anything."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "android-app") or not host:
        return None
    return f"{parts.scheme}://{host}/"


_paths: Memo[str] = Memo(path_only)
_hosts: Memo[str] = Memo(host_only)
