"""An HTTP proxy before the emulator that goes wrong by plan. What is tested gets its URL as AWS's endpoint.

    proxy.plan(Rule(updates_table, lose_answer(), at=3))

makes the third UpdateTable take effect and its answer disappear. Each rule counts the requests that it matches.
"""

import http.client
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from clicklake.paths import LEASE_KEY, RAW_PREFIX

_BETWEEN_HOPS = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length", "date", "server"}


@dataclass(frozen=True)
class Request:
    """`operation` is GET, PUT, HEAD, DELETE, POST or LIST of S3, or the name another service gives it
    (UpdateTable, SendMessage); `name` is the object's key, the listed prefix, or the table."""

    operation: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation} {self.name.rsplit('/', 1)[-1]}".strip()


@dataclass(frozen=True)
class Fault:
    """What becomes of a request: `before` is called, it takes effect or not, `after` is called, it is answered.

    `answer`: "real", "lost" (the connection ends), "half" (the connection ends within the body), or a pair of
    status and error code.
    """

    before: Callable[[], object] | None = None
    takes_effect: bool = True
    after: Callable[[], object] | None = None
    answer: str | tuple[int, str] = "real"


def refuse(status: int = 503, code: str = "SlowDown") -> Fault:
    return Fault(takes_effect=False, answer=(status, code))


def drop() -> Fault:
    """The connection ends before the request takes effect."""
    return Fault(takes_effect=False, answer="lost")


def lose_answer() -> Fault:
    return Fault(answer="lost")


def fail_after(status: int = 500, code: str = "InternalError") -> Fault:
    """It takes effect, and the answer says that it failed."""
    return Fault(answer=(status, code))


def cut_body() -> Fault:
    """Half of the body arrives, then the connection ends."""
    return Fault(answer="half")


def delay(seconds: float) -> Fault:
    return Fault(before=lambda: time.sleep(seconds))


Matches = Callable[[Request], bool]


def anything(_: Request) -> bool:
    return True


def updates_table(request: Request) -> bool:
    return request.operation == "UpdateTable"


def writes(request: Request) -> bool:
    return request.operation in ("PUT", "UpdateTable")


def puts(request: Request) -> bool:
    return request.operation == "PUT"


def puts_raw(request: Request) -> bool:
    return puts(request) and request.name.startswith(RAW_PREFIX)


def gets_raw(request: Request) -> bool:
    return request.operation == "GET" and request.name.startswith(RAW_PREFIX)


def lists_raw(request: Request) -> bool:
    return request.operation == "LIST" and request.name.startswith(RAW_PREFIX)


def sends_message(request: Request) -> bool:
    return request.operation == "SendMessage"


def puts_lease(request: Request) -> bool:
    return puts(request) and request.name == LEASE_KEY


@dataclass
class Rule:
    """`fault` for the requests that match, from the `at`-th (counted from 1), `times` in a row; None: all."""

    matches: Matches
    fault: Fault
    at: int = 1
    times: int | None = 1
    struck: list[Request] = field(default_factory=list)
    _count: int = 0

    def take(self, request: Request) -> bool:
        if not self.matches(request):
            return False
        self._count += 1
        if self._count < self.at or (self.times is not None and self._count >= self.at + self.times):
            return False
        self.struck.append(request)
        return True


class Proxy:
    """Serves from threads; `seen` are the requests since `plan` or `clear`.

    `page_size`: no listing gives more keys than this, so that a few objects make many pages.
    """

    def __init__(self, upstream_url: str) -> None:
        self.upstream = urlsplit(upstream_url).netloc
        self.seen: list[Request] = []
        self.page_size: int | None = None
        self._rules: tuple[Rule, ...] = ()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def plan(self, *rules: Rule) -> None:
        """From now on these rules, the first that strikes counts; what was counted before is forgotten."""
        with self._lock:
            self._rules, self.seen = rules, []

    def clear(self) -> None:
        self.plan()
        self.page_size = None

    def fault(self, request: Request) -> Fault | None:
        with self._lock:
            self.seen.append(request)
            struck = [rule for rule in self._rules if rule.take(request)]
        return struck[0].fault if struck else None

    @contextmanager
    def serving(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the middle is what this is for."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def _handle(self) -> None:
        body = self._read_body()
        path = self._with_page_size(self.path)
        request = _describe(self.command, path, self.headers.get("x-amz-target", ""), body)
        fault = self.proxy.fault(request) or Fault()
        if fault.before:
            fault.before()
        status, headers, content = 0, [], b""
        if fault.takes_effect:
            status, headers, content = self._forward(path, body)
        if fault.after:
            fault.after()
        if fault.answer == "lost":
            self._hang_up()
        elif fault.answer == "half":
            self._answer(status, headers, content, sent=len(content) // 2)
            self.close_connection = True
        elif isinstance(fault.answer, tuple):
            self._answer(*_error(*fault.answer, is_s3="x-amz-target" not in self.headers))
        else:
            self._answer(status, headers, content)

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()  # the client waits for it, seconds long
        return True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _with_page_size(self, path: str) -> str:
        if self.proxy.page_size is None or "list-type=2" not in path:
            return path
        return f"{path}&max-keys={self.proxy.page_size}"

    def _forward(self, path: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _BETWEEN_HOPS:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, sent: int | None = None) -> None:
        length = str(len(content))
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in _BETWEEN_HOPS or name.lower() == "date":
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content if sent is None else content[:sent])
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        # Reset, not closed in peace: that is how a broken line looks.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


def _describe(method: str, path: str, target: str, body: bytes) -> Request:
    if target:
        try:
            asked = json.loads(body)
        except ValueError:
            asked = {}
        return Request(target.rpartition(".")[2], (asked.get("TableInput") or asked).get("Name", ""))
    address = urlsplit(path)
    query = parse_qs(address.query)
    if method == "GET" and "list-type" in query:
        return Request("LIST", query.get("prefix", [""])[0])
    return Request(method, unquote(address.path).lstrip("/").partition("/")[2])


def _error(status: int, code: str, is_s3: bool) -> tuple[int, list[tuple[str, str]], bytes]:
    if is_s3:
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by plan</Message></Error>"
        return status, [("Content-Type", "application/xml")], text.encode()
    return status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps({"__type": code}).encode()
