"""A Lambda function as a process of its own, that can be killed: `python -m tests.faults.function MODULE`.

A fork reads an invocation's event as a line of JSON, calls MODULE.lambda_handler, and writes its answer as a line.
Before it serves, its number is written, and KILLED before the next one's.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

from clicklake.local.places import ROOT

KILLED = "killed\n"


class Killed(Exception):
    """The function ended before it answered."""


class Function:
    """Invokes the handler in `module`, in a process that another takes the place of when it was killed.

    They are forks of one that has read the handler's code and done nothing yet: a cold start without its seconds.
    """

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self._module = module
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[str] | None = None
        self._fork = 0

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.function", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=self._environment,
            )
            self._fork = int(self._process.stdout.readline())
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if answer == KILLED:
            self._fork = int(self._process.stdout.readline())
            raise Killed
        return json.loads(answer)

    def kill(self) -> None:
        os.kill(self._fork, signal.SIGKILL)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # for the handler's log, and for what a JVM has to say
    handler = importlib.import_module(sys.argv[1]).lambda_handler
    while fork := os.fork():
        print(fork, file=answers, flush=True)
        _, status = os.waitpid(fork, 0)
        if not os.WIFSIGNALED(status):
            return
        print(KILLED, end="", file=answers, flush=True)
    for line in sys.stdin:
        answers.write(json.dumps(handler(json.loads(line), None)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
