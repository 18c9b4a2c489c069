"""The proxy does to a request what its plan says, and to no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.proxy import (
    Fault,
    Proxy,
    Rule,
    cut_body,
    drop,
    fail_after,
    lists_raw,
    lose_answer,
    puts,
    puts_raw,
    refuse,
)

ONCE = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 1}}
KEY = "raw/year=2026/month=09/day=07/hour=12/events-a-1.ndjson.gz"


@pytest.fixture
def proxy(lake) -> Iterator[Proxy]:
    with Proxy(lake.endpoint_url).serving() as proxy:
        yield proxy


@pytest.fixture
def s3(lake, proxy, monkeypatch) -> Any:
    direct = lake.endpoints().client("s3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    from clicklake.endpoints import client

    s3 = client("s3", **ONCE)
    s3.direct = direct
    return s3


def keys(s3: Any, lake: Any) -> list[str]:
    return [item["Key"] for item in s3.direct.list_objects_v2(Bucket=lake.bucket).get("Contents", [])]


@pytest.mark.parametrize(
    ("fault", "error", "is_stored"),
    [
        (refuse(), ClientError, False),
        (drop(), BotoCoreError, False),
        (lose_answer(), BotoCoreError, True),
        (fail_after(), ClientError, True),
        (Fault(), None, True),
    ],
)
def test_a_put_takes_effect_or_not_and_is_answered_or_not(s3, proxy, lake, fault, error, is_stored):
    proxy.plan(Rule(puts_raw, fault))
    if error is None:
        s3.put_object(Bucket=lake.bucket, Key=KEY, Body=b"x")
    else:
        with pytest.raises(error):
            s3.put_object(Bucket=lake.bucket, Key=KEY, Body=b"x")
    assert keys(s3, lake) == ([KEY] if is_stored else [])


def test_half_a_body_is_an_error_and_the_next_one_is_whole(s3, proxy, lake):
    s3.put_object(Bucket=lake.bucket, Key=KEY, Body=b"x" * 100_000)
    proxy.plan(Rule(lambda request: request.operation == "GET", cut_body()))
    with pytest.raises(BotoCoreError):
        s3.get_object(Bucket=lake.bucket, Key=KEY)["Body"].read()
    assert len(s3.get_object(Bucket=lake.bucket, Key=KEY)["Body"].read()) == 100_000


def test_the_second_and_third_that_match_are_struck(s3, proxy, lake):
    rule = Rule(puts, refuse(), at=2, times=2)
    proxy.plan(rule)
    ends = []
    for number in range(4):
        try:
            s3.put_object(Bucket=lake.bucket, Key=f"{number}", Body=b"")
            ends.append("ok")
        except ClientError as error:
            ends.append(error.response["Error"]["Code"])
    assert ends == ["ok", "SlowDown", "SlowDown", "ok"]
    assert [request.name for request in rule.struck] == ["1", "2"]


def test_an_object_that_comes_between_two_pages_is_seen_only_behind_them(s3, proxy, lake):
    for name in ("raw/b", "raw/c", "raw/d"):
        s3.direct.put_object(Bucket=lake.bucket, Key=name, Body=b"")

    def arrive() -> None:
        for name in ("raw/a", "raw/e"):
            s3.direct.put_object(Bucket=lake.bucket, Key=name, Body=b"")

    proxy.plan(Rule(lists_raw, Fault(before=arrive), at=2))
    proxy.page_size = 2
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="raw/")
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["raw/b", "raw/c", "raw/d", "raw/e"]
