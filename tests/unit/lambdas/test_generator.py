import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from clicklake.contract.decode import decode_event
from clicklake.contract.reasons import Refusal
from clicklake.contract.requests import split_body
from lambdas.generator.handler import make_handler, post, requests_of_a_call
from lambdas.generator.settings import Settings

NOW = 1_777_636_800.0


def test_a_call_sends_its_events_in_requests_of_twenty():
    sent = []
    handle = make_handler(
        Settings("https://api.example/v1/events", 60),
        send=lambda url, request: sent.append((url, request)) or 202,
        clock=lambda: NOW,
        write_log=len,
    )
    assert handle({}, None) == {"accepted": 3, "refused": 0}
    assert {url for url, _ in sent} == {"https://api.example/v1/events"}
    assert [len(json.loads(request.body)) for _, request in sent] == [20, 20, 20]


def test_the_events_are_of_the_minutes_before_and_as_the_contract_wants_them():
    (request,) = requests_of_a_call(20, NOW)
    seconds = [event["timestamp"] for event in json.loads(request.body)]
    assert all(NOW - 300 <= second <= NOW for second in seconds)
    events = split_body(request.body, "json").events
    assert not any(isinstance(decode_event(event, accept_flat=True), Refusal) for event in events)


def test_two_calls_send_different_events():
    first, second = requests_of_a_call(20, NOW), requests_of_a_call(20, NOW + 300)
    assert first[0].body != second[0].body


def test_refusals_are_counted_and_logged():
    logs = []
    statuses = iter([202, 429, 0])
    handle = make_handler(
        Settings("https://api.example/v1/events", 60), lambda *_: next(statuses), lambda: NOW, logs.append
    )
    assert handle({}, None) == {"accepted": 1, "refused": 2}
    assert json.loads(logs[0])["level"] == "WARNING"


def test_posting_leaves_the_simulated_shops_origin_out_and_gives_the_status():
    received = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, {name.lower() for name in self.headers}))
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(202 if self.path == "/v1/events" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (request,) = requests_of_a_call(20, NOW)
    address = f"http://127.0.0.1:{server.server_port}"
    assert [post(f"{address}/v1/events", request), post(f"{address}/other", request)] == [202, 404]
    server.shutdown()
    server.server_close()
    assert post(f"{address}/v1/events", request) == 0
    assert "origin" not in received[0][1] and "content-type" in received[0][1]


@pytest.mark.parametrize("wrong", [{"INGEST_URL": ""}, {"EVENTS_PER_CALL": "many"}, {"EVENTS_PER_CALL": "0"}])
def test_a_wrong_setting_is_said(wrong):
    with pytest.raises(ValueError, match="|".join(wrong)):
        Settings.from_environment({"INGEST_URL": "https://api.example", "EVENTS_PER_CALL": "20"} | wrong)
