"""`clicklake up`: the platform live on one machine, until Ctrl-C."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone

from werkzeug.wrappers import Request, Response

from clicklake.cli.show import console
from clicklake.local import twin
from clicklake.local.authorizer import UserPool
from clicklake.local.gateway import Cors, Gateway
from clicklake.local.http_server import HttpServer
from clicklake.local.job_process import running_job
from clicklake.local.places import TwinError, write_atomically
from clicklake.local.sql import QueryError, connect
from clicklake.local.twin import (
    EDGE,
    INGEST_LOG,
    REPORT,
    SPARK_LOG,
    ingest_settings,
    job_arguments,
    shop_event,
)
from clicklake.shop import ORIGIN, live
from dashboards.report.page import render
from lambdas.ingest.handler import make_handler
from lambdas.ingest.store import connect as connect_ingest

_WAITING = "<!doctype html><meta charset=utf-8><p>The first refresh is at work; wait here."
DEMO_USER = "ann"


def run_up(
    *,
    gateway_port: int,
    report_port: int,
    emulator_port: int,
    profile: str,
    seed: int,
    speed: float,
    every_seconds: int,
) -> None:
    stop = threading.Event()
    with ExitStack() as ending:
        report = HttpServer(Request.application(_serve_report), report_port, "the report")
        ending.callback(report.stop)
        with console.status("Starting the emulator ..."):
            running = ending.enter_context(twin.running(emulator_port))
            pool = UserPool.create(running.emulator)
        INGEST_LOG.parent.mkdir(parents=True, exist_ok=True)
        log = ending.enter_context(open(INGEST_LOG, "w", encoding="utf-8", buffering=1))
        handler = make_handler(
            ingest_settings(running.lake), connect_ingest(), write_log=lambda line: log.write(line + "\n")
        )
        gateway = Gateway(
            handler,
            port=gateway_port,
            cors=Cors((ORIGIN,)),
            authorizer=pool.authorizer(),
            report_error=log.write,
        )
        ending.callback(gateway.stop)
        REPORT.unlink(missing_ok=True)
        job = ending.enter_context(running_job(running.lake, SPARK_LOG, stays=True))
        gateway.start()
        report.start()
        visitors = threading.Thread(target=_send_live, args=(gateway, profile, seed, speed, stop), daemon=True)
        visitors.start()
        ending.callback(visitors.join, 5)
        ending.callback(stop.set)
        _print_addresses(gateway, report, running.lake.endpoint_url, pool.sign_in(DEMO_USER))
        engine = connect(running.lake.endpoints(), running.lake.database)
        while True:
            begun = time.monotonic()
            if not running.emulator.is_running():
                raise TwinError("The emulator has ended, and the lake with it: start again with `clicklake up`.")
            answer = job.run(job_arguments(running.lake))
            console.print(f"{datetime.now():%H:%M:%S}  {answer['sentence']}", markup=False)
            if answer["is_changed"]:
                try:
                    write_atomically(REPORT, render(engine))
                except QueryError as error:
                    console.print(f"The report was not written: {error}", markup=False)
            time.sleep(max(0.0, every_seconds - (time.monotonic() - begun)))


def _print_addresses(gateway: Gateway, report: HttpServer, emulator_url: str, token: str) -> None:
    say: Callable[[str], None] = lambda text: console.print(text, markup=False, soft_wrap=True)  # noqa: E731
    say(f"Report     http://127.0.0.1:{report.port}/")
    say(f"Gateway    {gateway.url}/v1/events")
    say(f"           {gateway.url}/v1/user/events (token of a demo user in build/logs/token)")
    say(f"Emulator   {emulator_url}")
    say("Ask it     clicklake query kpis")
    say(
        "Send one   curl -H 'content-type: application/json' -d '{\"event_type\":\"page_view\"}' "
        + f"{gateway.url}/v1/events"
    )
    say("Ctrl-C ends it all.")
    write_atomically(INGEST_LOG.with_name("token"), token)


def _send_live(gateway: Gateway, profile: str, seed: int, speed: float, stop: threading.Event) -> None:
    start = datetime.now(timezone.utc)
    for number, request in enumerate(live(profile, seed, start=start, speed=speed, edge=EDGE)):
        if stop.wait(max(0.0, request.received_at_ms / 1000 - time.time())):
            return
        gateway.call(shop_event(request, f"up-{start.timestamp()}-{seed}:{number}"))


def _serve_report(request: Request) -> Response:
    if request.path != "/":
        return Response("Not found\n", 404)
    try:
        text = REPORT.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = _WAITING
    return Response(
        text, content_type="text/html; charset=utf-8", headers={"refresh": "30", "cache-control": "no-store"}
    )
