import pytest
from msgspec.structs import replace

from clicklake.contract.consent import apply_consent, effective_consent, host_only, path_only
from clicklake.contract.event import Consent, Device, Event, Geo, Item, Props

FULL = Event(
    event_type="purchase",
    event_id="e",
    ts=1,
    sent_at=2,
    anonymous_id="a",
    session_hint="s",
    page_view_id="p",
    user_id="u",
    page_url="https://ann:pw@shop.example/p/1?utm_source=x&gclid=1#top",
    page_title="Hello Ann",
    referrer="https://www.google.com/search?q=ann",
    device=Device("mobile"),
    geo=Geo("DE", "Berlin"),
    items=(Item(product_id="i", price="5", qty=1),),
    order_id="o",
    refund_id="r",
    value="5",
    tax="1",
    shipping="2",
    discount="0.5",
    currency="EUR",
    coupon="C",
    props=Props(search_query="ann"),
    consent=Consent("denied", "granted"),
    sdk="js/1",
    contract_version=1,
)


def test_without_consent_only_what_tells_of_no_person_is_kept() -> None:
    assert apply_consent(FULL, "granted") == replace(
        FULL,
        anonymous_id=None,
        session_hint=None,
        page_view_id=None,
        user_id=None,
        page_url="https://shop.example/p/1",
        page_title=None,
        referrer="https://www.google.com/",
        geo=Geo("DE"),
        props=None,
    )


@pytest.mark.parametrize("unknown", ["denied", "granted"])
def test_unknown_is_what_the_shop_decided(unknown: str) -> None:
    event = replace(FULL, consent=Consent())
    kept = apply_consent(event, unknown)  # type: ignore[arg-type]
    assert kept.consent == Consent(unknown, unknown)  # type: ignore[arg-type]
    assert (kept.anonymous_id is None) is (unknown == "denied")


def test_unknown_is_granted_in_the_older_flat_form_but_denied_stays_denied() -> None:
    assert apply_consent(replace(FULL, consent=Consent(), is_flat=True), "denied").anonymous_id == "a"
    assert apply_consent(replace(FULL, is_flat=True), "denied").anonymous_id is None


def test_without_marketing_consent_everything_stays_for_click_ids_go_where_urls_are_reduced() -> None:
    event = replace(FULL, consent=Consent("granted", "unknown"))
    assert apply_consent(event, "denied") == replace(event, consent=Consent("granted", "denied"))


def test_full_consent_changes_nothing() -> None:
    event = replace(FULL, consent=Consent("granted", "granted"))
    assert apply_consent(event, "denied") is event


def test_consent_applied_twice_is_consent_applied_once() -> None:
    once = apply_consent(FULL, "denied")
    assert apply_consent(once, "denied") == once


def test_only_the_unknown_half_of_a_consent_is_decided_by_the_shop() -> None:
    assert effective_consent(Consent("granted", "unknown"), "denied") == Consent("granted", "denied")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.example/a/b?x=1#y", "https://shop.example/a/b"),
        ("https://shop.example", "https://shop.example"),
        ("/a/b?x=1", "/a/b"),
        ("//evil.example/a", None),
        ("javascript:alert(1)", None),
        ("ann@example.com", None),
        ("http://[broken", None),
        (None, None),
    ],
)
def test_a_url_without_consent_is_its_path(url: str | None, path: str | None) -> None:
    assert path_only(url) == path


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://ann:pw@www.google.com:443/x?q=1", "https://www.google.com/"),
        ("android-app://com.google.android.gm/x", "android-app://com.google.android.gm/"),
        ("mailto:ann@example.com", None),
        ("ann", None),
        ("", None),
    ],
)
def test_a_referrer_without_consent_is_its_host(url: str, host: str | None) -> None:
    assert host_only(url) == host
