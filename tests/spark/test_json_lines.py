"""Lines read many at once are what Spark's own reader makes of each."""

import gzip
import json
import random
from importlib.resources import files

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from glue_jobs.raw_objects import CHUNK_BYTES, _LineReader
from glue_jobs.transforms.json_lines import CORRUPT, FEW_LINES, JsonLines, with_corrupt
from tests.spark.golden_days import all_lines
from tests.spark.lakes import line

SCHEMA = StructType.fromJson(
    json.loads(files("clicklake.contract").joinpath("generated/raw_line.spark.json").read_text("utf-8"))
)
ITEM = {"product_id": "p", "name": 'A "quoted" ☕', "price": "9.5", "qty": 2}
PLAIN = [
    line("a", "v", 1_788_000_000_000, items=[ITEM, {}], value="19", props={"own": [{"key": "k", "value": ""}]}),
    line("b", None, 1_788_000_000_001, bot_reasons=["user_agent", "host"], is_bot=True, geo={"country": None}),
    {"verdict": "rejected", "reason": "not_json", "text": "{\\\n\u0000", "position": -1, "items": []},
    {},
]
ODD = r"""{"ts":1.0}|{"ts":1e3}|{"ts":"1"}|{"ts":-0}|{"ts":01}|{"ts":9223372036854775808}|{"ts":NaN}|{"ts":1 }|{"ts":+1}
{"position":2147483648}|{"ts":1,"ts":2}|{"ts":null,"ts":2}|{"event_id":"a","event_id":"b"}|{"event_id":5}
{"event_id":true}|{"event_id":{"a":1}}|{"event_id":"\ud800"}|{"event_id":"\udc00"}|{"event_id":"\ud83d\ude00"}
{"event_id":"\u0000"}|{"event_id":"\/"}|{"event_id":"\x"}|{"ev\u0065nt_id":"k"}|{"unknown":1}|{"device":null}
{"device":{}}|{"device":[]}|{"device":{"type":"m","other":1}}|{"device":{"type":"a"},"device":{"type":"b"}}
{"items":[null]}|{"items":{}}|{"items":[[]]}|{"items":[{"qty":"2"}]}|{"bot_reasons":["a",null]}|{"is_bot":"true"}
{"is_bot":1}|{"is_bot":TRUE}|{'ts':1}|{"ts":1}{"ts":2}|{"ts":1,}|{"":1}|/**/{}|{"ts":1/**/}|[{"ts":1}]|null|1|"a"|{
}|{"ts":1}}|{"_corrupt_record":"x"}|{"ts":1}x| {"ts":1}""".replace("\n", "|").split("|")


def damage(chance: random.Random, text: str) -> str:
    """The line with one value, or one character, changed."""
    if chance.random() < 0.5:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice(['"', "{", "}", "[", "]", ",", ":", "\\", "0", "e", " ", ""]) + text[at + 1 :]
    sent = json.loads(text)
    values = [None, True, 0, -1, 1.5, 2**31, 2**63, "", "1", "😀", [], {}, [None], [{}], {"own": [{}]}]
    sent[chance.choice(SCHEMA.names)] = chance.choice(values)
    return json.dumps(sent, ensure_ascii=chance.random() < 0.5)


def test_both_readers_agree(spark):
    chance = random.Random(7)
    golden = [text for text in all_lines() if text.startswith("{") and text.endswith("}")]
    texts = [json.dumps(each) for each in PLAIN] + ODD + golden
    texts += [damage(chance, chance.choice(golden)) for _ in range(2_000)]
    # Each by itself, so that no line is left because of its neighbour.
    reader = JsonLines(SCHEMA)
    ours = [reader.parse([text.encode()]).to_pylist()[0] for text in texts]
    rows = spark.createDataFrame(list(enumerate(texts)), "number int, text string").coalesce(1)
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": CORRUPT}
    parsed = rows.select("number", F.from_json("text", with_corrupt(SCHEMA), options).alias("r")).collect()
    theirs = {row.number: row.r.asDict(recursive=True) if row.r is not None else None for row in parsed}
    read = [number for number, row in enumerate(ours) if row is not None]
    assert {texts[n]: ours[n] for n in read} == {texts[n]: theirs[n] for n in read}
    # What is plain is not left to Spark.
    assert set(range(len(PLAIN))) <= set(read)
    assert len(read) > len(golden)
    assert len(read) < len(texts) - len(ODD) // 2


@pytest.mark.parametrize("odd", ["}", "{}{}", '{"ts":"1"}', "", '{"device":{"type":"a"}', "\ufeff{}"])
def test_a_line_in_doubt_leaves_the_others(odd):
    plain = [b'{"ts": %d}' % number for number in range(10 * FEW_LINES)]
    at = 3 * FEW_LINES + 1
    parsed = JsonLines(SCHEMA).parse([*plain[:at], odd.encode(), *plain[at:]]).to_pylist()
    assert parsed[at] is None
    read = [row["ts"] for row in parsed if row is not None]
    assert len(read) > len(plain) - FEW_LINES
    assert read == [number for number, row in enumerate(parsed[:at] + parsed[at + 1 :]) if row is not None]


def test_lines_that_only_together_are_objects_are_left():
    assert JsonLines(SCHEMA).parse([b'{"device":{"type":"a"}', b'{"ts":1}}', b'{"ts":2}{"ts":3}', b""]).null_count == 4


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_object_is_read_in_parts(pack, end):
    chance = random.Random(3)
    lines = [b"x" * chance.choice([0, 1, 700, CHUNK_BYTES // 2, CHUNK_BYTES + 1]) for _ in range(30)] + [b"last"]
    reader = _LineReader()
    parts = list(reader.lines(pack(b"\n".join(lines) + end)))
    assert [text for part in parts for text in part] == lines
    assert reader.fault is None
    assert max(sum(map(len, part)) for part in parts) <= 3 * CHUNK_BYTES
