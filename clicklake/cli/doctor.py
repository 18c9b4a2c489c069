"""`clicklake doctor`: what this machine has, and how to get what is missing."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from clicklake.cli.doctor_aws import aws_findings
from clicklake.cli.findings import Finding, tell
from clicklake.local import jars, java
from clicklake.local.emulator import find_lake
from clicklake.local.places import ROOT, TwinError, cache_folder

FREE_DISK_GB = 3
MEMORY_GB = 4
PORTS = (8787, 8788)


def run_doctor(environment: str | None = None) -> bool:
    """Prints what a laptop needs, or what deploying `environment` to AWS does; True where nothing needed is missing."""
    if environment:
        return tell(aws_findings(environment), f"make deploy ENV={environment}")
    return tell((finding for check in CHECKS for finding in check()), "clicklake demo")


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "Python",
        (3, 11) <= sys.version_info < (3, 14),
        version,
        "Install Python 3.11 and run `make clean setup`.",
    )


def _java() -> Iterator[Finding]:
    try:
        yield Finding("Java", True, f"{java.JAVA_VERSION} in {java.java_home()}")
    except TwinError as error:
        yield Finding("Java", False, "none of version 17", str(error))


def _jars() -> Iterator[Finding]:
    if jars.is_cached():
        yield Finding("jars", True, f"cached in {cache_folder()}")
    else:
        yield Finding(
            "jars",
            False,
            "not cached yet",
            "`make jars` fetches them; the first demo does, too.",
            is_needed=False,
        )


def _make() -> Iterator[Finding]:
    found = shutil.which("make")
    yield Finding("make", bool(found), found or "none", "Install make, or use `clicklake` directly.", is_needed=False)


def _disk() -> Iterator[Finding]:
    for folder in {_existing(cache_folder()), Path(tempfile.gettempdir())}:
        free = shutil.disk_usage(folder).free / 1e9
        yield Finding("disk", free >= FREE_DISK_GB, f"{free:.1f} GB free at {folder}", f"Free {FREE_DISK_GB} GB there.")


def _folders() -> Iterator[Finding]:
    for name, folder in {"this folder": ROOT, "the cache": _existing(cache_folder())}.items():
        if not (folder.is_dir() and os.access(folder, os.W_OK)):
            advice = "Make it writable; CLICKLAKE_CACHE chooses another cache."
            yield Finding("folders", False, f"{folder} ({name}) cannot be written to", advice)


def _memory() -> Iterator[Finding]:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError):
        return
    yield Finding("memory", total >= MEMORY_GB, f"{total:.1f} GB", f"Spark wants {MEMORY_GB} GB.", is_needed=False)


def _ports() -> Iterator[Finding]:
    for port in PORTS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
            yield Finding("port", True, f"{port} is free")
        except OSError:
            advice = "`clicklake up` uses it: choose another by --port or --report-port."
            yield Finding("port", False, f"{port} is taken", advice, is_needed=False)


def _twin() -> Iterator[Finding]:
    try:
        yield Finding("twin", True, f"running at {find_lake().endpoint_url}")
    except TwinError:
        yield Finding("twin", True, "none is running")


def _network() -> Iterator[Finding]:
    """Asks by the ordinary client, with whatever mirror or proxy it has been told of."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        yield Finding("network", False, "not tried, there is no uv", "Run `make setup`.", is_needed=False)
        return
    command = [
        uv,
        "pip",
        "install",
        "--dry-run",
        "--no-cache",
        "--no-deps",
        "--reinstall",
        "--python",
        sys.executable,
        "six",
    ]
    try:
        reached = subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        reached = False
    advice = "What is cached works offline; for the first set-up, check network and proxy."
    yield Finding("network", reached, "PyPI answers" if reached else "PyPI does not answer", advice, is_needed=False)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python,
    _java,
    _jars,
    _make,
    _disk,
    _folders,
    _memory,
    _ports,
    _twin,
    _network,
)
