"""The gate: starts the refresh job if something new may lie in raw/, so that a run with nothing new costs
nothing. The input names a task: refresh, reconcile (starts it whatever it sees, to list everything; while a run
is at work the next start does), or measure (starts nothing, and tells how far behind the lake is). It may name
Glue's execution_class: FLEX costs a third less and may wait for workers, for schedules where nobody waits.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from clicklake.log_line import log_line
from lambdas.gate.news import Seen, hours_to_remember, look
from lambdas.gate.settings import Settings
from lambdas.gate.store import Clients, connect, count_objects, last_runs, read_seen, start, write_seen

TASKS = ("refresh", "reconcile", "measure")

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    return make_handler(Settings.from_environment(os.environ), connect())


def make_handler(
    settings: Settings,
    clients: Clients,
    clock: Callable[[], float] = time.time,
    write_log: Callable[[str], object] = print,
) -> Handler:
    """The answer's `outcome` is started, already_running, nothing_new or measured; `reason` says why."""
    bucket, job = settings.lake_bucket, settings.refresh_job

    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        task = event.get("task", "refresh")
        if task not in TASKS:
            raise ValueError(f"task is {task!r}, expected one of {', '.join(TASKS)}")
        request_id = getattr(context, "aws_request_id", "")
        now = datetime.fromtimestamp(clock(), timezone.utc)
        seen = read_seen(clients.s3, bucket)
        news = look(seen, last_runs(clients.glue, job), now, count, oldest_first=task == "measure")

        if task == "measure":
            outcome = "measured"
        elif task == "refresh" and not news.reason:
            outcome = "nothing_new"
        else:
            outcome = let_through(task, seen, now, request_id, event.get("execution_class", "STANDARD"))
        answer = {"outcome": outcome, "reason": task if task == "reconcile" else news.reason}
        line = log_line(
            "gate",
            {"level": "INFO", "request_id": request_id, "task": task, **answer},
            {"MinutesBehind": news.minutes_behind(now)} if task == "measure" else {},
            units={"MinutesBehind": "None"},
            namespace=settings.metrics_namespace,
            logged_at_ms=int(clock() * 1000),
        )
        write_log(line)
        return answer

    def count(prefix: str) -> int:
        return count_objects(clients.s3, bucket, prefix)

    def let_through(task: str, seen: Seen | None, now: datetime, request_id: str, execution_class: str) -> str:
        # Counted before the job lists, and remembered after it was started: what comes in between, or a
        # gate that is killed in between, makes one run too many, never one too few.
        counts = {prefix: count(prefix) for prefix in hours_to_remember(now)}
        # Glue keeps a run's arguments: this one leads from the run to the line of the gate that started it.
        arguments = {"--correlation_id": request_id} if request_id else {}
        if task == "reconcile" or (seen is not None and seen.owes_reconcile):
            arguments["--reconcile"] = "true"
        if not start(clients.glue, job, arguments, execution_class):
            if task == "reconcile":
                write_seen(clients.s3, bucket, replace(seen or Seen.nothing(now), owes_reconcile=True))
            return "already_running"
        write_seen(clients.s3, bucket, Seen(now, counts))
        return "started"

    return handle
