"""Where a visit came from: source, medium, campaign, and the channel they add up to."""

import json
import zlib
from functools import cache
from importlib.resources import files

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

NOT_SET = "(not set)"
PAID_MEDIUM = r"^(.*cp.*|ppc|retargeting|paid.*)$"
SHOP_CAMPAIGN = r"^(.*(([^a-df-z]|^)shop|shopping).*)$"
# Click ids in order of precedence: parameter, source, medium. fbclid is on organic links too.
CLICK_IDS = (
    ("gclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("dclid", "google", "cpc"),
    ("gad_source", "google", "cpc"),
    ("msclkid", "bing", "cpc"),
    ("ttclid", "tiktok", "paid"),
    ("twclid", "twitter", "paid"),
    ("li_fat_id", "linkedin", "paid"),
    ("fbclid", "facebook", NOT_SET),
)
_MEDIUM_OF_KIND = {
    "search": "organic",
    "social": "social",
    "video": "video",
    "shopping": "shopping",
    "email": "email",
    "ai": "ai",
}
# Country sites of one owner stand in the list once, under .com.
_COUNTRY_SITES = r"(^|\.)(google|yahoo|bing|yandex|amazon|ebay|pinterest)\.(?:(?:com?|org|net)\.)?[a-z]{2}$"
# What stands before a parameter's name.
_QUERY = r"(?i)^[^?#]*\?(?:[^#]*?&)??"
_SPACE = r"[\s\x1c-\x1f\x85\p{Z}]"


@cache
def source_list() -> dict[str, list]:
    """The known sources: `sources` with name, kind and domains, and hosts of payment gateways."""
    return json.loads(files("glue_jobs").joinpath("reference/sources.json").read_text("utf-8"))


def host_of(url: Column) -> Column:
    """The host of a URL, lower-case, without port, www. or a trailing dot; null if there is none."""
    host = F.regexp_extract(F.lower(F.trim(url)), r"^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)", 1)
    return _clean_host(host)


def _clean_host(text: Column) -> Column:
    trimmed = F.regexp_replace(F.regexp_replace(F.lower(F.trim(text)), r"\.+$", ""), r"^www\d?\.", "")
    return F.when(trimmed != "", trimmed)


def _spelt(name: str) -> str:
    """A pattern for a parameter's name: some senders write its underscores as they write those of a value."""
    return name.replace("_", "(?:_|%5f)")


def _parameter(url: Column, name: str) -> Column:
    """A query parameter, decoded and trimmed; null if absent or empty."""
    raw = F.regexp_extract(url, rf"{_QUERY}{_spelt(name)}=([^&#]+)", 1)
    # url_decode fails on a stray percent sign: such a one stands for itself.
    value = F.call_function("url_decode", F.regexp_replace(raw, r"%(?![0-9A-Fa-f]{2})", "%25"))
    value = F.regexp_replace(value, rf"^{_SPACE}+|{_SPACE}+$", "")
    return F.when(value != "", value)


def add_visit_source(events: DataFrame, shop_hosts: tuple[str, ...]) -> DataFrame:
    """Adds to each event what its page says of the visit: `utm`, `click` and `external_host`, each null if nothing.

    utm is a struct of source, medium and campaign; click of source and medium; hosts of the shop and of
    payment gateways are no referrers.
    """
    url = F.col("page_url")
    has_query = url.contains("=")
    parts = {name: _parameter(url, f"utm_{name}") for name in ("source", "medium", "campaign")}
    has_utm = F.coalesce(*parts.values()).isNotNull() | url.rlike(rf"{_QUERY}{_spelt('utm_')}[^=&#]*=[^&#]")
    utm = F.struct(*(F.coalesce(value, F.lit(NOT_SET)).alias(name) for name, value in parts.items()))
    click = F.coalesce(
        *(
            F.when(
                url.rlike(rf"{_QUERY}{_spelt(name)}=[^&#]"),
                F.struct(F.lit(source).alias("source"), F.lit(medium).alias("medium")),
            )
            for name, source, medium in CLICK_IDS
        )
    )
    host = host_of(F.col("referrer"))
    own = [*shop_hosts, *source_list()["payment_gateways"]]
    is_own = _is_under(host, own) | F.coalesce(host == host_of(url), F.lit(False))
    return events.withColumns(
        {
            "utm": F.when(has_query & has_utm, utm),
            "click": F.when(has_query, click),
            "external_host": F.when(~F.coalesce(is_own, F.lit(True)), host),
        }
    )


def _is_under(host: Column, domains: list[str]) -> Column:
    """True if the host is one of the domains or below one of them."""
    pattern = "|".join(domain.lower().removeprefix("www.").replace(".", r"\.") for domain in domains)
    return host.rlike(rf"(^|\.)({pattern})$") if pattern else F.lit(False)


def _lookup(pairs: dict[str, str], key: Column) -> Column:
    """The value of the key; null if there is none."""
    # Spark goes through a map from its beginning: so there are many small ones, found by a number that the key tells.
    buckets: list[dict[str, str]] = [{} for _ in pairs]
    for name, value in pairs.items():
        buckets[zlib.crc32(name.encode()) % len(buckets)][name] = value
    # Read from JSON they are one constant; put together from columns they are hundreds, in every plan.
    constant = F.from_json(F.lit(json.dumps(buckets)), "array<map<string,string>>")
    return F.get(constant, (F.crc32(key) % len(buckets)).cast("int"))[key]


def _by_longest_domain(pairs: dict[str, str], host: Column) -> Column:
    """The value of the longest listed domain that the host is or lies below."""
    labels = F.split(F.regexp_replace(host, _COUNTRY_SITES, "$1$2.com"), r"\.")
    suffixes = [
        F.array_join(F.slice(labels, F.greatest(F.size(labels) - count + 1, F.lit(1)), count), ".")
        for count in (4, 3, 2)
    ]
    return F.coalesce(*(_lookup(pairs, suffix) for suffix in suffixes))


@cache
def _kinds() -> tuple[dict[str, str], dict[str, str]]:
    """Kind by domain, and by name of source."""
    sources = source_list()["sources"]
    by_domain = {domain: source["kind"] for source in sources for domain in source["domains"]}
    by_name = {name: source["kind"] for source in sources for name in [source["name"], *source.get("aliases", [])]}
    return by_domain, by_name


def name_source(sessions: DataFrame) -> DataFrame:
    """Adds source, medium, campaign and channel to sessions that have utm, click and external_host.

    The first that is there counts, in this order: utm, click id, referrer; without any the visit is direct.
    """
    names = {domain: source["name"] for source in source_list()["sources"] for domain in source["domains"]}
    listed = F.col("_listed_kind")
    visit = F.coalesce(
        F.col("utm"),
        F.when(F.col("click").isNotNull(), _visit(F.col("click.source"), F.col("click.medium"))),
        F.when(
            F.col("external_host").isNotNull(),
            _visit(
                F.coalesce(F.col("_listed_name"), F.col("external_host")),
                F.coalesce(_lookup(_MEDIUM_OF_KIND, listed), F.lit("referral")),
            ),
        ),
        _visit(F.lit("(direct)"), F.lit("(none)")),
    )
    named = (
        sessions.withColumns(
            {
                "_listed_name": _by_longest_domain(names, F.col("external_host")),
                "_listed_kind": _by_longest_domain(_kinds()[0], F.col("external_host")),
            }
        )
        .withColumn("_visit", visit)
        .withColumns({name: F.col(f"_visit.{name}") for name in ("source", "medium", "campaign")})
    )
    return add_channel(named).drop("_visit", "_listed_name", "_listed_kind", "utm", "click", "external_host")


def _visit(source: Column, medium: Column) -> Column:
    return F.struct(source.alias("source"), medium.alias("medium"), F.lit(NOT_SET).alias("campaign"))


def add_channel(visits: DataFrame) -> DataFrame:
    """Adds channel to rows with source, medium and campaign.

    GA4's rules in GA4's order, except that Referral comes last, so that known kinds win. A source is a name
    or a host; both are found in the source list. Source: GA4's default channel group.
    """
    by_domain, by_name = _kinds()
    clean = F.col("_clean")
    kind = F.coalesce(_lookup(by_name, clean), _by_longest_domain(by_domain, clean), F.lit(""))
    return (
        visits.withColumns(
            {
                "_clean": _clean_host(F.col("source")),
                "_medium": F.lower(F.trim("medium")),
                "_campaign": F.lower(F.trim("campaign")),
            }
        )
        .withColumn("_kind", kind)
        .withColumn("channel", _channel(clean, F.col("_kind"), F.col("_medium"), F.col("_campaign")))
        .drop("_clean", "_kind", "_medium", "_campaign")
    )


def _channel(clean_source: Column, kind: Column, medium: Column, campaign: Column) -> Column:
    is_paid = medium.rlike(PAID_MEDIUM)
    is_shopping = (kind == "shopping") | campaign.rlike(SHOP_CAMPAIGN)
    has_source, has_medium, has_campaign = (
        ~F.coalesce(part, F.lit("")).isin(NOT_SET, "") for part in (clean_source, medium, campaign)
    )
    says_nothing = ~(has_source | has_medium | has_campaign)
    is_direct = says_nothing | ((clean_source == "(direct)") & (~has_medium | (medium == "(none)")))
    mail = ("email", "e-mail", "e_mail", "e mail")
    return (
        F.when(F.coalesce(is_direct, F.lit(False)), "Direct")
        .when(campaign.contains("cross-network"), "Cross-network")
        .when(is_shopping & is_paid, "Paid Shopping")
        .when((kind == "search") & is_paid, "Paid Search")
        .when((kind == "social") & is_paid, "Paid Social")
        .when((kind == "video") & is_paid, "Paid Video")
        .when(medium.isin("display", "banner", "expandable", "interstitial", "cpm"), "Display")
        .when(is_paid, "Paid Other")
        .when(is_shopping, "Organic Shopping")
        .when(
            (kind == "social")
            | medium.isin("social", "social-network", "social-media", "sm", "social network", "social media"),
            "Organic Social",
        )
        .when((kind == "video") | medium.contains("video"), "Organic Video")
        .when((kind == "search") | (medium == "organic"), "Organic Search")
        .when(kind == "ai", "AI Assistants")
        .when((kind == "email") | clean_source.isin(*mail) | medium.isin(*mail), "Email")
        .when(medium == "affiliate", "Affiliates")
        .when(medium == "audio", "Audio")
        .when((clean_source == "sms") | (medium == "sms"), "SMS")
        .when(
            medium.rlike("push$|mobile|notification") | (clean_source == "firebase"),
            "Mobile Push",
        )
        .when(
            medium.isin("referral", "app", "link")
            | ~F.coalesce(clean_source, F.lit(NOT_SET)).isin(NOT_SET, "(direct)"),
            "Referral",
        )
        .otherwise("Unassigned")
    )
