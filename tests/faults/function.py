"""A Lambda function as a process of its own, that can be killed: `python -m tests.faults.function MODULE`.

Reads an invocation's event as a line of JSON, calls MODULE.lambda_handler, and writes its answer as a line.
"""

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from clicklake.local.places import ROOT


class Killed(Exception):
    """The function ended before it answered."""


class Function:
    """Invokes the handler in `module`; a new process is started when the last one was killed."""

    def __init__(self, module: str, environment: dict[str, str]) -> None:
        self._module = module
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[str] | None = None

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
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self.stop()
            raise Killed
        return json.loads(answer)

    def kill(self) -> None:
        self._process.kill()

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
    for line in sys.stdin:
        answers.write(json.dumps(handler(json.loads(line), None)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
