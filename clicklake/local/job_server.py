"""The jobs' process on a laptop: one JVM that stays warm, one run after the other.

Started by job_process.py as `python -m clicklake.local.job_server FOLDER [stays]`. Reads a JSON array of a
script's name and its arguments per line; writes the job's own lines, each after SAY, and after each run one after
ANSWER (other lines are the JVM's). It ends, and its JVM and FOLDER with it, when its standard input closes.
"""

import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

SAY = "\x1f"
ANSWER = "\x1e"
_ENDING = threading.Lock()


def serve(folder: Path, stays: bool) -> None:
    calls: queue.Queue[list[str]] = queue.Queue()
    # At the end the whole process group is told, and this process has to be the last of it.
    signal.signal(signal.SIGTERM, lambda *_: None if _ENDING.locked() else os._exit(143))
    threading.Thread(target=_read_calls, args=(calls, folder), daemon=True).start()
    try:
        while True:
            script, *arguments = calls.get()
            try:
                answer = {"report": _run(script, arguments, folder, stays)}
            except Exception as error:  # noqa: BLE001 - told to the caller, who decides
                traceback.print_exc()
                answer = {"error": _sentence(error)}
            print(ANSWER + json.dumps(answer, default=str), flush=True)
    finally:
        _end(folder)  # there is nobody left to tell


def _run(script: str, arguments: list[str], folder: Path, stays: bool) -> dict[str, Any]:
    from clicklake.local.spark import laptop_settings, prepare
    from glue_jobs.arguments import read_arguments
    from glue_jobs.maintain_lake import maintain
    from glue_jobs.refresh_lake import refresh
    from glue_jobs.runtime import start_session

    settings = read_arguments(arguments)
    prepare()
    spark = start_session(settings, laptop_settings(folder, stays=stays))
    job = {"refresh_lake": refresh, "maintain_lake": maintain}[script]
    report = job(spark, settings, say=lambda text: print(SAY + text, flush=True))
    return {**asdict(report), "sentence": report.sentence()}


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:400]}" if lines else type(error).__name__


def _read_calls(calls: "queue.Queue[list[str]]", folder: Path) -> None:
    for line in sys.stdin:
        calls.put(json.loads(line))
    _end(folder)


def _end(folder: Path) -> None:
    with _ENDING:
        try:
            from pyspark import SparkContext

            gateway = SparkContext._gateway
            if gateway is not None and gateway.proc is not None:
                gateway.proc.kill()
                gateway.proc.wait()
            elif os.getpgrp() == os.getpid():
                # One may be just starting. Without its folder it would fail half-way, and wait for ever.
                os.killpg(0, signal.SIGTERM)
                time.sleep(0.3)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # who started this may have been killed
            os._exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), "stays" in sys.argv[2:])
