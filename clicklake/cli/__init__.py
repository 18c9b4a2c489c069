"""The command line: `clicklake`, or `python -m clicklake.cli`."""
