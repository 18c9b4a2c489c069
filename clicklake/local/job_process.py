"""Runs the jobs in a process of their own, so that Ctrl-C, a crash or a full heap stays there.

with running_job(lake, log) as job:
    report = job.run(["--command", "refresh", ...], say=print)
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clicklake.local.emulator import Lake, is_alive
from clicklake.local.jars import classpath
from clicklake.local.java import java_home
from clicklake.local.job_server import ANSWER, SAY
from clicklake.local.places import ROOT, TwinError

_END_SECONDS = 10


class Job:
    """The job's process. Use `running_job`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self.pid = process.pid  # of the process group too, the JVM's included
        self._log = log
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def run(
        self, arguments: list[str], say: Callable[[str], None] = lambda _: None, script: str = "refresh_lake"
    ) -> dict[str, Any]:
        """One run of a script; `say` gets its lines as they come. Returns its report; TwinError where it failed."""
        try:
            self._process.stdin.write(json.dumps([script, *arguments]) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise TwinError(self._ended()) from None
        while (line := self._lines.get()) is not None:
            if line.startswith(SAY):
                say(line.removeprefix(SAY))
            if not line.startswith(ANSWER):
                continue
            answer = json.loads(line.removeprefix(ANSWER))
            if "error" in answer:
                raise TwinError(f"{script} failed ({answer['error']}); the details are in {self._log}.")
            return answer["report"]
        raise TwinError(self._ended())

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _ended(self) -> str:
        return f"The job ended before it was done; the details are in {self._log}."


@contextmanager
def running_job(lake: Lake, log: Path, stays: bool = False) -> Iterator[Job]:
    """A job process for `lake`; what Spark has to say goes to `log`. Nothing of it is left at the end.

    `stays`: it is for many runs, see spark.laptop_settings.
    """
    classpath()  # here, where the message about fetching is seen
    java_home()
    log.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="clicklake-"))
    environment = {**os.environ, **lake.environment(), "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
    environment["PYTHONPATH"] = str(ROOT)
    try:
        with open(log, "w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "clicklake.local.job_server", str(folder), *(["stays"] if stays else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
                process_group=0,  # Ctrl-C is ours to handle
            )
        try:
            yield Job(process, log)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stop(process: subprocess.Popen[str]) -> None:
    """Ends the process and its JVM, which is of the same process group."""
    try:
        process.stdin.close()
    except OSError:
        pass
    try:
        process.wait(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    until = time.monotonic() + 2
    while is_alive(-process.pid) and time.monotonic() < until:
        time.sleep(0.05)
    if is_alive(-process.pid):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
