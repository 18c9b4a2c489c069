"""The jobs' process never outlives the one that started it, and leaves nothing behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

from clicklake.local.places import ROOT

WAITING_FOR_A_JOB = """
import sys, time
from pathlib import Path
from clicklake.local import job_process
from clicklake.local.emulator import Lake

job_process.classpath = job_process.java_home = lambda: None
with job_process.running_job(Lake("http://127.0.0.1:9", "b", "d", "q", 1), Path(sys.argv[1]) / "log") as job:
    print(job.pid, flush=True)
    time.sleep(60)
"""


def test_a_killed_command_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING_FOR_A_JOB, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        job = int(command.stdout.readline())
        assert list(tmp_path.glob("clicklake-*"))
        command.kill()
    until = time.monotonic() + 20
    while (list(tmp_path.glob("clicklake-*")) or Path(f"/proc/{job}/exe").exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not list(tmp_path.glob("clicklake-*"))
    assert not Path(f"/proc/{job}/exe").exists()
