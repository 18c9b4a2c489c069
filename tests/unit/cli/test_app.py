"""The command's end."""

import subprocess
import sys

# The signal comes while a weak reference's callback runs, where Python passes exceptions over.
INTERRUPTED_WHERE_NOTHING_CAN_BE_RAISED = """
import signal, sys, time, weakref
from clicklake.cli import app

class Thing:
    pass

def command(*_, **__):
    thing = Thing()
    watched = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    print("went on", flush=True)
    time.sleep(60)

app.app = command
sys.exit(app.run([]))
"""


def test_ctrl_c_is_not_lost_where_python_passes_exceptions_over():
    command = [sys.executable, "-c", INTERRUPTED_WHERE_NOTHING_CAN_BE_RAISED]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 130, done.stderr
    assert done.stderr == "Stopped; nothing is left running here.\n"
