import pytest

from clicklake.verify.channels import Visit, channel_of, visit_source

from .lakes import REFERENCE, RULES

# source, medium, campaign -> channel. The job is held against these too, and against VISITS.
CHANNELS = [
    ("(direct)", "(none)", "(not set)", "Direct"),
    (None, None, None, "Direct"),
    ("(not set)", "(not set)", "(not set)", "Direct"),
    ("newsletter", "email", "cross-network sale", "Cross-network"),
    ("amazon", "cpc", "x", "Paid Shopping"),
    ("anything", "cpc", "eshop", "Paid Shopping"),
    ("anything", "cpc", "workshop", "Paid Other"),
    ("anything", "cpc", "bishop-sale", "Paid Other"),
    ("google", "cpc", "x", "Paid Search"),
    ("WWW.Google.CO.UK.", "CPC", "x", "Paid Search"),
    ("WWW.Google.CO.UK.", " CPC ", "x", "Paid Search"),
    ("google", "cpm", "x", "Paid Search"),
    ("unknown-site", "cpm", "x", "Display"),
    ("facebook", "paid-social", "x", "Paid Social"),
    ("youtube.com", "cpc", "x", "Paid Video"),
    ("unknown-site", "banner", "x", "Display"),
    ("unknown-site", "cpc", "x", "Paid Other"),
    ("unknown-site", "ppc", "x", "Paid Other"),
    ("unknown-site", "cpa", "x", "Paid Other"),
    ("unknown-site", "retargeting", "x", "Paid Other"),
    ("unknown-site", "paid", "x", "Paid Other"),
    ("unknown-site", "paidsocial", "x", "Paid Other"),
    ("unknown-site", "print", "x", "Referral"),
    ("etsy.com", "referral", "x", "Organic Shopping"),
    ("unknown-site", "x", "shopping", "Organic Shopping"),
    ("instagram", "story", "x", "Organic Social"),
    ("unknown-site", "social-media", "x", "Organic Social"),
    ("unknown-site", "my video ad", "x", "Organic Video"),
    ("bing", "organic", "x", "Organic Search"),
    ("google.com", "referral", "x", "Organic Search"),
    ("mail.google.com", "referral", "x", "Email"),
    ("chatgpt.com", "referral", "x", "AI Assistants"),
    ("e-mail", "x", "x", "Email"),
    ("unknown-site", "affiliate", "x", "Affiliates"),
    ("unknown-site", "audio", "x", "Audio"),
    ("sms", "x", "x", "SMS"),
    ("firebase", "x", "x", "Mobile Push"),
    ("unknown-site", "web push", "x", "Mobile Push"),
    ("unknown-site", "link", "x", "Referral"),
    ("blog.example", "(not set)", "x", "Referral"),
    ("(not set)", "odd", "x", "Unassigned"),
    ("(not set)", "(none)", "(not set)", "Unassigned"),
    ("(direct)", "(none)", "spring", "Direct"),
    ("(not set)", "(not set)", "spring", "Unassigned"),
]


@pytest.mark.parametrize(("source", "medium", "campaign", "channel"), CHANNELS)
def test_the_first_rule_that_matches_names_the_channel(source, medium, campaign, channel):
    assert channel_of(Visit(source, medium, campaign), REFERENCE) == channel


SHOP = "https://shop.example/"
# pages as (url, referrer) -> source, medium, campaign
VISITS = [
    ([(SHOP, None)], ("(direct)", "(none)", "(not set)")),
    ([(SHOP + "?utm_source=Blog&utm_medium=cpc", None)], ("Blog", "cpc", "(not set)")),
    ([(SHOP + "?utm_campaign=a%20b", None)], ("(not set)", "(not set)", "a b")),
    ([(SHOP + "?utm_source=100%&utm_medium=x", None)], ("100%", "x", "(not set)")),
    ([(SHOP + "?utm_campaign=20%+off%21", None)], ("(not set)", "(not set)", "20% off!")),
    ([(SHOP + "?utm_source=a&utm_medium=x&utm_source=b", None)], ("a", "x", "(not set)")),
    ([(SHOP + "?x=1&utm_source=&utm_source=a&utm_source=b", None)], ("a", "(not set)", "(not set)")),
    ([(SHOP + "?utm%5Fsource=a&utm%5fmedium=x", None)], ("a", "x", "(not set)")),
    ([(SHOP + "?gad%5Fsource=1", None)], ("google", "cpc", "(not set)")),
    ([(SHOP + "?utm_id2=1&gclid=abc", None)], ("(not set)", "(not set)", "(not set)")),
    ([(SHOP + "?gclid=abc", "https://www.bing.com/")], ("google", "cpc", "(not set)")),
    ([(SHOP + "?msclkid=abc&gclid=abc", None)], ("google", "cpc", "(not set)")),
    ([(SHOP + "?fbclid=abc", None)], ("facebook", "(not set)", "(not set)")),
    ([(SHOP, "https://www.google.co.uk/search")], ("google", "organic", "(not set)")),
    ([(SHOP, "https://mail.google.com/")], ("gmail", "email", "(not set)")),
    ([(SHOP, "https://news.blog.example/x")], ("news.blog.example", "referral", "(not set)")),
    ([(SHOP, "https://www.shop.example/cart")], ("(direct)", "(none)", "(not set)")),
    ([(SHOP, "https://checkout.stripe.com/pay")], ("(direct)", "(none)", "(not set)")),
    ([(SHOP, "android-app://com.slack")], ("com.slack", "referral", "(not set)")),
    # Each rule is tried over all pages before the next.
    ([(SHOP, "https://www.bing.com/"), (SHOP + "?utm_source=later", None)], ("later", "(not set)", "(not set)")),
    ([(SHOP, SHOP), (SHOP, "https://www.bing.com/")], ("bing", "organic", "(not set)")),
]


@pytest.mark.parametrize(("pages", "visit"), VISITS)
def test_the_source_of_a_visit(pages, visit):
    assert visit_source(pages, RULES, REFERENCE) == Visit(*visit)
