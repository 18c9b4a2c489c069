"""The lake beside what really happened. What a browser could not know is counted and named; nothing else may differ.

Every figure starts from the truth and gets to the lake in stated steps: what had not arrived, who did not consent,
which clocks were wrong. A step is a count made from the truth alone, so a wrong number cannot hide in it. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from clicklake.shop.truth import FUNNEL, PASSIVE, TrueEvent, TrueLine, TrueOrder, TrueSession, TrueVisit, Truth, cut
from clicklake.verify.checks import Check, LakeSide
from clicklake.verify.clock import place_in_time, ts_date
from clicklake.verify.compare import is_same
from clicklake.verify.rules import DAY_MS
from clicklake.verify.sessions import name_session

# The simulated shop counts unknown consent as granted; see SHOP_ENVIRONMENT in clicklake/local/twin.py.
REFUSED = "denied"
DECLARED_BOT = "declared"
# How the shop's ways to be found are called in reports.
CHANNELS = {
    "direct": "Direct",
    "organic_search": "Organic Search",
    "paid_search": "Paid Search",
    "paid_shopping": "Paid Shopping",
    "organic_social": "Organic Social",
    "paid_social": "Paid Social",
    "email": "Email",
    "display": "Display",
    "video": "Organic Video",
    "referral": "Referral",
    "ai_assistant": "AI Assistants",
    "affiliate": "Affiliates",
}
_BACKDATED_MS = 30 * DAY_MS
# A visit of fewer pages may be anybody's.
_TELLING_PAGES = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as the lake could know it: `happened_at` is by the clocks, which may be wrong."""

    event_id: str
    event_type: str
    happened_at: int
    truth: TrueEvent
    visit: TrueVisit


def check_truth(truth: Truth, lake: LakeSide) -> list[Check]:
    """What was sent, when it happened, who came, what they bought: the truth beside the lake."""
    known = _Known(truth, _set_aside(lake))
    return [
        *_lines(known, lake),
        *_times(known, lake),
        *_apart(known, lake),
        *_orders(known, lake),
        *_sessions(known, lake),
        *_people(known, lake),
        *_channels(known, lake),
    ]


def _set_aside(lake: LakeSide) -> frozenset[str]:
    table = lake.tables["events"]
    pairs = zip(table["event_id"], table["set_aside_session_id"], strict=True)
    return frozenset(event_id for event_id, session_id in pairs if session_id)


class _Known:
    """The truth, ordered for looking things up. `set_aside` are the events that the lake took for a bot's by their
    visit's behaviour: whether rightly is a check of its own, and from there on they count as such."""

    def __init__(self, truth: Truth, set_aside: frozenset[str]) -> None:
        self.truth = truth
        self.set_aside = set_aside
        self.visits = {visit.visit: visit for visit in truth.visits}
        self.events = {event.event_id: event for event in truth.events}
        self.first_lines: dict[str, TrueLine] = {}
        for line in truth.lines:
            first = self.first_lines.get(line.event_id) if line.event_id else None
            if line.event_id and (first is None or line.received_at < first.received_at):
                self.first_lines[line.event_id] = line

    def visit_of(self, event_id: str) -> TrueVisit:
        return self.visits[self.events[event_id].visit]

    def session_id(self, visitor_id: str, session: TrueSession) -> str:
        first = session.first_event_id
        return name_session(visitor_id, first, ts_date(self.first_lines[first].ts))

    @cached_property
    def arrived(self) -> list[Seen]:
        """Every event that was received, once, at the time its first copy tells."""
        return [self._seen(line) for line in self.first_lines.values()]

    def _seen(self, line: TrueLine) -> Seen:
        event = self.events[line.event_id]
        placed = place_in_time(line.ts, line.sent_at, line.received_at)
        return Seen(event.event_id, event.event_type, placed.occurred_at, event, self.visits[event.visit])

    @cached_property
    def counted(self) -> list[Seen]:
        """Of these the ones that belong to visitors: consented, of no known bot, no test; in order of time."""
        found = [
            seen
            for seen in self.arrived
            if seen.truth.analytics != REFUSED
            and seen.visit.bot != DECLARED_BOT
            and not seen.visit.is_test
            and seen.event_id not in self.set_aside
        ]
        return sorted(found, key=lambda seen: (seen.truth.anonymous_id, seen.happened_at, seen.event_id))

    @cached_property
    def visits_of_visitor(self) -> Mapping[str, list[TrueVisit]]:
        found: dict[str, list[TrueVisit]] = defaultdict(list)
        for visit in self.truth.visits:
            found[visit.visitor].append(visit)
        return found

    @cached_property
    def by_visitor(self) -> Mapping[str, list[Seen]]:
        found: dict[str, list[Seen]] = defaultdict(list)
        for seen in self.counted:
            found[seen.truth.anonymous_id].append(seen)
        return found


