"""Every line has one outcome, whatever the order of lines and objects."""

import gzip
import json
import random
from collections import Counter
from decimal import Decimal

import pytest

from clicklake.verify.oracle import recompute
from clicklake.verify.raw_objects import open_object

from .lakes import DAY, NOON, REFERENCE, RULES, line, ms, oracle_of, raw

AT = ms(NOON)


def test_the_earliest_copy_is_stored_and_has_the_least_verified_user_of_all():
    first = line("a", received_at=AT + 5, page_title="first", user_id=None)
    later = line("a", received_at=AT + 9, page_title="later", user_id="1.b", ingest_id="x")
    third = line("a", received_at=AT + 9, user_id="1.a", ingest_id="y")
    [event] = oracle_of([third, later, first]).outcomes.events
    assert (event.line["page_title"], event.user_id) == ("first", "1.a")


def test_copies_received_in_one_instant_are_ordered_by_request_and_position():
    copies = [line("a", ingest_id=request, position=place) for request, place in (("b", 0), ("a", 2), ("a", 1))]
    [event] = oracle_of(copies).outcomes.events
    assert (event.line["ingest_id"], event.line["position"]) == ("a", 1)


def test_an_id_used_on_another_day_is_another_event():
    oracle = oracle_of([line("a"), line("a", AT + DAY, ingest_id="x")])
    assert len(oracle.outcomes.events) == 2


def test_a_refused_line_is_kept_once_for_its_request_and_position_whatever_else_bears_them():
    refused = {"ingest_id": "r", "position": 0, "received_at": AT, "verdict": "rejected", "reason": "not_json"}
    oracle = oracle_of([refused, refused, line("a", ingest_id="r", position=0)])
    assert oracle.ledger == {
        "received": 3, "lost": 0, "erased": 0, "quarantined": 1, "stored": 1, "duplicate": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"value": "1e3"}, "type_drift", "value"),
        ({"items": [{"price": "free"}]}, "type_drift", "items.price"),
        ({"ts": 10**18}, "type_drift", "ts"),
        ({"received_at": -1}, "type_drift", "received_at"),
        ({"value": float("nan")}, "type_drift", "value"),
        ({"verdict": "perhaps"}, "type_drift", "verdict"),
        ({"props": {"scroll_pct": "deep"}}, "type_drift", None),
        ({"items": [{"qty": 2**31}]}, "type_drift", None),
        ({"device": "desktop"}, "type_drift", None),
        ({"position": "first"}, "not_json", None),
        ({"event_type": None}, "not_a_raw_line", "event_type"),
        ({"ingest_id": None}, "not_a_raw_line", "ingest_id"),
        ({"verdict": "rejected", "reason": "not_money", "field": "value"}, "not_money", "value"),
    ],
)
def test_a_line_that_is_no_event_is_kept_with_its_reason(fields, reason, field):
    [refused] = oracle_of([line("a", **fields)]).outcomes.refused
    assert (refused.reason, refused.field) == (reason, field)


def test_text_takes_any_value():
    [event] = oracle_of([line("a", page_title=5, device={"type": True}, value=5.5)]).outcomes.events
    assert (event.line["page_title"], event.device_type, event.value) == ("5", "true", Decimal("5.5"))


def test_bytes_that_are_no_text_and_lines_without_end_are_refused():
    found = open_object("raw/a.ndjson", b'{"a": "\xff"}\n{}\n' + b"x" * 2**21)
    assert found.faults == {1: "not_utf8", 3: "line_too_long"}
    outcomes = recompute([found], RULES, REFERENCE).outcomes
    assert [refused.reason for refused in outcomes.refused] == ["not_utf8", "not_a_raw_line", "line_too_long"]


@pytest.mark.parametrize("text", ["not json", '{"a": 01}', "[1]", ""])
def test_a_line_that_cannot_be_read_is_known_by_its_text(text):
    oracle = oracle_of([text, text])
    assert [refused.reason for refused in oracle.outcomes.refused] == ["not_json"]
    assert oracle.tables["quarantine"][0]["ingest_id"].startswith("text:")
    assert len(oracle.outcomes.repeats) == 1


def test_an_object_that_breaks_off_keeps_its_whole_lines_and_counts_the_lost_ones():
    texts = [
        json.dumps(line(f"{number:04}", page_title=random.Random(number).randbytes(40).hex())) for number in range(500)
    ]
    body = gzip.compress("\n".join(texts).encode() + b"\n")
    found = open_object("raw/events-a-500.ndjson.gz", body[: len(body) // 2])
    assert 100 < len(found.lines) < 400
    assert len(found.lines) + found.lost == 500
    assert list(found.lines) == texts[: len(found.lines)]
    assert open_object("raw/events-a-3.ndjson.gz", b"").lost == 3


def test_objects_in_any_order_and_lines_split_in_any_way_give_equal_tables():
    lines = [line(str(number), AT + number * 700_000, user_id=f"1.{number % 3}") for number in range(40)]
    lines += [
        line(str(number), AT + number * 700_000, ingest_id="again", position=number) for number in range(0, 40, 7)
    ]
    prints = set()
    for seed in range(5):
        shuffled = random.Random(seed).sample(lines, len(lines))
        objects = [raw(shuffled[start : start + 6], str(start)) for start in range(0, len(lines), 6)]
        tables = recompute(objects, RULES, REFERENCE).tables
        prints.add(
            repr(
                [
                    sorted(repr({**row, "object": 0, "line": 0}) for row in tables[name])
                    for name in ("events", "sessions", "identity", "daily_traffic", "daily_active")
                ]
            )
        )
    assert len(prints) == 1


def test_every_line_of_every_object_has_exactly_one_outcome():
    lines = [line("a"), line("a", ingest_id="x"), "no", line("b", value="x"), line("c")]
    outcomes = oracle_of(lines).outcomes
    places = Counter(
        (each.object, each.number) for part in (outcomes.events, outcomes.repeats, outcomes.refused) for each in part
    )
    assert sorted(number for _, number in places) == [1, 2, 3, 4, 5]
    assert set(places.values()) == {1}
