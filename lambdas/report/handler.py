"""Renders the report after a refresh and puts it where administrators read it.

Called by EventBridge when a run of the job has succeeded; by hand with an empty input.
"""

import os
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from clicklake.athena import AthenaEngine
from clicklake.endpoints import client
from clicklake.log_line import log_line
from clicklake.paths import REPORT_KEY
from dashboards.report.figures import Engine
from dashboards.report.page import render
from lambdas.report.settings import Settings

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return _deployed()(event, context)


@lru_cache(maxsize=1)
def _deployed() -> Handler:
    settings = Settings.from_environment(os.environ)
    return make_handler(
        settings, AthenaEngine(settings.database, settings.workgroup), s3=client("s3"), glue=client("glue")
    )


def make_handler(
    settings: Settings,
    engine: Engine,
    *,
    s3: Any,
    glue: Any,
    clock: Callable[[], float] = time.time,
    write_log: Callable[[str], object] = print,
) -> Handler:
    def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
        started = clock()
        page = render(engine).encode("utf-8")
        s3.put_object(Bucket=settings.lake_bucket, Key=REPORT_KEY, Body=page, ContentType="text/html; charset=utf-8")
        run = (event.get("detail") or {}) if event.get("source") == "aws.glue" else {}
        metrics = {"RefreshSeconds": seconds_of(glue, run)} if run else {}
        fields = {
            "level": "INFO",
            "request_id": getattr(context, "aws_request_id", ""),
            "milliseconds": int((clock() - started) * 1000),
            "page_bytes": len(page),
        }
        write_log(
            log_line(
                "report",
                fields,
                metrics,
                units={"RefreshSeconds": "Seconds"},
                namespace=settings.metrics_namespace,
                logged_at_ms=int(clock() * 1000),
            )
        )
        return {"page_bytes": len(page)}

    return handle


def seconds_of(glue: Any, run: dict[str, Any]) -> int:
    """How long a run of the job took, as Glue bills it."""
    return glue.get_job_run(JobName=run["jobName"], RunId=run["jobRunId"])["JobRun"].get("ExecutionTime", 0)