# Lines


def _lines(known: _Known, lake: LakeSide) -> Iterator[Check]:
    lines = known.truth.lines
    ledger = lake.views["ledger"][0] if lake.views["ledger"] else {}
    sound = sum(line.event_id is not None for line in lines)
    requests = len({line.request for line in lines})
    yield _count("lines received", ledger.get("received"), len(lines), f"in {requests:,} requests")
    found, sent = set(lake.tables["events"]["event_id"]), known.first_lines.keys()
    unsent = len(known.events) - len(sent)
    lost, foreign = len(sent - found), len(found - sent)
    remark = f"of {len(known.events):,} that happened, {unsent:,} had not been sent by the end"
    if lost or foreign:
        remark = f"{lost:,} were sent and are not stored, {foreign:,} are stored and were never sent"
    yield Check("truth", "events stored", f"{len(found):,}", f"{len(sent):,}", not (lost or foreign), remark)
    yield _count("lines that repeat", ledger.get("duplicate"), sound - len(sent), "batches whose answer was lost")
    refused = Counter(lake.tables["quarantine"]["reason"])
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        if line.event_id is None:
            kinds[line.reason][line.malformed] += 1
    for reason in sorted({*refused, *kinds}):
        told = ", ".join(f"{count:,} {kind}" for kind, count in kinds[reason].most_common())
        yield _count(f"refused as {reason}", refused[reason], kinds[reason].total(), told)


# Time


def _times(known: _Known, lake: LakeSide) -> Iterator[Check]:
    """Each stored time is the true one, but for what the clock of its browser and the way of its batch explain."""
    table = lake.tables["events"]
    stored = dict(zip(table["event_id"], table["occurred_at"], strict=True))
    quality = dict(zip(table["event_id"], table["ts_quality"], strict=True))
    errors: dict[str, list[int]] = defaultdict(list)
    wrong = 0
    for seen in known.arrived:
        wrong += stored.get(seen.event_id) != seen.happened_at
        errors[quality.get(seen.event_id, "-")].append(abs(seen.happened_at - seen.truth.happened_at))
    told = "; ".join(
        f"{name}: {len(found):,}, off by {_seconds(sorted(found)[len(found) // 2])} in the middle"
        f" and {_seconds(max(found))} at most"
        for name, found in sorted(errors.items())
    )
    yield Check(
        "truth", "times of events", f"{len(stored):,}", f"{len(known.arrived):,}", wrong == 0,
        told if not wrong else f"{wrong:,} are neither true nor explained by the clock that showed them",
    )  # fmt: skip


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:,.1f} s" if milliseconds < 600_000 else f"{milliseconds / 3_600_000:,.1f} h"


# What is shown apart


def _apart(known: _Known, lake: LakeSide) -> Iterator[Check]:
    table = lake.tables["events"]
    refused = sum(seen.truth.analytics == REFUSED for seen in known.arrived)
    without = sum(visitor_id is None for visitor_id in table["visitor_id"])
    yield _count("events without consent", without, refused, "they have no visitor, no session and no channel")
    declared = sum(seen.visit.bot == DECLARED_BOT for seen in known.arrived)
    remark = f"{declared:,} of bots that say so, the others by their visits' behaviour"
    yield _count("events of bots", sum(table["is_bot"]), declared + len(known.set_aside), remark)
    yield _hidden_bots(known)
    tests = sum(seen.visit.is_test for seen in known.arrived)
    yield _count("events of the shop's own tests", sum(table["is_test"]), tests, "they count nowhere")


def _hidden_bots(known: _Known) -> Check:
    """What was set aside is of bots that say they are people, and of these all visits long enough to tell."""
    hidden = [seen for seen in known.arrived if seen.visit.bot not in ("", DECLARED_BOT)]
    of_people = known.set_aside - {seen.event_id for seen in hidden}
    missed: dict[str, int] = defaultdict(int)
    for seen in hidden:
        if seen.event_id not in known.set_aside:
            missed[seen.visit.visit] += seen.event_type == "page_view"
    unexplained = [visit for visit, page_views in missed.items() if page_views >= _TELLING_PAGES]
    remark = (
        f"of {len(hidden):,} of bots and scrapers that say they are people; {len(missed):,} of their visits have too"
        f" few pages to tell"
    )
    if of_people or unexplained:
        remark = f"{len(of_people):,} are of people, {len(unexplained):,} visits of bots were overlooked"
    return Check(
        "truth", "events of visits like a bot's", f"{len(known.set_aside):,}",
        f"{len(known.set_aside - of_people):,}", not of_people and not unexplained, remark,
    )  # fmt: skip


