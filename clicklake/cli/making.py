"""A lake of simulated visitors: emulator, requests through the real ingest function, the real Spark job."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clicklake.cli.show import console
from clicklake.local import twin
from clicklake.local.emulator import Lake
from clicklake.local.job_process import Job, running_job
from clicklake.local.places import TwinError
from clicklake.local.sql import Engine, connect
from clicklake.local.twin import EDGE, INGEST_LOG, SPARK_LOG, TRUTH, Sender, Twin, job_arguments
from clicklake.shop import Request, simulate
from clicklake.shop.truth import TruthWriter, write_truth
from clicklake.verify.raw_objects import RawObject, open_object

# As two instances of the function would: one waits for S3 while the other works.
SENDERS = 2


@dataclass(frozen=True)
class Plan:
    """What the simulated shop sends. `last_day` is the last whole UTC day; None is yesterday."""

    profile: str
    days: int
    seed: int
    visitors: float
    events_per_day: int
    last_day: date | None = None

    def requests(self, truth: TruthWriter | None = None) -> Iterable[Request]:
        last_day = self.last_day or datetime.now(timezone.utc).date() - timedelta(days=1)
        until = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), timezone.utc)
        return simulate(
            self.profile,
            self.seed,
            self.days,
            until=until,
            visitors=self.visitors,
            events_per_day=self.events_per_day,
            edge=EDGE,
            truth=truth,
        )


@dataclass(frozen=True)
class Made:
    """A lake of simulated visitors, while its emulator runs. `raw` are its raw objects as they were put; `truth` is
    the folder with what happened, None for the plain profile."""

    lake: Lake
    engine: Engine
    raw: Sequence[RawObject]
    truth: Path | None


@contextmanager
def made_lake(plan: Plan, port: int = 0) -> Iterator[Made]:
    """A fresh lake in an emulator of its own, filled by the shop's visitors and refreshed once."""
    with console.status("Starting the emulator ...") as status, twin.running(port) as running:
        status.stop()
        # The pool is left last: what waits in it ends with the job.
        with ThreadPoolExecutor(max_workers=1) as aside, running_job(running.lake, SPARK_LOG) as job:
            # A rebuild of an empty lake creates its tables and warms the JVM up while the requests are sent.
            ready = aside.submit(job.run, job_arguments(running.lake, "rebuild"))
            raw, truth = send(running, plan)
            with console.status("Starting Spark ..."):
                ready.result()
            refresh(running, job)
        yield Made(running.lake, connect(running.lake.endpoints(), running.lake.database), raw, truth)


def send(running: Twin, plan: Plan) -> tuple[Sequence[RawObject], Path | None]:
    """The shop's requests through the real handler, with a bar; the raw objects they became, and the folder of the
    truth about them."""
    truth = TRUTH if plan.profile == "shop" else None
    with console.status("Simulating the shop's visitors ..."):
        try:
            with write_truth(TRUTH) if truth else nullcontext() as writer:
                requests = list(plan.requests(writer))
        except (ValueError, OverflowError) as error:
            raise TwinError("Days so early or so late cannot be simulated: choose another --until.") from error
    INGEST_LOG.parent.mkdir(parents=True, exist_ok=True)
    answers: Counter[int] = Counter()
    is_stopped = threading.Event()
    raw: list[RawObject] = []

    def see_object(key: str, body: bytes) -> None:
        raw.append(open_object(key, body))

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    begun = time.monotonic()
    with open(INGEST_LOG, "w", encoding="utf-8") as log, Progress(*columns, console=console) as progress:
        task = progress.add_task("Sending requests through the ingest function", total=len(requests))

        def deliver(number: int) -> Counter[int]:
            name = f"demo-{plan.profile}-{plan.seed}-{number}"
            sender = Sender(running.lake, name, lambda line: log.write(line + "\n"), see_object)
            told: Counter[int] = Counter()
            for request in requests[number::SENDERS]:
                if is_stopped.is_set():
                    break
                told[sender.send(request)] += 1
                progress.advance(task)
            return told

        with ThreadPoolExecutor(SENDERS) as senders:
            try:
                for told in senders.map(deliver, range(SENDERS)):
                    answers += told
            finally:
                is_stopped.set()
    told = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    console.print(f"{len(requests):,} requests answered in {time.monotonic() - begun:.0f} s: {told}.")
    return raw, truth


def refresh(running: Twin, job: Job) -> None:
    with console.status("Refreshing the lake with Spark ..."):
        job.run(job_arguments(running.lake), say=lambda line: console.print(line, markup=False))
