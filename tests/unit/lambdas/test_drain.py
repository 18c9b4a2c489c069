import json

import pytest

from clicklake.buffer import to_messages
from lambdas.drain.handler import make_handler
from lambdas.drain.settings import Settings
from tests.unit.ingest.shop import NOW, MemoryS3


def test_each_call_is_one_log_line_that_says_how_bad_it_is():
    s3, logs = MemoryS3(), []
    handle = make_handler(Settings("lake"), s3, lambda: NOW, write_log=lambda line: logs.append(json.loads(line)))
    good = {"messageId": "good", "body": to_messages("batch", [b"{}\n"])[0]}
    bad = {"messageId": "bad", "body": "secret"}
    assert handle({"Records": [good]}, None) == {"batchItemFailures": []}
    assert handle({"Records": [good, bad]}, None) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    told = {"service": "drain", "request_id": "", "lines": 1}
    assert logs == [
        told | {"level": "INFO", "messages": 1, "failed": 0, "repeated": 0, "errors": []},
        told | {"level": "WARNING", "messages": 2, "failed": 1, "repeated": 1, "errors": ["ValueError"]},
    ]
    assert len(s3.objects) == 1


def test_a_missing_bucket_is_said():
    with pytest.raises(ValueError, match="LAKE_BUCKET"):
        Settings.from_environment({})