# Orders


def _orders(known: _Known, lake: LakeSide) -> Iterator[Check]:
    table = lake.tables["orders"]
    rows = {
        row["order_id"]: row
        for row in (dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True))
        if row["ordered_at"] is not None
    }
    purchases = {event.event_id for event in known.truth.events if event.event_type == "purchase"}
    told_visits = {known.events[event_id].visit for event_id in purchases & known.first_lines.keys()}
    orders = known.truth.orders
    tests = [order for order in orders if order.is_test]
    unsent = [order for order in orders if not order.is_test and order.visit not in told_visits]
    told = {order.order_id: order for order in orders if not order.is_test and order.visit in told_visits}
    given_back: Counter[str] = Counter()
    for refund in known.truth.refunds:
        given_back[refund.order_id] += refund.value if refund.event_id in known.first_lines else 0
    refused = sum(known.events[order.event_id].analytics == REFUSED for order in told.values())
    remark = (
        f"{len(orders):,} were made, {len(tests):,} of them as tests; {len(unsent):,} had not been sent by the end;"
        f" {refused:,} without consent count all the same"
    )
    is_same_set = rows.keys() == told.keys()
    yield Check("truth", "orders", f"{len(rows):,}", f"{len(told):,}", is_same_set, remark)
    for currency in sorted({order.currency for order in told.values()} | {row["currency"] for row in rows.values()}):
        of_lake = [row for row in rows.values() if row["currency"] == currency]
        of_truth = [order for order in told.values() if order.currency == currency]
        for name, expected in _money(of_truth, given_back):
            wrong = [
                order.order_id
                for order in of_truth
                if not is_same(rows.get(order.order_id, {}).get(name), dict(_money([order], given_back))[name])
            ]
            found = sum((row[name] for row in of_lake), Decimal(0))
            remark = f"not so in {len(wrong):,} orders, as in {wrong[0]}" if wrong else f"{len(of_truth):,} orders"
            is_sound = not wrong and found == expected
            yield Check("truth", f"{name} {currency}", f"{found:,.2f}", f"{expected:,.2f}", is_sound, remark)


def _money(orders: Iterable[TrueOrder], given_back: Mapping[str, int]) -> Iterator[tuple[str, Decimal]]:
    orders = list(orders)
    value = sum(order.value for order in orders)
    refunded = sum(given_back[order.order_id] for order in orders)
    yield "value", Decimal(value) / 100
    yield "tax", Decimal(sum(order.tax for order in orders)) / 100
    yield "shipping", Decimal(sum(order.shipping for order in orders)) / 100
    yield "refunded", Decimal(refunded) / 100
    yield "net_revenue", Decimal(value - refunded) / 100


# Sessions and the funnel


def _sessions(known: _Known, lake: LakeSide) -> Iterator[Check]:
    reasons: Counter[str] = Counter()
    expected: dict[str, TrueSession] = {}
    counted = {seen.event_id for seen in known.counted}
    shares = _events_of_sessions(known)
    for visit in known.truth.visits:
        for session in visit.sessions:
            reason = _why_not_counted(known, visit, shares[session.first_event_id], counted)
            reasons[reason] += 1
            if not reason:
                expected[session.first_event_id] = session
    seen_sessions = {
        known.session_id(visitor_id, session): session
        for visitor_id, events in known.by_visitor.items()
        for session in cut(events)
    }
    by_first = {session.first_event_id: session for session in seen_sessions.values()}
    table = lake.tables["sessions"]
    found = dict(zip(table["session_id"], table["events"], strict=True))
    changed = [
        first
        for first in expected.keys() | by_first.keys()
        if first not in expected or first not in by_first or expected[first].events != by_first[first].events
    ]
    unexplained = [first for first in changed if not _is_explained(known, first, shares, counted)]
    really = sum(reasons.values())
    told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common() if reason)
    remark = (
        f"{really:,} happened; left out: {told or 'none'}; {len(seen_sessions) - len(expected):+,} in sum as"
        f" {len(changed):,} begin or end elsewhere, because of wrong clocks or parts that were not received or not"
        f" consented to"
    )
    if unexplained:
        remark = f"{len(unexplained):,} differ from what happened without a cause, as the one of {unexplained[0]}"
    wrong = {key for key in found.keys() | seen_sessions.keys() if found.get(key) != _events(seen_sessions.get(key))}
    yield Check(
        "truth", "sessions", f"{len(found):,}", f"{len(seen_sessions):,}", not wrong and not unexplained,
        remark if not wrong else f"{len(wrong):,} sessions of the lake are not those that were sent",
    )  # fmt: skip
    steps = dict(zip(table["session_id"], table["funnel_step"], strict=True))
    for number, step in enumerate(FUNNEL, 1):
        in_lake = {key for key, reached in steps.items() if reached >= number}
        sent = {key for key, session in seen_sessions.items() if session.funnel >= number}
        happened = sum(session.funnel >= number for session in expected.values())
        remark = f"{happened:,} in these sessions as they happened; clocks and missing parts changed the rest"
        if in_lake != sent:
            remark = f"{len(in_lake ^ sent):,} sessions are on one side only"
        yield Check("truth", f"funnel {step}", f"{len(in_lake):,}", f"{len(sent):,}", in_lake == sent, remark)


