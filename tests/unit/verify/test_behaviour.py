import pytest

from .lakes import NOON, line, ms, oracle_of

AT = ms(NOON)
SDK = "clicklake-js/1.0.0"


def pages(gaps_ms: list[int], **fields) -> list[dict]:
    """A page view, and one more after each of these times; none tells engagement."""
    at, lines = AT, [line("p00", AT, **fields)]
    for number, gap in enumerate(gaps_ms, 1):
        at += gap
        lines.append(line(f"p{number:02}", at, **fields))
    return lines


UNEVEN = [4_000, 9_000, 15_000, 30_000, 5_000, 60_000, 8_000, 20_000, 11_000, 90_000, 7_000]
CASES = [
    ("nine_times_in_under_a_second_each", pages([100, 1_799] * 4 + [101]), ["too_fast"]),
    ("nine_times_in_a_second_each", pages([100, 1_900] * 4 + [1_000]), []),
    ("eight_times_in_under_a_second", pages([100, 1_799] * 4), []),
    ("seven_times_alike", pages([5_000] * 7), ["too_regular"]),
    ("six_times_alike", pages([5_000] * 6), []),
    ("a_tenth_apart", pages([9_500] + [10_000] * 5 + [10_500]), ["too_regular"]),
    ("more_than_a_tenth_apart", pages([9_499] + [10_000] * 5 + [10_501]), []),
    ("alike_and_fast", pages([500] * 9), ["too_fast", "too_regular"]),
    ("all_in_one_instant", pages([0] * 9), ["too_fast"]),
    ("twelve_pages_without_engagement", pages(UNEVEN, sdk=SDK), ["no_engagement"]),
    ("eleven_pages_without_engagement", pages(UNEVEN[:-1], sdk=SDK), []),
    ("a_sender_that_tells_no_engagement", pages(UNEVEN, sdk="gtm-bridge/0.1"), []),
    (
        "a_second_in_the_foreground",
        [*pages(UNEVEN, sdk=SDK), line("x", AT + 1, "page_ping", sdk=SDK, props={"engaged_ms": 1_000})],
        [],
    ),
    ("a_ping_that_tells_none", [*pages(UNEVEN, sdk=SDK), line("x", AT + 1, "page_ping", sdk=SDK)], ["no_engagement"]),
    ("a_click", [*pages(UNEVEN, sdk=SDK), line("x", AT + 1, "click", sdk=SDK)], []),
    ("a_purchase", [*pages([5_000] * 7), line("x", AT + 1, "purchase", order_id="o")], []),
    ("a_verified_user", [*pages([5_000] * 7), line("x", AT + 1, "click", user_id="1.a")], []),
    ("pages_without_a_time_of_their_own", pages([5_000] * 7, sent_at=AT - 60_000), []),
    ("a_pause_among_them", pages([5_000] * 3 + [1_800_001] + [5_000] * 3), []),
    ("nothing_but_a_declared_bot", pages([5_000] * 7, is_bot=True, bot_reasons=["user_agent"]), ["user_agent"]),
]


@pytest.mark.parametrize(("lines", "reasons"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_why_a_visit_is_a_bots(lines, reasons):
    events = oracle_of(lines).outcomes.events
    assert {event.bot_reasons for event in events} == {tuple(reasons)}
    assert {event.is_bot for event in events} == {bool(reasons)}


def test_a_visit_set_aside_is_no_session_and_keeps_the_id_it_would_have_had():
    behaving, person = pages([5_000] * 7), line("x", AT + 1, "click", user_id="1.a")
    aside = oracle_of(behaving)
    assert not aside.sessions and {event.session_id for event in aside.outcomes.events} == {None}
    [session_id] = oracle_of([*behaving, person]).sessions
    assert {event.set_aside_session_id for event in aside.outcomes.events} == {session_id}
    [total] = [row for row in aside.tables["daily_traffic"] if row["dimension"] == "total"]
    assert (total["events"], total["bot_events"], total["set_aside_events"], total["set_aside_sessions"]) == (
        0,
        8,
        8,
        1,
    )
