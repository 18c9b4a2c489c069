import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clicklake.paths import GATE_KEY, hour_prefix, raw_key
from lambdas.gate.handler import make_handler
from lambdas.gate.news import MAX_SILENCE, Run, Seen, hours_to_look_at, hours_to_remember, look
from lambdas.gate.settings import Settings
from lambdas.gate.store import Clients

NOON = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
SETTINGS = Settings(lake_bucket="lake", refresh_job="refresh")


@dataclass
class MemoryS3:
    objects: dict[str, bytes] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": BytesIO(self.objects[Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, **_: Any) -> dict[str, Any]:
        self.listed.append(Prefix)
        return {"KeyCount": sum(key.startswith(Prefix) for key in self.objects)}

    def get_paginator(self, _: str) -> "MemoryS3":
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        return [self.list_objects_v2(**asked)]


@dataclass
class MemoryGlue:
    """A job that takes one run at a time. Runs are the newest first, as Glue lists them."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    arguments: list[dict[str, str]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    is_busy: bool = False

    def get_job_runs(self, *, JobName: str, MaxResults: int) -> dict[str, Any]:
        return {"JobRuns": self.runs[:MaxResults]}

    def start_job_run(self, *, JobName: str, Arguments: dict[str, str], ExecutionClass: str) -> None:
        if self.is_busy:
            raise ClientError({"Error": {"Code": "ConcurrentRunsExceededException"}}, "StartJobRun")
        self.arguments.append(Arguments)
        self.classes.append(ExecutionClass)

    def ended(self, state: str, at: datetime, **arguments: str) -> None:
        given = {f"--{name}": value for name, value in arguments.items()}
        self.runs.insert(0, {"JobRunState": state, "StartedOn": at, "Arguments": given})


@dataclass
class Gate:
    s3: MemoryS3 = field(default_factory=MemoryS3)
    glue: MemoryGlue = field(default_factory=MemoryGlue)
    now: datetime = NOON
    logs: list[dict[str, Any]] = field(default_factory=list)

    def call(self, task: str = "refresh", **more: str) -> str:
        handle = make_handler(
            SETTINGS,
            Clients(self.s3, self.glue),
            clock=self.now.timestamp,
            write_log=lambda line: self.logs.append(json.loads(line)),
        )
        return handle({"task": task, **more}, None)["outcome"]

    def event_arrives(self, name: str) -> None:
        self.s3.objects[raw_key(name, 1, self.now)] = b""

    def refreshes(self) -> None:
        """Lets a refresh through, and lets it go well."""
        assert self.call() == "started"
        self.glue.ended("SUCCEEDED", self.now)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_the_first_call_starts_a_run_that_makes_the_tables(gate):
    assert gate.call() == "started"
    assert GATE_KEY in gate.s3.objects


def test_nothing_new_starts_nothing(gate):
    gate.event_arrives("a")
    gate.refreshes()
    gate.now += timedelta(hours=1)
    assert gate.call() == "nothing_new"
    assert len(gate.glue.arguments) == 1


@pytest.mark.parametrize("minutes_later", [0, 1, 45, 24 * 60])
def test_one_new_object_starts_a_run(gate, minutes_later):
    gate.event_arrives("a")
    gate.refreshes()
    gate.now += timedelta(minutes=minutes_later)
    gate.event_arrives("b")
    gate.now += timedelta(minutes=1)
    assert gate.call() == "started"


def test_an_object_that_ends_late_under_an_earlier_hour_is_seen(gate):
    gate.now = NOON.replace(hour=11, minute=59)
    late = raw_key("late", 1, gate.now)
    gate.now = NOON
    gate.refreshes()
    gate.s3.objects[late] = b""
    assert gate.call() == "started"


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "STOPPED", "ERROR"])
def test_a_failed_run_is_repeated_without_anything_new(gate, state):
    gate.refreshes()
    gate.glue.ended(state, gate.now)
    gate.now += timedelta(hours=1)
    assert gate.call() == "started"


@pytest.mark.parametrize("command", ["reparse", "rebuild"])
def test_a_failed_refresh_is_repeated_although_another_command_went_well(gate, command):
    gate.refreshes()
    gate.glue.ended("FAILED", gate.now)
    gate.glue.ended("SUCCEEDED", gate.now + timedelta(minutes=10), command=command)
    gate.now += timedelta(hours=1)
    assert gate.call() == "started"


def test_what_a_failed_reparse_left_is_undone_by_a_refresh(gate):
    gate.refreshes()
    gate.glue.ended("FAILED", gate.now + timedelta(minutes=10), command="reparse")
    gate.now += timedelta(hours=1)
    assert gate.call() == "started"


def test_while_a_run_is_at_work_what_came_since_is_not_taken_for_seen(gate):
    gate.refreshes()
    gate.event_arrives("b")
    gate.glue.is_busy = True
    assert gate.call() == "already_running"
    gate.glue.is_busy = False
    assert gate.call() == "started"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"started_at": "2026-05-01T12:00:00", "counts": {}}'])
def test_a_damaged_memory_starts_a_run(gate, damage):
    gate.refreshes()
    gate.s3.objects[GATE_KEY] = damage
    assert gate.call() == "started"


def test_after_a_long_silence_a_run_is_cheaper_than_looking(gate):
    gate.refreshes()
    gate.now += timedelta(days=30)
    assert hours_to_look_at(Seen(NOON, {}), gate.now) is None
    assert gate.call() == "started"


def test_a_clock_that_went_back_is_doubt():
    assert hours_to_look_at(Seen(NOON + timedelta(minutes=1), {}), NOON) is None


def test_reconcile_starts_a_run_that_lists_everything(gate):
    gate.refreshes()
    assert gate.call("reconcile") == "started"
    assert gate.glue.arguments[-1] == {"--reconcile": "true"}


@pytest.mark.parametrize("remembers", [True, False])
def test_a_reconcile_that_met_a_run_at_work_is_made_up_for_by_the_next_start(gate, remembers):
    if remembers:
        gate.refreshes()
    gate.glue.is_busy = True
    assert gate.call("reconcile") == "already_running"
    gate.glue.is_busy = False
    assert gate.call("measure") == "measured"
    assert gate.call() == "started"
    assert gate.glue.arguments[-1] == {"--reconcile": "true"}
    gate.glue.ended("SUCCEEDED", gate.now)
    gate.event_arrives("b")
    assert gate.call() == "started"
    assert gate.glue.arguments[-1] == {}


def test_what_came_while_a_reconcile_was_put_off_is_not_taken_for_seen(gate):
    gate.refreshes()
    gate.event_arrives("b")
    gate.glue.is_busy = True
    gate.call("reconcile")
    gate.glue.is_busy = False
    assert gate.call("measure") == "measured"
    assert gate.logs[-1]["reason"] == "new_objects"


def test_measuring_starts_nothing_and_tells_how_long_news_have_waited(gate):
    gate.refreshes()
    gate.now += timedelta(minutes=90)
    assert gate.call("measure") == "measured"
    gate.event_arrives("b")
    gate.now += timedelta(hours=2, minutes=15)
    gate.event_arrives("c")
    assert gate.call("measure") == "measured"
    assert [line.get("MinutesBehind") for line in gate.logs] == [None, 0, 135]
    assert len(gate.glue.arguments) == 1


def test_what_comes_after_quiet_days_has_not_waited_for_days(gate):
    gate.refreshes()
    gate.now += timedelta(hours=49)
    gate.event_arrives("b")
    gate.call("measure")
    assert gate.logs[-1]["MinutesBehind"] == 30  # the hour is known, not the minute


def test_what_a_run_of_somebody_else_took_in_does_not_wait(gate):
    gate.refreshes()
    gate.now += timedelta(hours=2)
    gate.event_arrives("b")
    gate.now += timedelta(hours=1)
    gate.glue.ended("SUCCEEDED", gate.now)
    gate.now += timedelta(minutes=20)
    gate.call("measure")
    assert gate.logs[-1]["MinutesBehind"] == 20


def test_after_a_failure_everything_since_the_last_good_run_may_wait(gate):
    gate.refreshes()
    gate.glue.ended("FAILED", gate.now + timedelta(hours=1))
    gate.now += timedelta(hours=2)
    gate.call("measure")
    assert gate.logs[-1]["MinutesBehind"] == 120


def test_a_silence_too_long_to_look_through_is_no_wait(gate):
    gate.refreshes()
    gate.now += MAX_SILENCE + timedelta(minutes=40)
    gate.call("measure")
    assert (gate.logs[-1]["reason"], gate.logs[-1]["MinutesBehind"]) == ("unknown", 40)


def test_an_owed_reconcile_is_no_wait(gate):
    gate.refreshes()
    gate.glue.is_busy = True
    gate.call("reconcile")
    gate.now += timedelta(hours=3)
    gate.call("measure")
    assert (gate.logs[-1]["reason"], gate.logs[-1]["MinutesBehind"]) == ("reconcile", 0)


def test_what_is_new_is_found_in_the_newest_hour_without_listing_a_day(gate):
    gate.refreshes()
    gate.now += timedelta(hours=20)
    gate.event_arrives("b")
    gate.glue.is_busy = True
    gate.s3.listed.clear()
    assert gate.call() == "already_running"
    assert gate.s3.listed[:2] == [GATE_KEY, hour_prefix(gate.now)]
    assert len(gate.s3.listed) == 2 + len(hours_to_remember(gate.now))


def test_a_busy_shops_wait_is_measured_without_listing_a_day(gate):
    gate.refreshes()
    gate.event_arrives("b")
    gate.now += timedelta(hours=20)
    gate.s3.listed.clear()
    gate.call("measure")
    assert gate.s3.listed == [GATE_KEY, *hours_to_remember(NOON)]


def test_a_schedule_may_start_a_run_that_waits_and_a_person_does_not(gate):
    gate.call(execution_class="FLEX")
    gate.call("reconcile", execution_class="FLEX")
    gate.call("reconcile")
    assert gate.glue.classes == ["FLEX", "FLEX", "STANDARD"]


def test_the_measure_is_a_metric_in_the_log_line(gate):
    gate.call("measure")
    directive = gate.logs[0]["_aws"]["CloudWatchMetrics"][0]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Clicklake", [["service"]])
    assert directive["Metrics"] == [{"Name": "MinutesBehind", "Unit": "None"}]


def test_an_unknown_task_is_said(gate):
    with pytest.raises(ValueError, match="refresh, reconcile, measure"):
        gate.call("dance")


@pytest.mark.parametrize("state", ["RUNNING", "STARTING"])
def test_a_run_under_way_is_no_failure(state):
    assert look(Seen(NOON, {}), [Run(state, NOON)], NOON, lambda prefix: 0).reason == ""


@pytest.mark.parametrize("name", ["LAKE_BUCKET", "REFRESH_JOB"])
def test_a_missing_name_is_said(name):
    environment = {"LAKE_BUCKET": "lake", "REFRESH_JOB": "refresh"} | {name: ""}
    with pytest.raises(ValueError, match=name):
        Settings.from_environment(environment)