def _events(session: TrueSession | None) -> int | None:
    return session.events if session else None


def _events_of_sessions(known: _Known) -> dict[str, list[TrueEvent]]:
    """The events of every true session, by the id of its first."""
    by_visit: dict[str, list[TrueEvent]] = defaultdict(list)
    for event in known.truth.events:
        by_visit[event.visit].append(event)
    return {
        session.first_event_id: [
            event for event in by_visit[visit.visit] if session.started_at <= event.happened_at <= session.ended_at
        ]
        for visit in known.truth.visits
        for session in visit.sessions
    }


def _why_not_counted(known: _Known, visit: TrueVisit, events: Sequence[TrueEvent], counted: set[str]) -> str:
    """Empty for a session that has to be there."""
    if visit.bot == DECLARED_BOT:
        return "of bots that say so"
    if visit.is_test:
        return "of the shop's own tests"
    if any(event.event_id in known.set_aside for event in events):
        return "of bots that behave like one"
    active = [event for event in events if event.event_type not in PASSIVE]
    if all(event.analytics == REFUSED for event in active):
        return "without consent"
    if not any(event.event_id in counted for event in active):
        return "not received by the end"
    return ""


def _is_explained(
    known: _Known, first_event_id: str, shares: Mapping[str, Sequence[TrueEvent]], counted: set[str]
) -> bool:
    """Whether a session that is not as it happened has a cause: a clock that moved events, or missing parts."""
    for visit in known.visits_of_visitor[known.visit_of(first_event_id).visitor]:
        for session in visit.sessions:
            for event in shares[session.first_event_id]:
                if event.event_id not in counted:
                    return True
                line = known.first_lines[event.event_id]
                seen = place_in_time(line.ts, line.sent_at, line.received_at).occurred_at
                if abs(seen - event.happened_at - visit.clock_ahead_ms) > 0:
                    return True
    return False


# People


def _people(known: _Known, lake: LakeSide) -> Iterator[Check]:
    active = [seen for seen in known.counted if seen.event_type not in PASSIVE]
    expected = {seen.truth.anonymous_id for seen in active}
    found = set(lake.tables["visitor_days"]["visitor_id"])
    browsers = {visit.visitor for visit in known.truth.visits}
    counted_browsers = {seen.visit.visitor for seen in active}
    remark = (
        f"{len(browsers):,} browsers came; {len(browsers - counted_browsers):,} are left out (bots that say so, tests,"
        f" no consent, nothing received); {len(expected) - len(counted_browsers):,} ids more, because a browser"
        f" without an answer to the question of consent has a new one in each visit"
    )
    yield Check("truth", "visitors", f"{len(found):,}", f"{len(expected):,}", found == expected, remark)
    names = _names(known)
    humans = defaultdict(set)
    for name, human in names:
        humans[human].add(name)
    persons = defaultdict(set)
    for name, human in names:
        persons[name].add(human)
    more = sum(len(each) - 1 for each in humans.values())
    fewer = sum(len(each) - 1 for each in persons.values())
    all_time = next((row for row in lake.views["kpis"] if row["period"] == "all" and row["metric"] == "persons"), {})
    remark = (
        f"{len(humans):,} people; {more:,} times one had a further name, where they did not sign in;"
        f" {fewer:,} times a name stood for one more of them"
    )
    yield _count("persons", all_time.get("value"), len(persons), remark)
    yield _users(known, lake)


