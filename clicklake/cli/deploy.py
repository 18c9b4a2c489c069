"""Plans, deploys and destroys a deployment on AWS: Terraform, and what has to be done around it.

    python -m clicklake.cli.deploy plan|apply|destroy --env dev [--yes] [--delete-data]

`make plan`, `make deploy` and `make destroy` call it. Each deployment is a Terraform workspace of its name, with the
variables of terraform/environments/<name>.tfvars.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from clicklake.cli.deployment import CONFIGURATION, ENDED, caller_account, in_plain_words, refresh
from clicklake.endpoints import Endpoints
from clicklake.local.places import TwinError
from clicklake.local.sql import read_queries, translate_view

BUCKETS = ("module.lake.module.bucket.aws_s3_bucket.this", "module.edge.module.bucket.aws_s3_bucket.this")
REPLICA = "module.lake.module.replica[0].aws_s3_bucket.this"

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Terraform:
    """Terraform in one workspace."""

    environment: str
    folder: Path = CONFIGURATION

    def run(self, *arguments: str) -> None:
        is_stopped = False
        with subprocess.Popen(["terraform", *arguments], cwd=self.folder) as process:
            while process.poll() is None:
                try:
                    process.wait()
                except KeyboardInterrupt:
                    # Terraform has heard it too, and needs its time: killed, it would forget what it has just made.
                    is_stopped = True
        if is_stopped:
            raise KeyboardInterrupt
        if process.returncode:
            raise TwinError(f"terraform {arguments[0]} failed: what it says above tells why.")

    def enter(self) -> None:
        self.run("init", "-input=false")
        self.run("workspace", "select", "-or-create", self.environment)

    def variables(self) -> list[str]:
        return [f"-var-file=environments/{self.environment}.tfvars"]

    def outputs(self) -> dict[str, Any]:
        """Empty where nothing is deployed."""
        command = ["terraform", "output", "-json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout or "{}") if done.returncode == 0 else {}
        return {name: each["value"] for name, each in found.items()}


def check(environment: str, folder: Path = CONFIGURATION) -> None:
    """What a newcomer may have forgotten, a sentence each."""
    if shutil.which("terraform") is None:
        raise TwinError("Terraform is not installed: get 1.5 or newer from its site, or by your package manager.")
    if not (folder / f"environments/{environment}.tfvars").is_file():
        known = ", ".join(sorted(path.stem for path in (folder / "environments").glob("*.tfvars")))
        raise TwinError(f"There is no environment {environment!r}: choose one of {known}, or add its .tfvars file.")
    if not all((folder.parent / "build" / name).is_file() for name in ("ingest.zip", "layer.zip")):
        raise TwinError("The functions' zips are missing: run `make build` first.")
    caller_account()


def apply(terraform: Terraform, options: list[str]) -> None:
    terraform.run("apply", *terraform.variables(), *options)
    outputs = terraform.outputs()
    clients = clients_of(outputs["region"])
    print("First refresh, so that the tables exist (Glue takes two to five minutes) ...", flush=True)
    refresh(clients("glue"), clients("logs"), outputs["refresh_job_name"], say=partial(print, flush=True))
    create_views(clients("athena"), outputs["database_name"], outputs["workgroup_name"])
    print(f"Deployed. Events go to {outputs['events_url']}, the report is at {outputs['report_url']}")


def destroy(terraform: Terraform, options: list[str], *, deletes_data: bool) -> None:
    """Refuses while the lake holds events, unless told to delete them with all their versions."""
    outputs = terraform.outputs()
    if not outputs:
        raise TwinError(f"Nothing is deployed as {terraform.environment}.")
    replica = outputs.get("replica")
    lakes = [(outputs["bucket_name"], outputs["region"])]
    if replica:
        lakes.append((replica["bucket_name"], replica["region"]))
    for bucket, region in lakes:
        if not deletes_data and holds_events(clients_of(region)("s3"), bucket):
            raise TwinError(
                f"The bucket {bucket} holds events, and nothing was destroyed. To delete them with all their versions: "
                f"make destroy ENV={terraform.environment} DATA=delete"
            )
    # Code of the jobs and the report are made again by a deployment; so the buckets may be emptied.
    emptied = "-var=is_destroyable=true"
    targets = [f"-target={bucket}" for bucket in (*BUCKETS, *([REPLICA] if replica else []))]
    terraform.run("apply", *terraform.variables(), "-auto-approve", emptied, *targets)
    terraform.run("destroy", *terraform.variables(), emptied, *options)


def clients_of(region: str) -> Clients:
    return Endpoints.from_environment({**os.environ, "AWS_REGION": region}).client


def holds_events(s3: Any, bucket: str) -> bool:
    """Whether any version of an object lies where the shop's data is."""
    # Page by page: delete markers fill pages, too.
    list_versions = s3.get_paginator("list_object_versions").paginate
    prefixes = ("raw/", "processed/", "results/")
    return any(page.get("Versions") for prefix in prefixes for page in list_versions(Bucket=bucket, Prefix=prefix))


def create_views(athena: Any, database: str, workgroup: str, pause: Callable[[float], None] = time.sleep) -> list[str]:
    """Creates every view of athena_queries/views, those that others rest on first; gives their names in order.

    Athena finds out the columns' types by itself; a catalog object would have to foretell them all.
    """
    names = in_order_of_use(database)
    texts = read_queries("views")
    for name in names:
        query_id = athena.start_query_execution(
            QueryString=f"create or replace view {name} as\n{texts[name]}",
            QueryExecutionContext={"Database": database},
            WorkGroup=workgroup,
        )["QueryExecutionId"]
        while (status := _status(athena, query_id))["State"] not in ENDED:
            pause(0.5)
        if status["State"] != "SUCCEEDED":
            raise TwinError(
                f"Athena did not make the view {name}: {status.get('StateChangeReason', 'no reason given')}"
            )
    return names


def in_order_of_use(database: str) -> list[str]:
    """The views' names, each after those it rests on."""
    rests_on = {name: translate_view(text, database).rests_on for name, text in read_queries("views").items()}
    ordered: list[str] = []

    def add(name: str) -> None:
        if name in rests_on and name not in ordered:
            for other in sorted(rests_on[name]):
                add(other)
            ordered.append(name)

    for name in rests_on:
        add(name)
    return ordered


def _status(athena: Any, query_id: str) -> dict[str, Any]:
    return athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="deploy", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("plan", "apply", "destroy"))
    parser.add_argument("--env", default="dev", help="the deployment: dev, prod")
    parser.add_argument("--yes", action="store_true", help="do not ask before changing anything")
    parser.add_argument("--delete-data", action="store_true", help="destroy: delete all objects and versions too")
    chosen = parser.parse_args(argv)
    terraform = Terraform(chosen.env)
    options = ["-auto-approve"] if chosen.yes else []
    try:
        check(chosen.env)
        terraform.enter()
        with in_plain_words():
            if chosen.what == "plan":
                terraform.run("plan", *terraform.variables())
            elif chosen.what == "apply":
                apply(terraform, options)
            else:
                destroy(terraform, options, deletes_data=chosen.delete_data)
    except TwinError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Terraform knows what it has made so far: the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
