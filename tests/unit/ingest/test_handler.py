import gzip
import json

import pytest

from clicklake.buffer import from_message
from clicklake.contract.fallback_id import fallback_event_id
from lambdas.ingest.identity import HashKeys, ingest_id
from tests.unit.ingest.requests import RECEIVED_AT, recorded, request
from tests.unit.ingest.shop import HASH_KEYS, aws_error, open_shop

KEYS = HashKeys.parse(HASH_KEYS)
GRANTED = {"analytics": "granted", "marketing": "granted"}
QUEUE = "https://sqs.example/buffer"


def event(**fields):
    return {"event_id": "e-1", "event_type": "page_view", "consent": GRANTED} | fields


def stored_line(body, shop=None, **more):
    shop = shop or open_shop()
    status, _ = shop.send(request(json.dumps(body), **more))
    assert status == 202
    (line,) = shop.s3.lines()
    return line


def test_a_request_is_one_object_named_by_batch_lines_and_hour_of_the_put():
    shop = open_shop()
    assert shop.send(recorded("beacon_text_envelope")) == (202, {"accepted": 2, "rejected": 0, "errors": []})
    batch = ingest_id("JKJbYnPLwHcESHB=")
    assert list(shop.s3.objects) == [f"raw/year=2026/month=05/day=01/hour=12/events-{batch}-2.ndjson.gz"]


def test_an_object_is_gzip_without_a_time_stamp_so_that_the_same_lines_are_the_same_bytes():
    shop = open_shop()
    shop.send(recorded("beacon_text_envelope"))
    (body,) = shop.s3.objects.values()
    assert body[:8] == b"\x1f\x8b\x08" + bytes(5)


def test_a_line_has_what_was_sent_and_what_the_request_tells():
    shop = open_shop()
    shop.send(recorded("through_the_edge"))
    assert shop.s3.lines() == [
        {
            "ingest_id": ingest_id("JKJfCrPL0HcESHF="),
            "position": 0,
            "received_at": RECEIVED_AT,
            "verdict": "accepted",
            "origin": "browser",
            "is_bot": False,
            "bot_reasons": [],
            "maybe_repeat": False,
            "is_test": False,
            "browser": "Mobile Safari",
            "os": "iOS",
            "contract_version": 1,
            "sdk": "clicklake-js/1.0.0",
            "event_id": "0b5f6ac0-6f53-4b0e-9a3f-6f1c2d3e4f50",
            "ts": 1777636800123,
            "sent_at": 1777636801000,
            "event_type": "view_item",
            "anonymous_id": "v-7f3a",
            "session_hint": "s-1",
            "page_view_id": "p-9",
            "page_url": "https://shop.example/p/1042?utm_source=news",
            "page_title": "Mechanical keyboard",
            "referrer": "https://www.google.com/search?q=private",
            "device": {"type": "mobile"},
            "geo": {"country": "DE", "city": "München"},
            "items": [{"product_id": "sku-1042", "category": "keyboards", "price": "89.9", "qty": 1}],
            "currency": "EUR",
            "props": {"scroll_pct": 40, "page_kind": "product"},
            "consent": GRANTED,
        }
    ]


def test_a_bad_event_leaves_its_batch_alone():
    shop = open_shop()
    sent = [event(), event(event_type="nonsense"), 7, event(event_id="e-2", value="NaN")]
    status, answer = shop.send(request(json.dumps(sent)))
    assert status == 202
    assert answer == {
        "accepted": 1,
        "rejected": 3,
        "errors": [
            {"index": 1, "reason": "unknown_event_type", "field": "event_type"},
            {"index": 2, "reason": "not_an_object"},
            {"index": 3, "reason": "not_money", "field": "value"},
        ],
    }
    assert [(line["position"], line["verdict"]) for line in shop.s3.lines()] == [
        (0, "accepted"),
        (1, "rejected"),
        (2, "rejected"),
        (3, "rejected"),
    ]


