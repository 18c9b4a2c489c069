"""The command's end."""

import signal
import subprocess
import sys

import pytest

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


CLOSED_TERMINAL = """
import signal, sys
from clicklake.cli import __main__, app

app.app = lambda *_, **__: (signal.raise_signal(signal.SIGHUP), print("lived on"))
sys.argv = ["clicklake"]
__main__.main()
"""


@pytest.mark.parametrize(("wrapper", "code", "said"), [([], 130, ""), (["nohup"], 0, "lived on\n")])
def test_a_closed_terminal_ends_the_command_unless_nohup_was_asked(wrapper, code, said):
    command = [*wrapper, sys.executable, "-c", CLOSED_TERMINAL]
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the tests themselves may run under nohup
    )
    assert (done.returncode, done.stdout) == (code, said)
