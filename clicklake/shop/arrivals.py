"""How visitors find the shop: channels with their referrers and landing parameters."""

from dataclasses import dataclass
from datetime import date

from clicklake.shop.chance import Chance, Weighted


@dataclass(frozen=True, slots=True)
class Channel:
    """`bounce` is the share of one-page visits; `intent` multiplies the wish to buy."""

    name: str
    bounce: float
    intent: float
    landing: Weighted[str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one visit began: channel, referrer and the landing page's query (both may be empty)."""

    channel: Channel
    referrer: str
    query: str


_HOME = Weighted([("home", 0.75), ("list", 0.15), ("product", 0.1)])
_MIXED = Weighted([("home", 0.15), ("list", 0.35), ("product", 0.5)])
_PRODUCT = Weighted([("list", 0.2), ("product", 0.8)])
_LIST = Weighted([("home", 0.1), ("list", 0.6), ("product", 0.3)])

DIRECT = Channel("direct", 0.38, 1.15, _HOME)
ORGANIC = Channel("organic_search", 0.43, 1.0, _MIXED)
PAID_SEARCH = Channel("paid_search", 0.42, 1.25, _PRODUCT)
SHOPPING = Channel("paid_shopping", 0.5, 1.3, _PRODUCT)
SOCIAL = Channel("organic_social", 0.62, 0.35, _MIXED)
PAID_SOCIAL = Channel("paid_social", 0.66, 0.4, _LIST)
EMAIL = Channel("email", 0.36, 1.5, _LIST)
DISPLAY = Channel("display", 0.7, 0.25, _LIST)
VIDEO = Channel("video", 0.55, 0.5, _PRODUCT)
REFERRAL = Channel("referral", 0.46, 0.9, _PRODUCT)
ASSISTANT = Channel("ai_assistant", 0.36, 1.35, _PRODUCT)
AFFILIATE = Channel("affiliate", 0.5, 1.3, _LIST)

FIRST_VISIT = Weighted(
    [
        (DIRECT, 17), (ORGANIC, 33), (PAID_SEARCH, 13), (SHOPPING, 7), (SOCIAL, 6), (PAID_SOCIAL, 6),
        (EMAIL, 2), (DISPLAY, 3), (VIDEO, 2.5), (REFERRAL, 5), (ASSISTANT, 3.5), (AFFILIATE, 3),
    ]
)  # fmt: skip
LATER_VISIT = Weighted(
    [
        (DIRECT, 46), (ORGANIC, 20), (PAID_SEARCH, 7), (SHOPPING, 2.5), (SOCIAL, 3), (PAID_SOCIAL, 2),
        (EMAIL, 12), (DISPLAY, 2), (VIDEO, 0.5), (REFERRAL, 2), (ASSISTANT, 2), (AFFILIATE, 2),
    ]
)  # fmt: skip

_OTHER_ENGINES = Weighted(
    [("https://www.bing.com/", 6), ("https://duckduckgo.com/", 3), ("https://www.ecosia.org/", 2)]
)
_SOCIAL_SITES = Weighted(
    [
        ("https://www.reddit.com/", 4), ("https://www.instagram.com/", 3), ("https://l.facebook.com/", 4),
        ("https://t.co/", 1.5), ("https://www.linkedin.com/", 1), ("https://www.pinterest.com/", 1),
        ("https://github.com/", 0.5),
    ]
)  # fmt: skip
_REFERRERS = Weighted(
    [
        ("https://www.gadgetweekly.example/best-keyboards", 5),
        ("https://forum.pcbuilders.example/t/quiet-build", 4),
        ("https://www.homeoffice-blog.example/desk-setup", 3),
        ("https://en.wikipedia.org/", 1),
        ("https://www.student-deals.example/", 2),
    ]
)
_ASSISTANTS = Weighted(
    [
        ("https://chatgpt.com/", 7), ("https://www.perplexity.ai/", 2.5),
        ("https://gemini.google.com/", 2), ("https://copilot.microsoft.com/", 1.5), ("https://claude.ai/", 1),
    ]
)  # fmt: skip
_SEARCH_CAMPAIGNS = Weighted([("brand", 4), ("keyboards-mice", 4), ("monitors", 3), ("storage", 3), ("laptops", 3)])
_SOCIAL_CAMPAIGNS = Weighted([("home-office", 4), ("gaming-setup", 4), ("retargeting-cart", 2)])
_AFFILIATES = Weighted([("dealhunter", 5), ("cashback-club", 3), ("pricepilot", 3)])


def arrive(chance: Chance, is_first: bool, google_host: str, day: date, is_sale: bool) -> Arrival:
    """A visit's way to the shop. `day` names the newsletter's week."""
    channel = chance.pick(FIRST_VISIT if is_first else LATER_VISIT)
    if is_sale and channel is DIRECT and chance.happens(0.25):
        channel = EMAIL
    referrer, query = _door(chance, channel, google_host, day, is_sale)
    return Arrival(channel, referrer, query)


def told_channel(arrival: Arrival, marketing: str) -> Channel:
    """What the landing page can tell of a visit's channel: without consent to marketing a click id is dropped, and
    an advertisement that has nothing else looks like a search result."""
    if arrival.channel is PAID_SEARCH and arrival.query.startswith("gclid=") and marketing == "denied":
        return ORGANIC
    return arrival.channel


def _door(chance: Chance, channel: Channel, google_host: str, day: date, is_sale: bool) -> tuple[str, str]:
    google = f"https://www.{google_host}/"
    if channel is ORGANIC:
        return (google if chance.happens(0.86) else chance.pick(_OTHER_ENGINES)), ""
    if channel is PAID_SEARCH:
        campaign = chance.pick(_SEARCH_CAMPAIGNS)
        if chance.happens(0.12):
            query = f"utm_source=bing&utm_medium=cpc&utm_campaign={campaign}&msclkid={chance.hex(32)}"
            return "https://www.bing.com/", query
        if chance.happens(0.2):  # auto-tagging alone
            return google, f"gclid=Cj0KCQ{chance.hex(40)}"
        return (
            google,
            f"utm_source=google&utm_medium=cpc&utm_campaign={campaign}&gclid=Cj0KCQ{chance.hex(40)}",
        )
    if channel is SHOPPING:
        query = f"utm_source=google&utm_medium=cpc&utm_campaign=shopping-all&gclid=Cj0KCQ{chance.hex(40)}"
        return google, query
    if channel is SOCIAL:
        site = chance.pick(_SOCIAL_SITES)
        return site, f"fbclid=IwAR{chance.hex(40)}" if "facebook" in site else ""
    if channel is PAID_SOCIAL:
        site = "facebook" if chance.happens(0.6) else "instagram"
        campaign = chance.pick(_SOCIAL_CAMPAIGNS)
        query = f"utm_source={site}&utm_medium=paid_social&utm_campaign={campaign}&fbclid=IwAR{chance.hex(40)}"
        return f"https://l.{site}.com/", query
    if channel is EMAIL:
        year, week, _ = day.isocalendar()
        campaign = "sale" if is_sale else f"newsletter-{year}-w{week:02d}"
        if chance.happens(0.2):
            campaign = "cart-reminder"
        webmail = "https://mail.google.com/" if chance.happens(0.25) else ""
        return webmail, f"utm_source=newsletter&utm_medium=email&utm_campaign={campaign}"
    if channel is DISPLAY:
        return (
            "",
            f"utm_source=adnetwork&utm_medium=display&utm_campaign={'sale' if is_sale else 'always-on'}",
        )
    if channel is VIDEO:
        return "https://www.youtube.com/", ""
    if channel is REFERRAL:
        return chance.pick(_REFERRERS), ""
    if channel is ASSISTANT:
        site = chance.pick(_ASSISTANTS)
        return site, "utm_source=chatgpt.com" if "chatgpt" in site and chance.happens(0.5) else ""
    if channel is AFFILIATE:
        partner = chance.pick(_AFFILIATES)
        return (
            f"https://www.{partner}.example/",
            f"utm_source={partner}&utm_medium=affiliate&utm_campaign=partners",
        )
    return "", ""
