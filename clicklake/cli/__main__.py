"""The way in. Small on purpose: Ctrl-C is quiet even while the rest is being imported."""

import os
import signal
import sys


def main() -> None:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, lambda *_: os._exit(129))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    from clicklake.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
