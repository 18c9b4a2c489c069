"""Sends simulated events through the API, as a shop's visitors would: nothing is written past the front door."""

import os
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Any

from clicklake.log_line import log_line
from clicklake.shop.plain import EVENTS_A_CALL, plain_requests
from clicklake.shop.requests import Request
from lambdas.generator.settings import Settings

SEED = 7
# The events of a call happened in the minutes before it.
SPAN_MS = 5 * 60 * 1000
SEND_SECONDS = 10

Handler = Callable[[dict[str, Any], object], dict[str, Any]]
Send = Callable[[str, Request], int]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ), post)


def make_handler(
    settings: Settings,
    send: Send,
    clock: Callable[[], float] = time.time,
    write_log: Callable[[str], object] = print,
) -> Handler:
    """`send` posts a request to an address and gives the HTTP status, 0 where nothing answered."""

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        statuses = Counter(
            send(settings.ingest_url, request) for request in requests_of_a_call(settings.events_per_call, clock())
        )
        accepted = statuses.pop(202, 0)
        answer = {"accepted": accepted, "refused": sum(statuses.values())}
        level = "WARNING" if statuses else "INFO"
        request_id = getattr(context, "aws_request_id", "")
        fields = {"level": level, "request_id": request_id, **answer, "statuses": sorted(statuses)}
        write_log(log_line("generator", fields))
        return answer

    return handle


def requests_of_a_call(events: int, now: float) -> list[Request]:
    """As many requests of twenty as hold `events`, received by `now` (epoch seconds)."""
    calls = -(-events // EVENTS_A_CALL)
    events_a_day = calls * EVENTS_A_CALL * 24 * 3600 * 1000 // SPAN_MS
    return list(islice(plain_requests(SEED, int(now * 1000) - SPAN_MS, events_a_day), calls))


def post(url: str, request: Request) -> int:
    # The simulated shop's Origin is not this one's; what has none is an app.
    headers = {name: value for name, value in request.headers.items() if name != "origin"}
    message = urllib.request.Request(url, data=request.body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(message, timeout=SEND_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
