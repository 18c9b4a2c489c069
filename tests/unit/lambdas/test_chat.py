import json

import pytest

from lambdas.chat.handler import make_handler, text_of
from lambdas.chat.settings import Settings

ALARM = {"AlarmName": "clicklake-prod-behind", "NewStateValue": "ALARM", "AlarmDescription": "Events have waited."}
NAME = {"WEBHOOK_PARAMETER": "/shop/chat"}


def test_an_alarm_is_told_by_state_name_and_description():
    notice = {"Subject": "ALARM", "Message": json.dumps(ALARM)}
    assert text_of(notice) == "ALARM: clicklake-prod-behind\nEvents have waited."


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        ({"Subject": "Refresh", "Message": "job failed"}, "Refresh\njob failed"),
        ({"Subject": None, "Message": '"quoted"'}, '"quoted"'),
        ({"Message": "[1]"}, "[1]"),
    ],
)
def test_anything_else_is_passed_on_as_it_is(notice, text):
    assert text_of(notice) == text


def test_each_notice_is_sent_once_and_the_address_is_not_logged():
    sent, logs = [], []
    settings = Settings.from_environment(NAME, {"/shop/chat": "https://chat.example/secret"}.__getitem__)
    handle = make_handler(settings, lambda url, body: sent.append((url, json.loads(body))), logs.append)
    handle({"Records": [{"Sns": {"Message": "a"}}, {"Sns": {"Message": "b"}}]}, None)
    assert sent == [("https://chat.example/secret", {"text": text}) for text in "ab"]
    assert "secret" not in logs[0] and "secret" not in repr(settings)


def test_an_address_that_is_none_is_said_without_repeating_it():
    with pytest.raises(ValueError, match="/shop/chat holds no https address"):
        Settings.from_environment(NAME, lambda _: "xoxb-secret")
