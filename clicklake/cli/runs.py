"""`clicklake refresh`, `rebuild` and `reparse`: one run of the job on the running twin's lake."""

from clicklake.cli.show import console
from clicklake.local.emulator import find_lake
from clicklake.local.refresher import running_job
from clicklake.local.twin import BUILD, job_arguments


def run_job(command: str, *more: str) -> None:
    """Prints the job's steps as they are done. A run that is already at work is waited for."""
    lake = find_lake()
    lake.enter()
    with console.status("Starting Spark ..."), running_job(lake, BUILD / "logs" / f"{command}.log") as job:
        job.run(job_arguments(lake, command, *more), say=lambda line: console.print(line, markup=False))