def test_an_object_for_a_price_costs_only_its_event_whatever_letters_are_in_it():
    shop = open_shop()
    status, answer = shop.send(request(json.dumps([event(), event(value={"é": 1})], ensure_ascii=False)))
    assert (status, answer["accepted"]) == (202, 1)
    assert answer["errors"] == [{"index": 1, "reason": "not_money", "field": "value"}]


def test_a_broken_ndjson_line_costs_only_itself():
    shop = open_shop()
    status, answer = shop.send(recorded("ndjson_with_a_broken_line"))
    assert (status, answer["accepted"], answer["errors"]) == (202, 2, [{"index": 1, "reason": "not_json"}])
    assert [line["verdict"] for line in shop.s3.lines()] == ["accepted", "rejected", "accepted"]


UNREADABLE = [
    ({"body": "{"}, "not_json"),
    ({"body": ""}, "not_json"),
    ({"body": "{\n", "content_type": "application/x-ndjson"}, "not_json"),
    ({"body": b'{"page_title": "\xff"'}, "not_json"),
    ({"body": b"\x1f\x8b123"}, "bad_gzip"),
    ({"body": gzip.compress(b"[]")[:-1]}, "bad_gzip"),
    ({"body": gzip.compress(b"[]") * 2}, "bad_gzip"),
    ({"body": "[[" + "{}," * 1_000_000 + "{}]]"}, "too_deep"),
    ({"body": "no base64", "isBase64Encoded": True}, "bad_base64"),
    ({"body": "no base64" * 1_000, "isBase64Encoded": True}, "bad_base64"),
]


@pytest.mark.parametrize(("sent", "reason"), UNREADABLE)
def test_an_unreadable_body_is_answered_with_400_and_is_one_line_of_the_same_reason(sent, reason):
    shop = open_shop()
    api_event = request(sent["body"], content_type=sent.get("content_type", "application/json"))
    api_event["isBase64Encoded"] = sent.get("isBase64Encoded", api_event["isBase64Encoded"])
    status, answer = shop.send(api_event)
    assert (status, answer["error"]) == (400, reason)
    (line,) = shop.s3.lines()
    assert (line["verdict"], line["reason"], line["length"]) == ("rejected", reason, len(sent["body"]))
    assert len(line["sha256"]) == 64
    assert shop.logs[0]["verdicts"] == {reason: 1, "accepted": 0}


def test_an_empty_list_is_accepted_and_writes_nothing():
    shop = open_shop()
    assert shop.send(request("[]")) == (202, {"accepted": 0, "rejected": 0, "errors": []})
    assert shop.s3.objects == {}


def test_500_events_are_taken_and_501_are_not():
    shop = open_shop()
    many = [event(event_id=f"e-{number}") for number in range(501)]
    assert shop.send(request(json.dumps(many)))[0] == 413
    assert shop.s3.objects == {}
    assert shop.send(request(json.dumps(many[:500])))[1]["accepted"] == 500


def test_an_event_over_its_limit_is_rejected_alone_and_kept_as_an_excerpt():
    shop = open_shop()
    status, answer = shop.send(request(json.dumps([event(), event(coupon="x" * 40_000)])))
    assert (status, answer["errors"]) == (202, [{"index": 1, "reason": "too_large"}])
    assert len(shop.s3.lines()[1]["text"]) == 256


@pytest.mark.parametrize(
    ("change", "status"),
    [({"content_type": "text/html"}, 415), ({"headers": {"origin": "https://evil.test"}}, 403)],
)
def test_a_refused_request_writes_nothing(change, status):
    shop = open_shop()
    assert shop.send(request("{}", **change))[0] == status
    assert shop.s3.calls == 0


def test_an_allowed_origin_may_read_the_answer_and_another_may_not():
    shop = open_shop()
    headers = shop.handle(request("[]"), None)["headers"]
    assert (headers["access-control-allow-origin"], headers["vary"]) == ("https://shop.example", "Origin")
    refused = shop.handle(request("[]", headers={"origin": "https://evil.test"}), None)["headers"]
    assert "access-control-allow-origin" not in refused


