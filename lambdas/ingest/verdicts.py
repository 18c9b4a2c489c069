"""Judges a request's events one by one: every one becomes a line, accepted or rejected. Pure."""

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field

from clicklake.contract.limits import MAX_EVENTS
from clicklake.contract.raw import RawLine
from clicklake.contract.reasons import MEANING, Reason, Refusal
from clicklake.contract.usual import read_events
from lambdas.ingest.answers import Rejection
from lambdas.ingest.lines import Batch, Rules, accepted_lines, rejected_line
from lambdas.ingest.unpack import Body, Refused


@dataclass(slots=True)
class Verdicts:
    """The lines to write, in the order of the events. `refused` is the answer where the body as a whole
    could not be read: its one line is written all the same."""

    lines: list[RawLine] = field(default_factory=list)
    accepted_ids: list[str] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    refused: Refused | None = None


def judge(
    body: Body, batch: Batch, rules: Rules, find_recent: Callable[[Collection[str]], Set[str]]
) -> Verdicts | Refused:
    """`find_recent` knows which ids were stored just now: their lines are marked, and written like the others."""
    split = read_events(body.content, body.kind, accept_flat=rules.accept_flat)
    if split.refusal is not None:
        reason = split.refusal.reason
        return judge_unreadable(Refused(400, str(reason), MEANING[reason], body.content), batch, rules)
    if len(split.events) > MAX_EVENTS:
        return Refused(413, "too_many_events", f"a request has at most {MAX_EVENTS} events")
    verdicts = Verdicts()
    make_line = accepted_lines(batch, rules, split.sent_at)
    for position, event in enumerate(split.events):
        line = make_line(event, position)
        if isinstance(line, Refusal):
            refusal, line = line, rejected_line(line, event, batch, rules, position=position)
            verdicts.rejections.append(Rejection(position, str(refusal.reason), line.field))
        else:
            verdicts.accepted_ids.append(line.event_id)
        verdicts.lines.append(line)
    recent = find_recent(verdicts.accepted_ids)
    for line in verdicts.lines if recent else ():
        if line.event_id in recent:
            line.maybe_repeat = True
    return verdicts


def judge_unreadable(refused: Refused, batch: Batch, rules: Rules) -> Verdicts:
    """A body that is not what it should be is one rejected line, so that nothing vanishes."""
    reason = Reason(refused.error)
    line = rejected_line(Refusal(reason), refused.unreadable or b"", batch, rules, position=0)
    return Verdicts([line], rejections=[Rejection(0, str(reason), None)], refused=refused)
