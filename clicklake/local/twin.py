"""The platform on one machine: an emulator with a lake, the ingest function, the refresh job, SQL."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clicklake.local import emulator
from clicklake.local.emulator import EDGE_SECRET, Emulator, Lake
from clicklake.local.gateway import Handler, make_event
from clicklake.local.places import ROOT
from clicklake.shop import ORIGIN, Edge, Request
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients, connect

EDGE = Edge(EDGE_SECRET)
BUILD = ROOT / "build"
SPARK_LOG = BUILD / "logs" / "spark.log"
INGEST_LOG = BUILD / "logs" / "ingest.ndjson"
REPORT = BUILD / "report.html"
TRUTH = BUILD / "truth"

# How the simulated shop has set up its platform. Its visitors are made up, so their age may be kept.
SHOP_ENVIRONMENT = {
    "ALLOWED_ORIGINS": ORIGIN,
    "ACCEPT_FLAT": "true",
    "COLLECT_USER_AGE": "true",
    "UNKNOWN_CONSENT": "granted",
}


@dataclass(frozen=True)
class Twin:
    emulator: Emulator
    lake: Lake


@contextmanager
def running(port: int = 0) -> Iterator[Twin]:
    """An emulator with an empty lake; this process is pointed at it, and other commands can find it."""
    with emulator.running(port) as started:
        lake = started.create_lake()
        lake.enter()
        with emulator.announced(lake):
            yield Twin(started, lake)


def ingest_settings(lake: Lake) -> Settings:
    return Settings.from_environment({**lake.environment(), **SHOP_ENVIRONMENT})


class Sender:
    """Hands the simulated shop's requests to the real ingest handler, each at its own time."""

    def __init__(
        self,
        lake: Lake,
        name: str,
        write_log: Callable[[str], object],
        see_object: Callable[[str, bytes], object] = lambda key, body: None,
    ) -> None:
        """`name` keeps the request ids of two senders apart; the same name gives the same ids. `see_object` is shown
        key and body of every raw object once S3 has it."""
        self._name = name
        self._now = 0.0
        self._number = 0
        self._handler: Handler = make_handler(
            ingest_settings(lake), _watched(connect(), see_object), clock=lambda: self._now, write_log=write_log
        )

    def send(self, request: Request) -> int:
        """The status of the answer."""
        self._now = request.received_at_ms / 1000
        self._number += 1
        event = shop_event(request, f"{self._name}:{self._number}")
        return int(self._handler(event, None)["statusCode"])


def _watched(clients: Clients, see_object: Callable[[str, bytes], object]) -> Clients:
    return Clients(s3=_WatchedS3(clients.s3, see_object), sqs=clients.sqs)


class _WatchedS3:
    """An S3 client whose PUTs are seen. Fetching seven thousand objects back would take as long as sending them."""

    def __init__(self, s3: Any, see_object: Callable[[str, bytes], object]) -> None:
        self._s3 = s3
        self._see_object = see_object

    def put_object(self, **request: Any) -> Any:
        answer = self._s3.put_object(**request)
        self._see_object(request["Key"], request["Body"])
        return answer


def shop_event(request: Request, name: str) -> dict[str, object]:
    """The gateway's event for a simulated request; the request id is made from `name`."""
    return make_event(
        "POST",
        request.path,
        request.headers,
        request.body,
        request_id=hashlib.sha256(name.encode()).hexdigest()[:32],
        time_epoch_ms=request.received_at_ms,
        source_ip=request.source_ip,
        claims=None if request.user is None else {"sub": request.user},
    )


def lake_arguments(lake: Lake) -> list[str]:
    """The arguments of every job, for the simulated shop."""
    return [
        *("--lake_bucket", lake.bucket),
        *("--database", lake.database),
        *("--shop_hosts", ORIGIN.split("://", 1)[-1]),
    ]


def job_arguments(lake: Lake, command: str = "refresh", *more: str) -> list[str]:
    """The refresh job's arguments for the simulated shop."""
    return [*lake_arguments(lake), "--command", command, *more]
