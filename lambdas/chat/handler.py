"""Passes alerts on to a chat's incoming webhook, in the form that Slack, Mattermost and others take."""

import json
import os
import urllib.request
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from clicklake.endpoints import client
from clicklake.log_line import log_line
from lambdas.chat.settings import Settings

SEND_SECONDS = 10

Handler = Callable[[dict[str, Any], object], None]
Send = Callable[[str, bytes], None]


def lambda_handler(event: dict[str, Any], context: object) -> None:
    _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ, _read_parameter), post)


def make_handler(settings: Settings, send: Send, write_log: Callable[[str], object] = print) -> Handler:
    """What `send` raises goes on to Lambda, which tries again twice."""

    def handle(event: dict[str, Any], context: object) -> None:
        messages = [text_of(record["Sns"]) for record in event.get("Records", [])]
        for text in messages:
            send(settings.webhook_url, json.dumps({"text": text}).encode())
        request_id = getattr(context, "aws_request_id", "")
        write_log(log_line("chat", {"level": "INFO", "request_id": request_id, "messages": len(messages)}))

    return handle


def text_of(notice: dict[str, Any]) -> str:
    """An alarm's name, state and description; anything else as it is."""
    message = notice.get("Message") or ""
    try:
        alarm = json.loads(message)
        return f"{alarm['NewStateValue']}: {alarm['AlarmName']}\n{alarm.get('AlarmDescription') or ''}".strip()
    except (KeyError, TypeError, ValueError):
        return "\n".join(filter(None, (notice.get("Subject"), message)))


def post(url: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    message = urllib.request.Request(url, data=body, headers=headers, method="POST")
    urllib.request.urlopen(message, timeout=SEND_SECONDS).close()


def _read_parameter(name: str) -> str:
    return client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