def test_a_preflight_is_answered_without_a_token():
    preflight = recorded("verified_user")
    preflight["routeKey"] = "$default"
    preflight["requestContext"]["http"]["method"] = "OPTIONS"
    del preflight["requestContext"]["authorizer"]
    answer = open_shop().handle(preflight, None)
    assert answer["statusCode"] == 204
    assert answer["headers"]["access-control-allow-headers"] == "authorization, content-type"


# --- who -----------------------------------------------------------------------------------------


def test_a_verified_user_is_stored_hashed():
    line = stored_line(event(user_id="somebody-else"), subject="sub-1")
    assert line["user_id"] == KEYS.hash_user("sub-1")
    assert "somebody-else" not in json.dumps(line)


def test_a_user_in_an_anonymous_request_is_ignored():
    assert "user_id" not in stored_line(event(user_id="sub-1"))


def test_the_flat_form_brings_a_user_who_is_hashed_and_stands_for_the_visitor():
    flat = {
        "event_type": "view",
        "user_action": "home",
        "location": "DE",
        "timestamp": 1777636800,
        "user_id": 17,
    }
    line = stored_line(flat, open_shop(accept_flat=True))
    assert line["user_id"] == KEYS.hash_user("17")
    assert line["anonymous_id"] == f"u:{KEYS.hash_user('17')}"
    assert (line["geo"], line["props"]["page_kind"]) == ({"country": "DE"}, "home")


@pytest.mark.parametrize(("collect_user_age", "expected"), [(False, None), (True, 35)])
def test_the_age_is_kept_only_where_the_shop_turned_it_on(collect_user_age, expected):
    sent = event(props={"user_age": 35, "page_kind": "home"})
    assert stored_line(sent, open_shop(collect_user_age=collect_user_age))["props"].get("user_age") == expected


def test_an_event_without_id_gets_one_from_its_content():
    sent = {"event_type": "page_view", "consent": GRANTED}
    first = stored_line(sent | {"sent_at": "2026-05-01T12:00:00Z"})["event_id"]
    again = stored_line(sent | {"sent_at": "2026-05-01T12:05:00Z"})["event_id"]
    assert first == again == fallback_event_id(json.dumps(sent).encode(), KEYS.first)


def test_an_id_with_an_address_in_it_is_replaced_by_its_hash():
    line = stored_line(event(event_id="jo@ex.com", order_id="+49 170 1234567", event_type="purchase"))
    assert line["event_id"] == KEYS.replace_id("jo@ex.com")
    assert line["order_id"] == KEYS.replace_id("+49 170 1234567")


@pytest.mark.parametrize("consent", [None, {"analytics": "denied"}, {"analytics": "unknown"}])
def test_without_consent_nothing_of_the_visitor_is_written(consent):
    sent = event(
        consent=consent,
        anonymous_id="v-1",
        session_id="s-1",
        page_view_id="p-1",
        page_title="Hello",
        page_url="https://shop.example/a?utm_source=b",
        referrer="https://other.example/path?q=1",
        order_id="o-1",
        props={"search_query": "x"},
    )
    line = stored_line(sent, subject="sub-1")
    for name in ("anonymous_id", "session_hint", "page_view_id", "user_id", "page_title", "props"):
        assert name not in line
    assert line["page_url"] == "https://shop.example/a"
    assert line["referrer"] == "https://other.example/"
    assert (line["event_id"], line["order_id"]) == ("e-1", "o-1")


