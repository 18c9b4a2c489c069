"""The jars that Spark needs beside PySpark's own: Iceberg, and the AWS SDK it bundles.

Ivy, which PySpark carries, fetches them once into a cache that all clones share; from then on no
network is needed. `python -m clicklake.local.jars` fetches them ahead of time.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

from clicklake.local.java import java_home
from clicklake.local.places import TwinError, cache_folder

_PACKAGES = (
    ("org.apache.iceberg", "iceberg-spark-runtime-3.5_2.12", "1.10.0"),
    ("org.apache.iceberg", "iceberg-aws-bundle", "1.10.0"),
)

# One resolver, the public one Ivy knows by itself: a local Maven repository that holds a POM without
# its jar would otherwise end in "download failed".
_SETTINGS = (
    '<ivysettings><settings defaultResolver="central"/>'
    '<resolvers><ibiblio name="central" m2compatible="true"/></resolvers></ivysettings>'
)
_DONE = "complete"


def classpath(announce: bool = True) -> list[Path]:
    """The jars for `spark.jars`, `spark.driver.extraClassPath` and the like; fetched on first use.

    Raises TwinError where they are not cached and cannot be fetched.
    """
    folder = _folder()
    if not is_cached():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two clones starting at once fetch once
            if not is_cached():
                if announce:
                    print(
                        "Fetching Spark's Iceberg jars (about 100 MB, once per user) ...",
                        file=sys.stderr,
                    )
                _fetch(folder)
    return sorted(folder.glob("*.jar"))


def is_cached() -> bool:
    return (_folder() / _DONE).is_file()


def _folder() -> Path:
    wanted = hashlib.sha256(repr(_PACKAGES).encode()).hexdigest()[:12]
    return cache_folder() / "jars" / wanted


def _fetch(folder: Path) -> None:
    for left in folder.parent.glob("fetch-*"):  # of one that was killed; there is never another at work
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="fetch-", dir=folder.parent))
    try:
        (work / "settings.xml").write_text(_SETTINGS)
        (work / "ivy.xml").write_text(_module())
        kept = work / "kept"
        retrieved = kept / "[artifact]-[revision].[ext]"
        command = [str(java_home() / "bin" / "java"), f"-Duser.home={work}"]
        command += ["-cp", str(_ivy_jar()), "org.apache.ivy.Main"]
        command += [
            "-settings",
            str(work / "settings.xml"),
            "-ivy",
            str(work / "ivy.xml"),
            "-confs",
            "default",
        ]
        command += [
            "-cache",
            str(folder.parent / "ivy"),
            "-retrieve",
            str(retrieved),
            "-types",
            "jar",
            "bundle",
        ]
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
        if done.returncode != 0:
            words = done.stdout + done.stderr
            (folder.parent / "failure.log").write_text(words)
            cure = "check the network"
            if "PKIX path building failed" in words:
                cure = (
                    "Java does not know this network's certificates, so give it a trust store that does "
                    "(export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=FILE)"
                )
            raise TwinError(
                f"Spark's Iceberg jars are not cached and could not be fetched: {cure}, "
                f"then try again (`make jars`); Ivy's own words are in {folder.parent / 'failure.log'}."
            )
        (kept / _DONE).touch()
        # What cleans cache folders up may have taken the mark, which nobody opens, and left the jars.
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(kept, folder)
        shutil.rmtree(folder.parent / "ivy", ignore_errors=True)  # the same bytes again
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _module() -> str:
    lines = ['<ivy-module version="2.0"><info organisation="clicklake" module="laptop"/>']
    lines += ['<configurations><conf name="default"/></configurations><dependencies>']
    for organisation, name, revision in _PACKAGES:
        attributes = f"org={quoteattr(organisation)} name={quoteattr(name)} rev={quoteattr(revision)}"
        # Both are whole in themselves: what they depend on is inside, or in PySpark.
        lines.append(f'<dependency {attributes} conf="default->master"/>')
    lines.append("</dependencies></ivy-module>")
    return "\n".join(lines)


def _ivy_jar() -> Path:
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise TwinError("PySpark is not installed: run `make setup`.")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("jars/ivy-*.jar"))
    if not found:
        raise TwinError("PySpark is installed without its jars: run `make clean setup`.")
    return found[-1]


if __name__ == "__main__":
    try:
        print(*classpath(), sep="\n")
    except TwinError as error:
        sys.exit(str(error))
