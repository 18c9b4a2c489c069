"""`clicklake refresh`, `rebuild`, `reparse` and `maintain`: one run of a job, on the twin's lake or a deployment's."""

from collections.abc import Mapping

from clicklake.cli.deployment import find_deployment, in_plain_words, refresh
from clicklake.cli.show import console
from clicklake.local.emulator import find_lake
from clicklake.local.job_process import running_job
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


def run_deployed_job(environment: str, arguments: Mapping[str, str]) -> None:
    """The same on AWS: `arguments` are the job's beside those it was deployed with."""
    deployment = find_deployment(environment)
    glue, logs = deployment.client("glue"), deployment.client("logs")
    with console.status(f"{deployment.refresh_job} in {deployment.region} ..."), in_plain_words():
        refresh(glue, logs, deployment.refresh_job, arguments, say=lambda line: console.print(line, markup=False))