@pytest.mark.parametrize("marketing", ["granted", "denied", "unknown"])
@pytest.mark.parametrize("click_id", ["gclid", "GCLID", "%67clid"])
def test_click_ids_are_written_only_with_consent_to_marketing(marketing, click_id):
    url, path = f"https://shop.example/?utm_source=a&{click_id}=planted", f"/?{click_id}=planted"
    line = stored_line(
        event(
            page_url=url,
            referrer=url,
            props={"link_url": url, "shared": url, "other": url.replace("https", "HTTPS"), "path": path},
            consent={"analytics": "granted", "marketing": marketing},
        )
    )
    urls = [line["page_url"], line["referrer"], line["props"]["link_url"], *(p["value"] for p in line["props"]["own"])]
    assert len(urls) == 6 and all(("planted" in url) == (marketing == "granted") for url in urls)
    assert sum("utm_source=a" in url for url in urls) == 5


def test_a_url_of_which_nothing_may_be_kept_is_absent():
    line = stored_line(event(page_url="#/cart", referrer="?token=x", props={"link_url": "#top"}))
    assert not {"page_url", "referrer", "props"} & set(line)


def test_without_consent_the_edge_tells_the_country_but_not_the_city():
    shop = open_shop()
    sent = recorded("through_the_edge")
    sent["body"] = json.dumps(event(consent=None))
    shop.send(sent)
    assert shop.s3.lines()[0]["geo"] == {"country": "DE"}


def test_the_shops_server_says_where_an_event_comes_from():
    headers = {"x-clicklake-server-key": "server-key-for-tests", "x-clicklake-origin": "import"}
    line = stored_line(event(), headers=headers)
    assert (line["origin"], line["is_bot"]) == ("import", False)
    assert "browser" not in line and "device" not in line


def test_test_events_are_marked():
    assert stored_line(event(is_test=True))["is_test"] is True


def test_an_article_number_that_is_looked_for_is_stored():
    url = "https://shop.example/search?q=4006381333931&utm_term=x"
    line = stored_line(
        event(page_url=url, props={"search_query": "4006381333931"}, items=[{"name": "Hub 4006381333931"}])
    )
    assert (line["page_url"], line["props"]["search_query"]) == (url, "4006381333931")
    assert line["items"][0]["name"] == "Hub 4006381333931"


# --- planted personal data -----------------------------------------------------------------------

PLANTED = ["jo.planted@example.com", "+49 170 1234567", "4111 1111 1111 1111", "jo.planted%40example.com"]
TEXT_FIELDS = ["page_title", "coupon", "order_id", "refund_id", "session_id", "page_view_id", "sdk"]
PROPS = ["search_query", "element_id", "page_kind", "link_url", "own"]
ITEM_FIELDS = ["product_id", "name", "category", "variant", "list_name"]


@pytest.mark.parametrize("pii", PLANTED)
def test_planted_personal_data_is_in_no_field_no_log_and_no_answer(pii):
    shop = open_shop()
    sent = event(
        **dict.fromkeys(TEXT_FIELDS, f"a {pii} b"),
        event_id=pii[:64],
        page_url=f"https://shop.example/a/{pii}/b?q={pii}&utm_term={pii}&gclid={pii}&other={pii}#{pii}",
        referrer=f"https://other.example/{pii}?search={pii}",
        items=[dict.fromkeys(ITEM_FIELDS, f"a {pii} b")],
        props=dict.fromkeys(PROPS, f"a {pii} b") | {pii: "own key", "url": f"https://a.example/?mail={pii}"},
    )
    refused = sent | {"event_type": f"bought by {pii}", "user_id": pii, "traits": {"email": pii}}
    wrong_prop = event(props={pii: [1]})
    unreadable = '{"page_title": "' + pii
    for number, body in enumerate([json.dumps([sent, refused, wrong_prop]), unreadable]):
        shop.send(request(body, request_id=f"r-{number}"))
    everything = json.dumps([shop.s3.lines(), shop.logs]) + shop.handle(request(json.dumps(wrong_prop)), None)["body"]
    assert [line["verdict"] for line in shop.s3.lines()] == [
        "accepted",
        "rejected",
        "rejected",
        "rejected",
        "rejected",
    ]
    for trace in (pii, "planted", "170 123", "1701234567", "4111"):
        assert trace not in everything


