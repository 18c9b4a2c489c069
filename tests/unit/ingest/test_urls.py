import pytest

from clicklake.contract.consent import CLICK_IDS
from lambdas.ingest.urls import NO_CLICK_IDS, reduce_url

SEARCH = frozenset({"q", "search"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example/p/1#reviews", "https://shop.example/p/1"),
        ("https://shop.example/?token=secret", "https://shop.example/"),
        (
            "https://shop.example/?utm_source=a&sid=1&gclid=b&q=red",
            "https://shop.example/?utm_source=a&gclid=b&q=red",
        ),
        ("https://shop.example/?UTM_Medium=cpc&Q=x", "https://shop.example/?UTM_Medium=cpc&Q=x"),
        ("https://shop.example/?utm_%73ource=a", "https://shop.example/?utm_%73ource=a"),
        ("https://shop.example/?utm_=a&utm_x%3Cscript=1", "https://shop.example/"),
        ("https://user:password@shop.example/a", "https://shop.example/a"),
        ("https://shop.example/a#?utm_source=x", "https://shop.example/a"),
        ("https://shop.example/?q=red+shoes&email=jo%40ex.com", "https://shop.example/?q=red+shoes"),
        ("https://shop.example/?q=jo%40ex.com+order", "https://shop.example/?q=[email]+order"),
        ("https://shop.example/?q=%2B49+170+1234567", "https://shop.example/?q=[phone]"),
        ("https://shop.example/?utm_content=jo%40ex.com", "https://shop.example/?utm_content=[email]"),
        ("https://shop.example/account/jo%40ex.com/orders", "https://shop.example/account/[email]/orders"),
        ("/relative?x=1&fbclid=abc", "/relative?fbclid=abc"),
        ("mailto:jo@ex.com", "mailto:[email]"),
        ("TEL:030-12345", "TEL:[phone]"),
        ("not a url at all", "not a url at all"),
        ("https://shop.example/?utm_source=a?b&&=&q", "https://shop.example/?utm_source=a?b&q"),
        ("", ""),
    ],
)
def test_a_url_keeps_its_path_campaign_click_ids_and_search(url, expected):
    assert reduce_url(url, SEARCH) == expected


@pytest.mark.parametrize("click_id", sorted(CLICK_IDS))
def test_a_click_id_goes_wherever_it_stands_where_none_may_be_kept(click_id):
    for query, kept in (
        (f"?{click_id}=1", ""),
        (f"?utm_source=1&{click_id}=1", "?utm_source=1"),
        (f"?{click_id}=1&q=1", "?q=1"),
        (f"?q=1&{click_id.upper()}=1&utm_term=2", "?q=1&utm_term=2"),
        (f"?{click_id}&{click_id}=2", ""),
        (f"?%{ord(click_id[0]):x}{click_id[1:]}=1&q=1", "?q=1"),
    ):
        assert reduce_url(f"https://s.example/{query}#f", SEARCH, NO_CLICK_IDS) == f"https://s.example/{kept}"
