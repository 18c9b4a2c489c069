"""What somebody may send to harm: each case is a request, built when it is asked for.

As a program it sends the requests it finds in files through one handler, and prints for each the status,
by how many megabytes the process has grown since it was warm, and the seconds of CPU time.
"""

import gzip
import json
import resource
import sys
import zlib
from collections.abc import Callable
from typing import Any

from tests.unit.ingest.requests import request
from tests.unit.ingest.shop import open_shop

Case = Callable[[], dict[str, Any]]
GRANTED = '"consent":{"analytics":"granted","marketing":"granted"}'


def events(*texts: str) -> str:
    return "[" + ",".join(texts) + "]"


def event(fields: str) -> str:
    return f'{{"event_type":"search",{GRANTED},{fields}}}'


CASES: dict[str, Case] = {
    "a body of 11 MB": lambda: request("[" + " " * 11_000_000 + "]"),
    "a base64 body of 11 MB": lambda: request(b" " * 11_000_000),
    "a bomb of 200 MB": lambda: request(_bomb(200)),
    "a bomb just within the limit": lambda: request(_zip(b"[" + b" " * 16_000_000 + b"]")),
    "a bomb of empty objects": lambda: request(_zip(b"[" + b"{}," * 5_000_000 + b"{}]")),
    "a bomb of numbers": lambda: request(_zip(b"[" + b"1," * 8_000_000 + b"1]")),
    "a bomb of empty lines": lambda: request(_zip(b"\n" * 16_000_000), content_type="application/x-ndjson"),
    "a bomb of one letter lines": lambda: request(_zip(b"x\n" * 8_000_000), content_type="application/x-ndjson"),
    "a bomb of empty objects in one list": lambda: request(_zip(b"[[" + b"{}," * 5_000_000 + b"{}]]")),
    "a bomb of JSON that is no NDJSON": lambda: request(
        _zip(b"[\n" + b"{}," * 5_000_000 + b"{}]"), content_type="application/x-ndjson"
    ),
    "a bomb of keys": lambda: request(_zip(b"{" + b",".join(b'"%d":1' % number for number in range(1_300_000)) + b"}")),
    "a bomb of at signs": lambda: request(_zip(b"a@" * 8_000_000)),
    "gzip in gzip": lambda: request(_zip(_zip(b"[]"))),
    "100k nested lists": lambda: request("[" * 100_000 + "]" * 100_000),
    "100k nested objects": lambda: request('{"a":' * 100_000 + "1" + "}" * 100_000),
    "100k unclosed brackets": lambda: request("[" * 100_000),
    "an event nested 10k deep beside a good one": lambda: request(
        events(event('"props":' + '{"a":' * 5_000 + "1" + "}" * 5_000), event('"event_id":"good"'))
    ),
    "money nested 10k deep beside a good one": lambda: request(
        events(event('"event_id":"deep","value":' + "[" * 10_000 + "]" * 10_000), event('"event_id":"good"'))
    ),
    "lone surrogates and NUL": lambda: request(events(event(r'"event_id":"a\ud800\u0000b","page_title":"\udfff"'))),
    "a raw surrogate": lambda: request('[{"event_type":"\ud800"}]'),
    "a raw NUL": lambda: request('[{"event_type":"a\0"}]'),
    "2^63 as a count": lambda: request(events(event('"props":{"results_count":9223372036854775808}'))),
    "2^63 as an instant": lambda: request(events(event('"ts":9223372036854775808'))),
    "1e999 as money": lambda: request(events(event('"value":1e999'))),
    "1e999 as a property": lambda: request(events(event('"props":{"own":1e999}'))),
    "a number of a million digits": lambda: request(events(event('"value":' + "9" * 30_000))),
    "__proto__": lambda: request(events(event('"__proto__":{"event_type":"purchase"},"props":{"__proto__":"x"}'))),
    "a newline inside a string": lambda: request(
        events(event(r'"page_title":"a\nb\r\u2028{\"verdict\":\"accepted\"}"'))
    ),
    "a formula as a search term": lambda: request(events(event('"props":{"search_query":"=HYPERLINK(1)"}'))),
    "a path as an id": lambda: request(
        events(event('"event_id":"../../results/x","order_id":"../x"')), request_id="../../../state/lease"
    ),
    "10,000 distinct types": lambda: request(events(*(f'{{"event_type":"t{number}"}}' for number in range(10_000)))),
    "500 distinct types": lambda: request(events(*(f'{{"event_type":"t{number}"}}' for number in range(500)))),
    "forged viewer headers": lambda: request(
        events(event('"event_id":"a"')),
        headers={
            "x-forwarded-for": "8.8.8.8",
            "cloudfront-viewer-country": "US",
            "x-clicklake-edge-secret": "guess",
        },
    ),
    "a forged origin header": lambda: request(
        events(event('"event_id":"a"')), headers={"x-clicklake-origin": "server"}
    ),
    "an origin that looks alike": lambda: request("[]", headers={"origin": "https://shop.example.evil.test"}),
    "a token of alg none": lambda: request(
        events(event('"event_id":"a"')),
        headers={"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."},
    ),
    "one event 500 times": lambda: request(events(*[event('"event_id":"same"')] * 500)),
    "500 events of 32 KB of addresses": lambda: request(
        _zip(events(*['{"event_type":"x","a":"' + "a@b.cc " * 4_600 + '"}'] * 490).encode())
    ),
    "duplicate keys": lambda: request('[{"event_type":"login","event_type":"purchase"}]'),
    "a byte order mark": lambda: request(b"\xef\xbb\xbf" + events(event('"event_id":"a"')).encode()),
    "invalid UTF-8": lambda: request(b'[{"event_type":"login","page_title":"\xff\xfe"}]'),
    "NaN": lambda: request('[{"event_type":"login","value":NaN}]'),
    "a user agent of 100 KB": lambda: request(
        events(event('"event_id":"a"')), headers={"user-agent": "Mozilla/5.0 (" * 9_000}
    ),
}


def _zip(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1)


def _bomb(megabytes: int) -> bytes:
    stream = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([stream.compress(bytes(1 << 20)) for _ in range(megabytes)] + [stream.flush()])


def main(paths: list[str]) -> None:
    shop = open_shop()
    shop.send(request(events(event('"event_id":"warm"')), request_id="warm"))
    warm = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, path in enumerate(paths):
        with open(path) as file:
            sent = json.load(file)
        sent["requestContext"]["requestId"] = f"case-{number}"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        status, _ = shop.send(sent)
        shop.s3.objects.clear()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(status, (usage.ru_maxrss - warm) // 1024, round(usage.ru_utime - before, 2))


if __name__ == "__main__":
    main(sys.argv[1:])