# --- durable -------------------------------------------------------------------------------------


def test_a_repeated_request_is_stored_once():
    shop = open_shop()
    assert [shop.send(recorded("json_one_event"))[0] for _ in range(3)] == [202, 202, 202]
    assert len(shop.s3.objects) == 1


def test_two_failures_of_s3_are_survived():
    shop = open_shop()
    shop.s3.failures = [aws_error("SlowDown", 503), ConnectionError("reset")]
    assert shop.send(recorded("json_one_event"))[0] == 202
    assert (len(shop.s3.objects), shop.s3.calls) == (1, 3)


def test_a_batch_s3_does_not_take_waits_in_the_queue():
    shop = open_shop(buffer_queue_url=QUEUE)
    shop.s3.failures = [aws_error("InternalError", 500)] * 3
    assert shop.send(recorded("beacon_text_envelope"))[0] == 202
    (message,) = shop.sqs.messages
    assert from_message(message).lines == 2
    assert (shop.logs[0]["outcome"], shop.logs[0]["RequestsBuffered"]) == ("buffered", 1)


@pytest.mark.parametrize("queue_url", ["", QUEUE])
def test_what_nothing_took_is_not_acknowledged(queue_url):
    shop = open_shop(buffer_queue_url=queue_url)
    shop.s3.failures = [aws_error("InternalError", 500)] * 3
    shop.sqs.failures = [aws_error("Unavailable", 503, "SendMessage")] * 2
    answer = shop.handle(recorded("json_one_event"), None)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "10")
    assert (shop.logs[0]["outcome"], shop.logs[0]["RequestsNotStored"]) == ("lost", 1)


def test_an_unreadable_body_that_nothing_took_is_not_acknowledged_either():
    shop = open_shop()
    shop.s3.failures = [aws_error("InternalError", 500)] * 3
    assert shop.send(request("{"))[0] == 503


def test_an_id_just_stored_is_marked_and_still_written():
    shop = open_shop()
    for number in range(2):
        shop.send(request(json.dumps(event()), request_id=f"r-{number}"))
    assert [line["maybe_repeat"] for line in shop.s3.lines()] == [False, True]


def test_an_id_that_only_the_queue_has_is_not_marked():
    shop = open_shop(buffer_queue_url=QUEUE)
    shop.s3.failures = [aws_error("InternalError", 500)] * 3
    for number in range(2):
        shop.send(request(json.dumps(event()), request_id=f"r-{number}"))
    assert [line["maybe_repeat"] for line in shop.s3.lines()] == [False]


# --- told ----------------------------------------------------------------------------------------


def test_a_request_is_one_log_line_with_counts_and_metrics_and_no_id():
    shop = open_shop()
    sent = [event(anonymous_id="v-secret"), event(event_id="e-secret"), event(event_type="nonsense-secret")]
    shop.send(request(json.dumps(sent), subject="sub-secret"))
    (line,) = shop.logs
    assert "secret" not in json.dumps(line)
    assert line["event_types"] == {"page_view": 2}
    assert line["verdicts"] == {"accepted": 2, "unknown_event_type": 1}
    assert (line["request_id"], line["correlation_id"], line["status"]) == (
        "request-1",
        ingest_id("request-1"),
        202,
    )
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in metrics["Metrics"]} <= set(line)
    assert (line["EventsAccepted"], line["EventsRejected"]) == (2, 1)


def test_a_fault_of_our_own_is_told_without_what_was_sent():
    shop = open_shop()
    broken = request(json.dumps(event()))
    broken["requestContext"]["timeEpoch"] = "secret"
    assert shop.send(broken)[0] == 500
    assert shop.logs[0]["error_code"].startswith("ValueError at unpack.py:")
    assert "secret" not in json.dumps(shop.logs)
