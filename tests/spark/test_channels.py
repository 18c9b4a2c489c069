import pytest

from glue_jobs.transforms.channels import add_channel, add_visit_source, name_source

# source, medium, campaign -> channel
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
    ("google", "cpm", "x", "Paid Search"),
    ("unknown-site", "cpm", "x", "Display"),
    ("facebook", "paid-social", "x", "Paid Social"),
    ("youtube.com", "cpc", "x", "Paid Video"),
    ("unknown-site", "banner", "x", "Display"),
    ("unknown-site", "ppc", "x", "Paid Other"),
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
    ("(not set)", "(not set)", "spring", "Unassigned"),
]


def test_channel_rules(spark):
    rows = [(n, *case[:3]) for n, case in enumerate(CHANNELS)]
    visits = spark.createDataFrame(rows, "n int, source string, medium string, campaign string")
    found = {row.n: row.channel for row in add_channel(visits).collect()}
    expected = {n: case[3] for n, case in enumerate(CHANNELS)}
    assert {CHANNELS[n][:3]: found[n] for n in found} == {CHANNELS[n][:3]: expected[n] for n in expected}


# page, referrer -> source, medium, campaign
VISITS = [
    ("https://shop.example/", None, ("(direct)", "(none)", "(not set)")),
    ("https://shop.example/?utm_source=Blog&utm_medium=cpc", None, ("Blog", "cpc", "(not set)")),
    ("https://shop.example/?utm_campaign=a%20b", None, ("(not set)", "(not set)", "a b")),
    ("https://shop.example/?utm_source=100%&utm_medium=x", None, ("100%", "x", "(not set)")),
    ("https://shop.example/?gclid=abc", "https://www.bing.com/", ("google", "cpc", "(not set)")),
    ("https://shop.example/?fbclid=abc", None, ("facebook", "(not set)", "(not set)")),
    ("https://shop.example/", "https://www.google.co.uk/search", ("google", "organic", "(not set)")),
    ("https://shop.example/", "https://mail.google.com/", ("gmail", "email", "(not set)")),
    ("https://shop.example/", "https://news.blog.example/x", ("news.blog.example", "referral", "(not set)")),
    ("https://shop.example/", "https://www.shop.example/cart", ("(direct)", "(none)", "(not set)")),
    ("https://shop.example/", "https://checkout.stripe.com/pay", ("(direct)", "(none)", "(not set)")),
    ("https://shop.example/", "android-app://com.slack", ("com.slack", "referral", "(not set)")),
]


def test_the_source_of_a_visit(spark):
    rows = [(n, page, referrer) for n, (page, referrer, _) in enumerate(VISITS)]
    events = spark.createDataFrame(rows, "n int, page_url string, referrer string")
    named = name_source(add_visit_source(events, ("shop.example",))).collect()
    found = {VISITS[row.n][:2]: (row.source, row.medium, row.campaign) for row in named}
    assert found == {visit[:2]: visit[2] for visit in VISITS}


@pytest.mark.parametrize("medium", ["cpc", "ppc", "cpa", "retargeting", "paid", "paidsocial"])
def test_paid_media(spark, medium):
    visits = spark.createDataFrame([("unknown-site", medium, "x")], "source string, medium string, campaign string")
    assert add_channel(visits).first().channel == "Paid Other"
