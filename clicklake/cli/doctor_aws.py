"""`clicklake doctor --env dev`: what this computer and this AWS account have, and what deploying needs."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clicklake.cli.build import build
from clicklake.cli.deployment import (
    CONFIGURATION,
    caller_account,
    enter_region,
    find_deployment,
    in_plain_words,
    terraform_values,
)
from clicklake.cli.findings import Finding
from clicklake.endpoints import Endpoints
from clicklake.local.places import ROOT, TwinError

TERRAFORM = (1, 5)
# A new account has ten concurrent calls in all; the deployment's functions share them.
FEW_CALLS = 50


def aws_findings(environment: str, build_folder: Path = ROOT / "build") -> Iterator[Finding]:
    yield _terraform()
    yield _values(environment)
    yield _zips(environment, build_folder)
    yield from _account(environment)


def _terraform() -> Finding:
    if shutil.which("terraform") is None:
        advice = f"Get {_dotted(TERRAFORM)} or newer from its site, or by your package manager."
        return Finding("Terraform", False, "none", advice)
    done = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=False)
    version = json.loads(done.stdout)["terraform_version"] if done.returncode == 0 else "0.0"
    is_new = tuple(map(int, version.split("-")[0].split(".")[:2])) >= TERRAFORM
    return Finding("Terraform", is_new, version, f"Get {_dotted(TERRAFORM)} or newer.")


def _values(environment: str) -> Finding:
    path = f"terraform/environments/{environment}.tfvars"
    if not (CONFIGURATION / f"environments/{environment}.tfvars").is_file():
        return Finding(
            "values", False, f"there is no {path}", "Copy dev.tfvars, or choose an environment that is there."
        )
    given = terraform_values(environment, CONFIGURATION, os.environ)
    missing = [name for name in ("region", "shop_origins", "alert_email") if not given.get(name)]
    found = f"{path} lacks {', '.join(missing)}" if missing else f"the three of {path} are there"
    return Finding(
        "values", not missing, found, "Write them there, or set TF_VAR_<name>; docs/deploy.md says what they are."
    )


def _zips(environment: str, folder: Path) -> Finding:
    """Whether what `make build` made is there, and of these sources."""
    with tempfile.TemporaryDirectory(prefix="clicklake-") as fresh:
        expected = build(Path(fresh))
    missing = [name for name in (*expected, "layer") if not (folder / f"{name}.zip").is_file()]
    if missing:
        return Finding("build", False, f"without {', '.join(missing)}", "Run `make build`.")
    old = [name for name, digest in expected.items() if _sha256(folder / f"{name}.zip") != digest]
    found = f"older than the sources: {', '.join(old)}" if old else "the zips are those of these sources"
    return Finding(
        "build", not old, found, f"Run `make build` before `make deploy ENV={environment}`.", is_needed=False
    )


def _account(environment: str) -> Iterator[Finding]:
    try:
        region = enter_region(environment)
        yield Finding("region", True, region)
        yield Finding("account", True, caller_account())
    except TwinError as error:
        yield Finding("AWS", False, "cannot be asked", str(error))
        return
    yield _concurrent_calls()
    try:
        deployment = find_deployment(environment)
        yield Finding("deployed", True, f"{deployment.name}: events go to {deployment.events_url}")
    except TwinError as error:
        yield Finding("deployed", False, "not yet", str(error), is_needed=False)


def _concurrent_calls() -> Finding:
    advice = "Enough to try things; before a shop goes live ask AWS for more (Service Quotas, Lambda)."
    try:
        with in_plain_words():
            limit = Endpoints.from_environment().client("lambda").get_account_settings()["AccountLimit"]
    except TwinError as error:
        return Finding("quota", False, "Lambda's cannot be read", str(error), is_needed=False)
    calls = limit["ConcurrentExecutions"]
    return Finding("quota", calls >= FEW_CALLS, f"{calls} concurrent calls of functions", advice, is_needed=False)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
