"""Whatever is sent: a clear 4xx or a rejected line, and bounded memory."""

import json
import subprocess
import sys
import tracemalloc

import pytest

from lambdas.ingest.agent import read_agent
from lambdas.ingest.scrub import scrub_code, scrub_text
from lambdas.ingest.urls import reduce_url
from tests.unit.ingest.hostile import CASES
from tests.unit.ingest.shop import open_shop

TOO_LARGE = ("a body of 11 MB", "a base64 body of 11 MB", "a bomb of 200 MB")
TOO_MANY = ("a bomb of empty objects", "a bomb of numbers", "10,000 distinct types")
UNREADABLE = {
    "a bomb of empty lines": "not_json",
    "a bomb of one letter lines": "not_json",
    "a bomb of at signs": "not_json",
    "a bomb of JSON that is no NDJSON": "not_json",
    "a bomb of empty objects in one list": "too_deep",
    "gzip in gzip": "not_json",
    "a raw NUL": "not_json",
    "NaN": "not_json",
}
ALONE: dict[str, list[tuple[str, str | None]]] = {
    "a bomb of keys": [("too_large", None)],
    "100k nested lists": [("too_large", None)],
    "100k nested objects": [("too_large", None)],
    "2^63 as a count": [("out_of_range", "props.results_count")],
    "1e999 as money": [("out_of_range", "value")],
    "a number of a million digits": [("out_of_range", "value")],
    "invalid UTF-8": [("bad_utf8", None)],
    "a raw surrogate": [("bad_utf8", None)],
    "100k unclosed brackets": [("too_large", None)],
    "1e999 as a property": [("out_of_range", "props")],
}
ACCEPTED = (
    "lone surrogates and NUL",
    "2^63 as an instant",
    "__proto__",
    "a newline inside a string",
    "a formula as a search term",
    "a path as an id",
    "forged viewer headers",
    "a forged origin header",
    "a token of alg none",
    "one event 500 times",
    "duplicate keys",
    "a byte order mark",
    "a user agent of 100 KB",
)
NESTED = ("an event nested 10k deep beside a good one", "money nested 10k deep beside a good one")
MAX_GROWTH_MB = 160


def send(name):
    shop = open_shop()
    status, answer = shop.send(CASES[name]())
    return shop, status, answer


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_and_not_written(name):
    shop, status, answer = send(name)
    assert (status, answer["error"]) == (413, "body_too_large")
    assert shop.s3.calls == 0


@pytest.mark.parametrize("name", TOO_MANY)
def test_what_is_too_many_is_refused_and_not_written(name):
    shop, status, answer = send(name)
    assert (status, answer["error"]) == (413, "too_many_events")
    assert shop.s3.calls == 0


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_and_is_one_short_line(name):
    shop, status, answer = send(name)
    assert (status, answer["error"]) == (400, UNREADABLE[name])
    (line,) = shop.s3.lines()
    assert line["reason"] == UNREADABLE[name] and len(line["text"]) <= 256


@pytest.mark.parametrize("name", ALONE)
def test_a_hostile_event_is_a_rejected_line(name):
    shop, status, _ = send(name)
    assert status == 202
    assert [(line["reason"], line.get("field")) for line in shop.s3.lines()] == ALONE[name]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_only_looks_dangerous_is_accepted_as_data(name):
    shop, status, answer = send(name)
    assert (status, answer["rejected"]) == (202, 0)
    assert shop.s3.lines()


def test_an_origin_that_looks_alike_is_refused():
    assert send("an origin that looks alike")[1] == 403


@pytest.mark.parametrize("case", NESTED)
def test_a_nested_event_leaves_its_neighbour_alone(case):
    shop, _, answer = send(case)
    assert [error["index"] for error in answer["errors"]] == [0]
    assert shop.s3.lines()[1]["event_id"] == "good"


def test_a_newline_in_a_string_starts_no_line():
    shop, _, _ = send("a newline inside a string")
    (line,) = shop.s3.lines()
    assert line["page_title"] == 'a\nb\r\u2028{"verdict":"accepted"}'


def test_prototype_keys_are_only_data():
    (line,) = send("__proto__")[0].s3.lines()
    assert line["event_type"] == "search"
    assert line["props"]["own"] == [{"key": "__proto__", "value": "x"}]


def test_a_path_as_an_id_is_in_no_key():
    shop, _, _ = send("a path as an id")
    (key,) = shop.s3.objects
    assert ".." not in key and key.startswith("raw/year=2026/month=05/day=01/hour=12/events-")


def test_10_000_types_are_no_10_000_names_in_the_log():
    shop, _, _ = send("500 distinct types")
    assert shop.logs[0]["verdicts"] == {"accepted": 0, "unknown_event_type": 500}
    assert len(json.dumps(shop.logs)) < 2000


def test_forged_headers_say_nothing():
    (line,) = send("forged viewer headers")[0].s3.lines()
    assert "geo" not in line and "8.8.8.8" not in json.dumps(line)
    assert send("a forged origin header")[0].s3.lines()[0]["origin"] == "browser"


def test_a_token_of_alg_none_makes_nobody():
    assert "user_id" not in send("a token of alg none")[0].s3.lines()[0]


def test_addresses_by_the_thousand_are_all_scrubbed():
    shop, status, _ = send("500 events of 32 KB of addresses")
    assert status == 202 and len(shop.s3.lines()) == 490
    assert "b.cc" not in json.dumps(shop.s3.lines())


def test_every_case_is_judged_by_a_test():
    named = {*TOO_LARGE, *TOO_MANY, *UNREADABLE, *ALONE, *ACCEPTED, *NESTED}
    assert set(CASES) - named == {
        "a bomb just within the limit",
        "500 distinct types",
        "an origin that looks alike",
        "500 events of 32 KB of addresses",
    }


def test_texts_that_are_all_long_and_different_do_not_fill_the_caches():
    reduce_url("https://shop.example/?q=1", frozenset({"q"}))
    tracemalloc.start()
    for number in range(3000):
        filler = f"{number} " + "x" * 2000
        reduce_url("https://shop.example/?q=" + filler, frozenset({"q"}))
        scrub_text(filler)
        scrub_code(filler)
        read_agent("Mozilla/5.0 " + filler if number < 20 else "Mozilla/5.0")
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 2_000_000


def test_no_case_makes_the_process_grow_beyond_bounds(tmp_path):
    paths = []
    for number, build in enumerate(CASES.values()):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(json.dumps(build()))
    command = [sys.executable, "-m", "tests.unit.ingest.hostile", *map(str, paths)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    results = dict(zip(CASES, (line.split() for line in printed.splitlines()), strict=True))
    assert all(int(status) < 500 for status, _, _ in results.values()), results
    assert all(int(grown_mb) < MAX_GROWTH_MB for _, grown_mb, _ in results.values()), results
