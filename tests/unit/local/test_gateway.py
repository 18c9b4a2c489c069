"""The gateway makes the events and answers that API Gateway makes."""

import base64
import hmac
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from clicklake.local.authorizer import Authorizer, UserPool
from clicklake.local.emulator import Emulator
from clicklake.local.gateway import MAX_BODY_BYTES, Cors, Gateway, make_event
from clicklake.local.places import TwinError

SHOP = "https://shop.example"


def event(headers: Any = (), body: bytes = b"{}", **changes: Any) -> dict[str, Any]:
    fixed = {"request_id": "r-1", "time_epoch_ms": 1_583_348_638_390, "source_ip": "192.0.2.1"}
    return make_event("POST", "/v1/events", headers, body, **{**fixed, **changes})


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/plain;charset=UTF-8", True),
        ("application/x-ndjson", False),
        ("application/octet-stream", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_text_and_json_travel_as_strings_everything_else_as_base64(content_type: str, is_text: bool) -> None:
    made = event({"Content-Type": content_type}, 'é{"a":1}'.encode())
    assert made["isBase64Encoded"] is not is_text
    assert made["body"] == ('é{"a":1}' if is_text else base64.b64encode('é{"a":1}'.encode()).decode())


def test_headers_are_lower_case_and_repeated_ones_joined() -> None:
    made = event([("X-Forwarded-For", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2"), ("Cookie", "a=1; b=2")])
    assert made["headers"] == {"x-forwarded-for": "192.0.2.1,192.0.2.2"}
    assert made["cookies"] == ["a=1", "b=2"]


def test_a_query_is_kept_raw_and_joined() -> None:
    made = event(query="a=1&a=2&b=%20x&c=")
    assert made["rawQueryString"] == "a=1&a=2&b=%20x&c="
    assert made["queryStringParameters"] == {"a": "1,2", "b": " x", "c": ""}


def test_what_is_absent_is_left_out() -> None:
    assert not {"cookies", "queryStringParameters", "body"} & set(event(body=b""))


def test_the_request_context_tells_of_the_call() -> None:
    context = event({"User-Agent": "curl/8", "Host": "api.example"})["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/v1/events",
        "protocol": "HTTP/1.1",
        "sourceIp": "192.0.2.1",
        "userAgent": "curl/8",
    }
    assert (context["requestId"], context["routeKey"], context["stage"]) == (
        "r-1",
        "POST /v1/events",
        "$default",
    )
    assert (context["time"], context["timeEpoch"]) == ("04/Mar/2020:19:03:58 +0000", 1_583_348_638_390)
    assert "authorizer" not in context


def test_claims_arrive_as_text() -> None:
    context = event(claims={"sub": "u1", "exp": 5, "ok": True, "cognito:groups": ["a", "b"]})["requestContext"]
    assert context["authorizer"]["jwt"]["claims"] == {
        "sub": "u1",
        "exp": "5",
        "ok": "true",
        "cognito:groups": "[a b]",
    }


# --- over HTTP


class Echo:
    """A function that remembers its events and answers as it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer: Any = {"statusCode": 202, "headers": {"content-type": "application/json"}, "body": "{}"}

    def __call__(self, event: dict[str, Any], context: object) -> Any:
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def keys() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "k1"})


@pytest.fixture
def function() -> Echo:
    return Echo()


@pytest.fixture
def gateway(function: Echo, keys: RSAKey) -> Iterator[Gateway]:
    authorizer = Authorizer("https://issuer.example/pool", "shop-client", KeySet([keys]))
    gateway = Gateway(function, cors=Cors((SHOP,)), authorizer=authorizer, report_error=lambda _: None)
    gateway.start()
    yield gateway
    gateway.stop()


def call(
    gateway: Gateway, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_request_reaches_the_function_as_an_event(gateway: Gateway, function: Echo) -> None:
    status, headers, body = call(gateway, "POST", "/v1/events?x=1", b'{"a":1}', {"Content-Type": "application/json"})
    assert (status, headers["content-type"], body) == (202, "application/json", b"{}")
    assert function.events[0]["body"] == '{"a":1}'
    assert function.events[0]["rawQueryString"] == "x=1"
    assert function.events[0]["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_gzip_arrives_unharmed_as_base64(gateway: Gateway, function: Echo) -> None:
    sent = bytes(range(256))
    call(gateway, "POST", "/v1/events", sent, {"Content-Type": "application/octet-stream"})
    assert base64.b64decode(function.events[0]["body"]) == sent


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/events"), ("POST", "/"), ("POST", "/v1/events/")])
def test_other_routes_are_not_found(gateway: Gateway, function: Echo, method: str, path: str) -> None:
    assert call(gateway, method, path)[0] == 404
    assert function.events == []


def test_more_than_ten_megabytes_are_refused_before_the_function(gateway: Gateway, function: Echo) -> None:
    # Only the announcement: the gateway has to answer without reading on.
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as connection:
        head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(100)
    assert function.events == []


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 202), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_in_chunks_is_refused_not_cut_off(gateway: Gateway, function: Echo, size: int, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    connection.request("POST", "/v1/events", iter([b"x" * size]), encode_chunked=True)
    assert connection.getresponse().status == status
    connection.close()
    assert [len(base64.b64decode(event["body"])) for event in function.events] == [size] * (status == 202)


def test_a_preflight_is_answered_by_the_gateway(gateway: Gateway, function: Echo) -> None:
    status, headers, _ = call(gateway, "OPTIONS", "/v1/events", headers={"Origin": SHOP})
    assert status == 204
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["access-control-allow-methods"] == "POST"
    assert "content-type" in headers["access-control-allow-headers"]
    assert function.events == []


@pytest.mark.parametrize("origin", [f"{SHOP}.evil.example", "https://evil.example", "null", "http://shop.example"])
def test_another_origin_gets_no_permission(gateway: Gateway, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        headers = call(gateway, method, "/v1/events", headers={"Origin": origin})[1]
        assert not [name for name in headers if name.startswith("access-control-")]


def test_a_function_that_fails_is_a_500_without_details(gateway: Gateway, function: Echo) -> None:
    function.answer = ValueError("secret")
    status, _, body = call(gateway, "POST", "/v1/events", b"{}")
    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": "https://issuer.example/pool",
        "aud": "shop-client",
        "sub": "u1",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def token(key: Any, algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "k1"}, claims(**changes), key, algorithms=[algorithm])


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_a_good_token_opens_the_user_route(gateway: Gateway, function: Echo, keys: RSAKey, prefix: str) -> None:
    assert call(gateway, "POST", "/v1/user/events", b"{}", {"Authorization": prefix + token(keys)})[0] == 202
    assert function.events[0]["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "u1"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_600_000_000},
        {"exp": None},
        {"nbf": 9_999_999_999},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other-client"},
        {"aud": None},
    ],
)
def test_a_token_with_wrong_claims_is_refused(gateway: Gateway, function: Echo, keys: RSAKey, changes: Any) -> None:
    assert call(gateway, "POST", "/v1/user/events", b"{}", {"Authorization": token(keys, **changes)})[0] == 401
    assert function.events == []


def test_a_token_of_another_make_is_refused(gateway: Gateway, function: Echo, keys: RSAKey) -> None:
    def encoded(part: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    # The public key's text taken for a shared secret.
    confused = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{encoded(claims())}"
    mac = hmac.digest(keys.as_pem(private=False), confused.encode(), "sha256")
    confused += "." + base64.urlsafe_b64encode(mac).decode().rstrip("=")
    signature = token(keys).rpartition(".")[2]
    forged = [
        "",
        "Bearer",
        "x.y.z",
        f"{encoded({'alg': 'none'})}.{encoded(claims())}.",
        f"{encoded({'alg': 'RS256', 'kid': 'k1'})}.{encoded(claims(sub='admin'))}.{signature}",
        confused,
        token(RSAKey.generate_key(2048, {"kid": "k1"})),
    ]
    answers = [call(gateway, "POST", "/v1/user/events", b"{}", {"Authorization": text})[0] for text in forged]
    assert answers == [401] * len(forged)
    assert function.events == []


def test_a_token_of_the_emulated_cognito_is_taken_by_its_own_pool_only(emulator: Emulator) -> None:
    pool, other = UserPool.create(emulator), UserPool.create(emulator)
    text = pool.sign_in("ann")
    found = pool.authorizer().claims(f"Bearer {text}")
    assert found is not None and found["cognito:username"] == "ann"
    assert other.authorizer().claims(f"Bearer {text}") is None
    assert replace(pool.authorizer(), clock=lambda: time.time() + 7_200).claims(f"Bearer {text}") is None


def test_a_taken_port_is_one_sentence(gateway: Gateway) -> None:
    with pytest.raises(
        TwinError, match=rf"^Port {gateway.port} cannot be used for the gateway .*choose another one\.$"
    ):
        Gateway(lambda *_: {}, port=gateway.port)
