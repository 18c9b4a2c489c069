"""`clicklake refresh`, `rebuild`, `reparse` and `maintain`: one run of a job on the running twin's lake."""

from clicklake.cli.show import console
from clicklake.local.emulator import find_lake
from clicklake.local.refresher import running_job
from clicklake.local.twin import BUILD, job_arguments, lake_arguments


def run_job(command: str, *more: str) -> None:
    """Prints the job's steps as they are done. A run that is already at work is waited for."""
    lake = find_lake()
    lake.enter()
    if command == "maintain":
        script, arguments = "maintain_lake", [*lake_arguments(lake), *more]
    else:
        script, arguments = "refresh_lake", job_arguments(lake, command, *more)
    with console.status("Starting Spark ..."), running_job(lake, BUILD / "logs" / f"{command}.log") as job:
        job.run(arguments, say=lambda line: console.print(line, markup=False), script=script)
