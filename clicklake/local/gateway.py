"""API Gateway's HTTP API on a laptop: its events (payload 2.0), its CORS, its JWT route, its limits.

`make_event` is the pure core, used by the simulator and by tests; `Gateway` is the HTTP server.
Source of the forms: AWS, "Create AWS Lambda proxy integrations for HTTP APIs", payload version 2.0.
"""

import base64
import json
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from clicklake.local.authorizer import Authorizer
from clicklake.local.http_server import HttpServer

Handler = Callable[[dict[str, Any], object], dict[str, Any]]

MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's limit
ACCOUNT_ID = "123456789012"
API_ID = "laptop"
DOMAIN = "laptop.execute-api.invalid"
_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    is_authorized: bool = False

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = (Route("POST", "/v1/events"), Route("POST", "/v1/user/events", is_authorized=True))


@dataclass(frozen=True)
class Cors:
    """The API's CORS settings; with them the gateway answers preflights itself."""

    allowed_origins: tuple[str, ...] = ()
    allowed_headers: tuple[str, ...] = ("authorization", "content-type")
    allowed_methods: tuple[str, ...] = ("POST",)
    max_age_seconds: int = 86_400

    def headers(self, origin: str | None, is_preflight: bool) -> dict[str, str]:
        """The headers for an answer to `origin`; none for an origin that is not allowed."""
        if not origin or not {origin, "*"} & set(self.allowed_origins):
            return {}
        headers = {"access-control-allow-origin": "*" if "*" in self.allowed_origins else origin}
        if is_preflight:
            headers["access-control-allow-headers"] = ",".join(self.allowed_headers)
            headers["access-control-allow-methods"] = ",".join(self.allowed_methods)
            headers["access-control-max-age"] = str(self.max_age_seconds)
        return headers


def make_event(
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    body: bytes,
    *,
    request_id: str,
    time_epoch_ms: int,
    source_ip: str,
    claims: Mapping[str, Any] | None = None,
    query: str = "",
) -> dict[str, Any]:
    """The event that API Gateway hands to the function; `claims` are those of a verified token."""
    joined, cookies = _join_headers(headers)
    is_text = _is_text(joined.get("content-type", ""))
    context: dict[str, Any] = {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": joined.get("host", DOMAIN),
        "domainPrefix": joined.get("host", DOMAIN).split(".")[0],
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": joined.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": f"{method} {path}",
        "stage": "$default",
        "time": datetime.fromtimestamp(time_epoch_ms / 1000, timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": time_epoch_ms,
    }
    if claims is not None:
        # API Gateway hands every claim over as text.
        texts = {name: _claim(value) for name, value in claims.items()}
        context["authorizer"] = {"jwt": {"claims": texts, "scopes": None}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": context,
        "isBase64Encoded": bool(body) and not is_text,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _join_query(query)
    if body:
        # Text that is not UTF-8 arrives damaged on AWS too: gzip has to travel as application/octet-stream.
        event["body"] = body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode("ascii")
    return event


class Gateway:
    """The HTTP server in front of one handler; serves from a thread between `start` and `stop`."""

    def __init__(
        self,
        handler: Handler,
        *,
        port: int = 0,
        cors: Cors | None = None,
        authorizer: Authorizer | None = None,
        clock: Callable[[], float] = time.time,
        report_error: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
    ) -> None:
        self._handler = handler
        self._cors = cors or Cors()
        self._authorizer = authorizer
        self._clock = clock
        self._report_error = report_error
        # A Lambda instance handles one request at a time, and the handler is written for that.
        self._one_at_a_time = threading.Lock()
        self._server = HttpServer(Request.application(self._answer), port, "the gateway")
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def call(self, event: dict[str, Any]) -> dict[str, Any]:
        """Hands an event to the handler, as the HTTP side does."""
        with self._one_at_a_time:
            return self._handler(event, None)

    def _answer(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        is_preflight = request.method == "OPTIONS"
        cors = self._cors.headers(origin, is_preflight)
        if is_preflight and self._cors.allowed_origins:
            return Response(status=204, headers=cors)
        response = self._route(request)
        for name in [name for name, _ in response.headers if name.lower().startswith("access-control-")]:
            del response.headers[name]
        response.headers.update(cors)
        return response

    def _route(self, request: Request) -> Response:
        route = next((r for r in ROUTES if (r.method, r.path) == (request.method, request.path)), None)
        if route is None:
            return _message(404, "Not Found")
        claims = None
        if route.is_authorized:
            token = request.headers.get("authorization", "")
            claims = self._authorizer.claims(token) if self._authorizer else None
            if claims is None:
                return _message(401, "Unauthorized", {"www-authenticate": "Bearer"})
        # A body in chunks does not tell its length, and would be cut off at the limit: so one more byte is read.
        request.max_content_length = MAX_BODY_BYTES + 1
        is_too_large = (request.content_length or 0) > MAX_BODY_BYTES
        body = b"" if is_too_large else request.get_data(cache=False)
        if is_too_large or len(body) > MAX_BODY_BYTES:
            return _message(413, "Request Entity Too Large", {"connection": "close"})
        event = make_event(
            request.method,
            request.path,
            [*request.headers.items()],
            body,
            request_id=str(uuid.uuid4()),
            time_epoch_ms=int(self._clock() * 1000),
            source_ip=request.remote_addr or "",
            claims=claims,
            query=request.query_string.decode("latin-1"),
        )
        try:
            answer = self.call(event)
        except Exception:  # noqa: BLE001 - what a Lambda raises, API Gateway answers with 500
            self._report_error(traceback.format_exc())
            return _message(500, "Internal Server Error")
        return _response(answer)


def _response(answer: Any) -> Response:
    """What API Gateway makes of a function's answer, its short form (no statusCode) included."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type="application/json")
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body)
    response = Response(content, int(answer["statusCode"]), content_type="text/plain; charset=utf-8")
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = str(value)
    for cookie in answer.get("cookies") or ():
        response.headers.add("set-cookie", cookie)
    return response


def _message(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps({"message": text})
    return Response(body, status, headers=dict(headers or {}), content_type="application/json")


def _join_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Names in lower case, repeated ones joined by commas, cookies apart."""
    joined: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        name = name.lower()
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined, cookies


def _join_query(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES


def _claim(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(map(str, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