def _names(known: _Known) -> set[tuple[str, str]]:
    """Which person of the lake each human counts as: who is signed in owns the browser until another one is, and
    30 days before the first."""
    found: set[tuple[str, str]] = set()
    for visitor_id, events in known.by_visitor.items():
        owners: list[tuple[int, str]] = []
        for seen in events:
            person = seen.truth.person
            if person and (not owners or owners[-1][1] != person):
                owners.append((seen.happened_at if owners else seen.happened_at - _BACKDATED_MS, person))
        days: dict[int, list[Seen]] = defaultdict(list)
        for seen in events:
            if seen.event_type not in PASSIVE:
                days[seen.happened_at // DAY_MS].append(seen)
        for of_day in days.values():
            first, last = of_day[0].happened_at, of_day[-1].happened_at
            for seen in of_day:
                found.add((_owner(owners, seen.happened_at) or visitor_id, seen.truth.person or seen.visit.human))
            # An owner of the day may have done nothing but close pages.
            found |= {(person, person) for since, person in owners if first < since <= last}
    return found


def _owner(owners: Sequence[tuple[int, str]], moment: int) -> str | None:
    return next((person for since, person in reversed(owners) if since <= moment), None)


def _users(known: _Known, lake: LakeSide) -> Check:
    """Every customer has one hashed name in the lake, and no two have the same."""
    table = lake.tables["events"]
    user_ids = dict(zip(table["event_id"], table["user_id"], strict=True))
    pairs = {
        (seen.truth.person, user_ids.get(seen.event_id))
        for seen in known.arrived
        if seen.truth.person and seen.truth.analytics != REFUSED
    }
    expected = {person for person, _ in pairs}
    found = {user_id for user_id in user_ids.values() if user_id}
    is_one_to_one = len(pairs) == len(expected) == len(found) and None not in {user for _, user in pairs}
    return Check(
        "truth", "customers who signed in", f"{len(found):,}", f"{len(expected):,}", is_one_to_one,
        f"of {len(known.truth.people):,} with an account, each under one hash",
    )  # fmt: skip


# Channels


def _channels(known: _Known, lake: LakeSide) -> Iterator[Check]:
    """Each session's channel is how its visit came, or the stated other one."""
    table = lake.tables["sessions"]
    channels = dict(zip(table["session_id"], table["channel"], strict=True))
    really: Counter[str] = Counter()
    told: Counter[str] = Counter()
    # From the channel they came by to the one they are told as, by the reason for it.
    dropped: Counter[tuple[str, str]] = Counter()
    later: Counter[tuple[str, str]] = Counter()
    merged: Counter[tuple[str, str]] = Counter()
    wrong: Counter[str] = Counter()
    first_events = {visit.sessions[0].first_event_id for visit in known.truth.visits if visit.sessions}
    for visitor_id, events in known.by_visitor.items():
        visit_of = {seen.event_id: seen.visit for seen in events}
        for session in cut(events):
            visit = visit_of[session.first_event_id]
            channel = channels.get(known.session_id(visitor_id, session), "-")
            truly, could_tell = CHANNELS[visit.channel], CHANNELS[visit.told_channel]
            really[truly] += 1
            told[channel] += 1
            if channel == truly:
                continue
            if channel == could_tell:
                dropped[truly, channel] += 1
            elif channel == "Direct" and session.first_event_id not in first_events:
                later[truly, channel] += 1
            elif channel in _other_ways(session, events):
                merged[truly, channel] += 1
            else:
                wrong[channel] += 1
    for channel in sorted(really.keys() | told.keys()):
        parts = [f"{really[channel]:,} came so"]
        for moved, why in (
            (dropped, "by an advertisement whose click id was not consented to"),
            (later, "in sessions that went on after a pause, away from their landing page"),
            (merged, "in sessions that hold several visits, whose times could not be told apart"),
        ):
            gone = sum(count for (truly, _), count in moved.items() if truly == channel)
            come = sum(count for (_, told_as), count in moved.items() if told_as == channel)
            parts += [f"{come:,} more {why}"] if come else []
            parts += [f"{gone:,} less {why}"] if gone else []
        if wrong[channel]:
            parts.append(f"{wrong[channel]:,} have it without a reason")
        yield Check(
            "truth", f"sessions by {channel}", f"{told[channel]:,}", f"{told[channel] - wrong[channel]:,}",
            not wrong[channel], "; ".join(parts),
        )  # fmt: skip


def _other_ways(session: TrueSession, events: Iterable[Seen]) -> set[str]:
    """How the other visits came that clocks have put into a session."""
    within = {seen.visit.told_channel for seen in events if session.started_at <= seen.happened_at <= session.ended_at}
    return {CHANNELS[channel] for channel in within}


def _count(name: str, lake: Any, expected: int, remark: str) -> Check:
    shown = "-" if lake is None else f"{int(lake):,}"
    return Check("truth", name, shown, f"{expected:,}", is_same(lake, expected), remark)
