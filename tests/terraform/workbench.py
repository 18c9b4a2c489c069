"""A copy of the configuration to work in, with what it needs beside it, and Terraform to run there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clicklake.cli import build
from clicklake.cli.build import ROOT

POLICIES = ("aws_iam_role_policy", "aws_iam_policy")
REGISTRY = "registry.terraform.io"
# Values for the three variables that have no default.
REQUIRED = {
    "region": "us-east-1",
    "shop_origins": '["https://shop.example"]',
    "alert_email": "owner@shop.example",
}


def provider_mirror() -> Path | None:
    """A folder of providers on this machine, for a machine that does not reach the registry."""
    usual = [Path.home() / ".terraform.d/plugins", Path("/usr/local/share/terraform/plugins")]
    for folder in [*usual, Path("/usr/share/terraform/plugins"), *Path("/opt").glob("*")]:
        if (folder / REGISTRY / "hashicorp/aws").is_dir():
            return folder
    return None


def terraform_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without anything that points to a person's own account or settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    mirror = provider_mirror()
    if mirror:
        environment["TF_CLI_ARGS_init"] = f"-plugin-dir={mirror}"
    environment |= {f"TF_VAR_{name}": value for name, value in REQUIRED.items()}
    return environment | {"TF_IN_AUTOMATION": "1", "AWS_EC2_METADATA_DISABLED": "true"} | dict(more or {})


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Gives the address of tests/terraform/emulator.py, which runs as long as the block; its words go to `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.terraform.emulator", str(port), str(folder)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with open(folder / "emulator.log", "wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                said = (folder / "emulator.log").read_text()
                assert server.poll() is None and time.monotonic() < deadline, f"no emulator: {said}"
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@dataclass(frozen=True)
class Workbench:
    """`folder` holds terraform/, and beside it build/ and what the configuration reads."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def configuration(self) -> Path:
        return self.folder / "terraform"

    def terraform(
        self, *arguments: str, is_expected_to_fail: bool = False, timeout: int = 600
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.configuration,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert is_expected_to_fail or done.returncode == 0, f"terraform {arguments[0]}:\n{done.stdout}\n{done.stderr}"
        return done

    def test_events(self, *arguments: str) -> list[dict[str, Any]]:
        """What `terraform test` tells, event by event, whether the tests pass or not."""
        done = self.terraform("test", "-json", "-verbose", *arguments, is_expected_to_fail=True)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def set_up(folder: Path, environment: Mapping[str, str], *, has_layer: bool = False) -> Workbench:
    """Copies the configuration and builds the zips. The layer is one for this machine, so that it runs here;
    where nothing looks inside, a small file stands for it."""
    skipped = shutil.ignore_patterns(".terraform", "*.tfstate*", "backend_override.tf")
    shutil.copytree(ROOT / "terraform", folder / "terraform", ignore=skipped)
    for name in ("athena_queries", "glue_jobs"):
        (folder / name).symlink_to(ROOT / name)
    build.build(folder / "build")
    if has_layer:
        build.build_layer(folder / "build", folder / "build/layer-requirements.txt", platform=())
    else:
        (folder / "build/layer.zip").write_bytes((folder / "build/drain.zip").read_bytes())
    workbench = Workbench(folder, environment)
    workbench.terraform("init", "-input=false")
    return workbench


def planned_changes(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What each run of a test would create, by the run's name."""
    return {
        event["@testrun"]: event["test_plan"].get("resource_changes", [])
        for event in events
        if event.get("type") == "test_plan"
    }


def planned_policies(workbench: Workbench) -> dict[str, str]:
    """Every role's policy with all options on, by its address."""
    events = workbench.test_events("-filter=tests/root.tftest.hcl")
    return {
        change["address"]: change["change"]["after"]["policy"]
        for change in planned_changes(events)["everything_on"]
        if change["type"] in POLICIES
    }
