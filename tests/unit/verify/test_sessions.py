import hashlib

import pytest

from .lakes import HOUR, NOON, line, ms, oracle_of

AT = ms(NOON)

# The fact, events as (id, second, type, page view), and the groups that share a session. The job is held against
# these too.
CASES = [
    ("a_gap_of_exactly_30_minutes_stays", [("a", 0, "page_view", None), ("b", 1800, "click", None)], ["ab"]),
    ("a_longer_gap_splits", [("a", 0, "page_view", None), ("b", 1800.001, "click", None)], ["a", "b"]),
    (
        "a_leading_ping_is_no_member_and_has_no_session_without_its_page_view",
        [("a", 0, "page_ping", "p9"), ("b", 10, "page_view", "p1")],
        ["b"],
    ),
    (
        "a_late_leave_takes_the_session_of_its_page_view",
        [("a", 0, "page_view", "p1"), ("b", 7200, "page_leave", "p1"), ("c", 7300, "page_view", "p2")],
        ["ab", "c"],
    ),
    (
        "a_ping_within_the_island_extends_it",
        [("a", 0, "page_view", "p1"), ("b", 1700, "page_ping", "p1"), ("c", 3400, "click", "p1")],
        ["abc"],
    ),
    ("pings_alone_are_no_session", [("a", 0, "page_ping", "p1"), ("b", 60, "page_leave", "p1")], []),
    (
        "a_page_left_within_23_hours_has_its_session",
        [("a", 0, "page_view", "p1"), ("b", 82_800, "page_leave", "p1")],
        ["ab"],
    ),
    (
        "a_page_left_more_than_23_hours_later_has_no_session",
        [("a", 0, "page_view", "p1"), ("b", 82_801, "page_leave", "p1")],
        ["a"],
    ),
    ("events_in_one_instant_are_ordered_by_id", [("b", 0, "click", None), ("a", 0, "page_view", None)], ["ab"]),
]


@pytest.mark.parametrize(("events", "groups"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_sessions(events, groups):
    lines = [line(name, AT + int(second * 1000), kind, page_view_id=page) for name, second, kind, page in events]
    found: dict[str, list[str]] = {}
    for event in oracle_of(lines).outcomes.events:
        if event.session_id:
            found.setdefault(event.session_id, []).append(event.event_id)
    assert sorted("".join(sorted(ids)) for ids in found.values()) == sorted(groups)


def test_a_chain_of_activity_is_cut_every_24_hours():
    oracle = oracle_of([line(f"{number:03}", AT + number * HOUR // 2, "click") for number in range(100)])
    assert sorted(len(each.session.members) for each in oracle.sessions.values()) == [4, 48, 48]


def test_the_id_is_made_of_the_visitor_and_the_first_event():
    [event] = oracle_of([line("first")]).outcomes.events
    named = f"v\nfirst\n{event.ts_date:%Y-%m-%d}".encode()
    assert event.session_id == hashlib.sha256(named).hexdigest()[:32]


@pytest.mark.parametrize(
    "fields", [{"is_bot": True}, {"is_test": True}, {"origin": "server"}, {"origin": "import"}, {"anonymous_id": None}]
)
def test_bots_tests_servers_imports_and_events_without_consent_have_none(fields):
    assert not oracle_of([line("a", **fields)]).sessions


def test_engagement_is_the_greatest_of_each_page_view_and_a_lost_ping_changes_nothing():
    told = [("p1", 3_000), ("p1", 9_000), ("p1", 9_000), ("p2", 500)]
    pings = [
        line(str(number), AT + number, "page_ping", page_view_id=page, props={"engaged_ms": engaged})
        for number, (page, engaged) in enumerate(told, 1)
    ]
    [sourced] = oracle_of([line("0", page_view_id="p1"), *pings]).sessions.values()
    assert sourced.session.engaged_ms == 9_500
    assert (sourced.session.is_engaged, sourced.session.is_bounce) == (False, True)


def test_a_late_leave_adds_its_engagement_and_nothing_else():
    lines = [
        line("a", page_view_id="p1"),
        line("b", AT + 2 * HOUR, "page_leave", page_view_id="p1", props={"engaged_ms": 12_000}),
    ]
    [sourced] = oracle_of(lines).sessions.values()
    assert (sourced.session.engaged_ms, sourced.session.ended_at, sourced.session.is_engaged) == (12_000, AT, True)


def test_funnel_steps_come_in_order_each_strictly_after_the_one_before():
    def steps(*event_types: str) -> int:
        lines = [line(str(place), AT + place, kind) for place, kind in enumerate(event_types)]
        [sourced] = oracle_of(lines).sessions.values()
        return len(sourced.session.funnel)

    assert steps("view_item", "add_to_cart", "begin_checkout", "purchase") == 4
    assert steps("add_to_cart", "view_item", "begin_checkout", "purchase") == 1
    assert steps("add_to_cart", "begin_checkout", "purchase") == 0
    assert steps("view_item", "view_item", "add_to_cart") == 2


def test_a_late_event_between_two_sessions_makes_them_one():
    apart = [line("a"), line("c", AT + 40 * 60_000)]
    assert len(oracle_of(apart).sessions) == 2
    bridge = line("b", AT + 20 * 60_000, received_at=AT + 9 * 24 * HOUR, sent_at=AT + 9 * 24 * HOUR)
    assert len(oracle_of([*apart, bridge]).sessions) == 1
