import gzip
import subprocess
import sys

import pytest

from clicklake.contract.limits import MAX_INFLATED_BYTES, MAX_REQUEST_BYTES
from lambdas.ingest.unpack import Body, Call, Refused, inflate, read_body, read_call
from tests.unit.ingest.requests import recorded, request

ORIGINS = frozenset({"https://shop.example"})


def body_of(event) -> Body | Refused:
    return read_body(event, event["headers"].get("content-type", ""))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("json_one_event", "json"),
        ("beacon_text_envelope", "any"),
        ("gzip_array", "any"),
        ("ndjson_with_a_broken_line", "ndjson"),
        ("verified_user", "json"),
    ],
)
def test_recorded_requests_are_read(name, kind):
    event = recorded(name)
    call, body = read_call(event, ORIGINS), body_of(event)
    assert isinstance(call, Call) and isinstance(body, Body)
    assert body.kind == kind
    assert b'"view_item"' in body.content
    assert call.received_at == 1_777_636_802_000


def test_the_user_is_the_verified_sub_and_nothing_else():
    assert read_call(recorded("verified_user"), ORIGINS).subject == "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def test_the_anonymous_route_reads_no_claim_and_no_token():
    event = recorded("verified_user")
    event["routeKey"] = "POST /v1/events"
    assert read_call(event, ORIGINS).subject is None


@pytest.mark.parametrize(
    "authorizer", [None, {}, {"jwt": {}}, {"jwt": {"claims": {}}}, {"jwt": {"claims": {"sub": ""}}}]
)
def test_the_user_route_needs_a_verified_sub(authorizer):
    event = recorded("verified_user")
    # A token of alg none in the header is just a header: only what the gateway verified counts.
    event["headers"]["authorization"] = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
    event["requestContext"]["authorizer"] = authorizer
    assert read_call(event, ORIGINS).status == 401


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil.test",
        "https://evil.test/https://shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://SHOP.example",
        "https://shop.example/",
        "https://xshop.example",
        "https://shop.example, https://evil.test",
        "null",
        "",
    ],
)
def test_origins_that_look_alike_are_refused(origin):
    event = request("{}", headers={"origin": origin})
    assert read_call(event, ORIGINS).status == 403


def test_a_request_without_origin_is_an_app_or_a_server():
    event = request("{}")
    del event["headers"]["origin"]
    assert isinstance(read_call(event, frozenset()), Call)


@pytest.mark.parametrize("route", ["GET /v1/events", "POST /v1/event", "POST /", "$default"])
def test_other_routes_are_unknown(route):
    event = request("{}")
    event["routeKey"] = route
    method, _, path = route.partition(" ")
    event["rawPath"], event["requestContext"]["http"]["method"] = path, method
    assert read_call(event, ORIGINS).status == 404


@pytest.mark.parametrize(
    "content_type", [None, "", "text/html", "application/x-www-form-urlencoded", "application/jsonp"]
)
def test_other_content_types_are_unsupported(content_type):
    assert body_of(request("{}", content_type=content_type)).status == 415


@pytest.mark.parametrize("content_type", ["application/json", "TEXT/PLAIN; charset=utf-8", "application/x-ndjson"])
def test_gzip_is_known_by_its_first_bytes_whatever_the_type_says(content_type):
    assert body_of(request(gzip.compress(b"[1]", mtime=0), content_type=content_type)).content == b"[1]"


def test_a_binary_type_has_to_be_gzip():
    assert body_of(request(b"{}", content_type="application/octet-stream")).status == 415


def test_a_body_of_exactly_the_limit_is_read():
    assert len(body_of(request(b"x" * MAX_REQUEST_BYTES)).content) == MAX_REQUEST_BYTES


@pytest.mark.parametrize(
    "body",
    [
        "x" * (MAX_REQUEST_BYTES + 1),
        b"x" * (MAX_REQUEST_BYTES + 1),
        "ä" * (MAX_REQUEST_BYTES // 2 + 1),
        "x" * 11_000_000,
        b"x" * 11_000_000,
    ],
)
def test_a_body_over_the_limit_is_refused(body):
    assert body_of(request(body)).status == 413


def test_inflated_bytes_count_too():
    assert len(inflate(gzip.compress(b" " * MAX_INFLATED_BYTES, mtime=0))) == MAX_INFLATED_BYTES
    assert inflate(gzip.compress(b" " * (MAX_INFLATED_BYTES + 1))).status == 413


@pytest.mark.parametrize(
    "sent",
    [
        gzip.compress(b"[1,2,3]", mtime=0)[:-5],
        gzip.compress(b"[1,2,3]", mtime=0)[:-8] + b"12345678",
        b"\x1f\x8b",
        b"\x1f\x8bnonsense",
        gzip.compress(b"[1]", mtime=0) + b"rest",
        gzip.compress(b"[1]", mtime=0) * 3,
    ],
)
def test_damaged_gzip_is_refused_and_kept_for_its_line(sent):
    refused = inflate(sent)
    assert (refused.status, refused.error, refused.unreadable) == (400, "bad_gzip", sent)


def test_bad_base64_is_refused():
    event = request(b"{}")
    event["body"] = "{not base64}"
    assert body_of(event).status == 400


_BOMB = """
import gzip, resource, zlib
from lambdas.ingest.unpack import inflate
stream = zlib.compressobj(6, zlib.DEFLATED, 31)
bomb = b"".join([stream.compress(bytes(1 << 20)) for _ in range(300)] + [stream.flush()])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert inflate(bomb).status == 413
print(len(bomb), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_bomb_of_300_megabytes_stops_at_the_limit():
    bomb = subprocess.run([sys.executable, "-c", _BOMB], capture_output=True, text=True, check=True)
    sent_bytes, grown_megabytes = map(int, bomb.stdout.split())
    assert sent_bytes < MAX_REQUEST_BYTES
    assert grown_megabytes < 64
