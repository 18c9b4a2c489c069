"""Builds what AWS runs: a zip for every function, one for the Glue job, and the functions' layer.

    python -m clicklake.cli.build [--out build] [--layer]

A zip is the part of this tree that its entry points import, found from the source, plus their data files.
Same sources, same bytes: names are sorted, times fixed, nothing is compressed (zlib's output differs
between versions). `--layer` also installs the third-party packages for Lambda's Python and architecture.
"""

import argparse
import ast
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_PACKAGES = ("clicklake", "dashboards", "glue_jobs", "lambdas")

# The earliest time a zip can hold.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = ("--python-version", LAMBDA_PYTHON, "--python-platform", "aarch64-manylinux2014")

# What Lambda's Python does not bring along. boto3 it does.
LAYER_PACKAGES = ("crawlerdetect", "isal", "msgspec", "rfc8785", "ua-parser", "ua-parser-builtins")


@dataclass(frozen=True)
class Bundle:
    """A zip: all that `entries` (module names) import from this tree, and the files of `data` (globs)."""

    name: str
    entries: tuple[str, ...]
    data: tuple[str, ...] = ()


BUNDLES = (
    Bundle("ingest", ("lambdas.ingest.handler",)),
    Bundle("drain", ("lambdas.drain.handler",)),
    Bundle("gate", ("lambdas.gate.handler",)),
    Bundle("generator", ("lambdas.generator.handler",), data=("clicklake/shop/data/*.csv",)),
    Bundle("admin", ("lambdas.admin.handler",)),
    Bundle("chat", ("lambdas.chat.handler",)),
    Bundle(
        "report",
        ("lambdas.report.handler",),
        data=("athena_queries/__init__.py", "athena_queries/saved/*.sql", "dashboards/report/style.css"),
    ),
    Bundle(
        "glue_jobs",
        ("glue_jobs.*",),
        # Glue has no msgspec: of the contract it gets the schema and the empty package around it.
        data=(
            "clicklake/contract/__init__.py",
            "clicklake/contract/generated/__init__.py",
            "clicklake/contract/generated/*.spark.json",
            "glue_jobs/**/*",
        ),
    ),
)


def bundle_files(bundle: Bundle, root: Path = ROOT) -> list[str]:
    """The bundle's files, as sorted paths relative to the root."""
    found: set[str] = set()
    pending = [name for entry in bundle.entries for name in _entry_modules(entry, root)]
    while pending:
        name = pending.pop()
        path = _module_path(name, root)
        if path is None or path in found:
            continue
        found.add(path)
        pending += _own_imports(root / path)
        # Python runs the packages around a module, too, and what they import.
        pending += [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
    for pattern in bundle.data:
        matching = [path for path in root.glob(pattern) if path.is_file() and path.suffix != ".pyc"]
        if not matching:
            raise FileNotFoundError(f"{bundle.name} needs {pattern}, and nothing matches")
        found |= {path.relative_to(root).as_posix() for path in matching}
    missing = [path for path in sorted(found) if not (root / path).is_file()]
    if missing:
        raise FileNotFoundError(f"{bundle.name} needs {', '.join(missing)}")
    return sorted(found)


def _entry_modules(entry: str, root: Path) -> Iterator[str]:
    if not entry.endswith(".*"):
        yield entry
        return
    folder = root / entry[:-2].replace(".", "/")
    for path in folder.rglob("*.py"):
        yield ".".join(path.relative_to(root).with_suffix("").parts)


def _module_path(name: str, root: Path) -> str | None:
    """The file of an own module or package; None for a name that is neither (say, a function)."""
    relative = name.replace(".", "/")
    for path in (f"{relative}.py", f"{relative}/__init__.py"):
        if (root / path).is_file():
            return path
    return None


def imported_names(path: Path) -> Iterator[str]:
    """Every module a file imports, at its top or within a function, as dotted names; `from a import b`
    gives a and a.b, since b may be a module."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"{path}:{node.lineno}: write the import absolute, so that the zip can be found")
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_imports(path: Path) -> list[str]:
    return [name for name in imported_names(path) if name.partition(".")[0] in OWN_PACKAGES]


def write_zip(target: Path, files: Iterable[str], root: Path) -> str:
    """Writes the files and gives the zip's sha256 in hex."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (root / name).read_bytes())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def locked_versions(root: Path = ROOT) -> dict[str, str]:
    """Package versions by the lock file: requirements.lock, else uv.lock."""
    listed, uv_lock = root / "requirements.lock", root / "uv.lock"
    if listed.is_file():
        pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", listed.read_text(), re.MULTILINE)
        return {_normal(name): version for name, version in pins}
    if uv_lock.is_file():
        packages = tomllib.loads(uv_lock.read_text())["package"]
        return {_normal(package["name"]): package["version"] for package in packages if "version" in package}
    raise FileNotFoundError(f"neither {listed.name} nor {uv_lock.name} is there: run `uv lock`")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def layer_requirements(versions: dict[str, str]) -> str:
    """The layer's packages with their locked versions, as a requirements file."""
    missing = [name for name in LAYER_PACKAGES if name not in versions]
    if missing:
        raise ValueError(f"not in the lock file: {', '.join(missing)}; run `uv lock`")
    return "".join(f"{name}=={versions[name]}\n" for name in LAYER_PACKAGES)


def build_layer(out: Path, requirements: Path, platform: Sequence[str] = LAMBDA_PLATFORM) -> str:
    """Installs for Lambda, not for this machine, and zips under python/, where Lambda looks."""
    folder = out / "layer"
    shutil.rmtree(folder, ignore_errors=True)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*install, *platform, "--target", str(folder / "python"), "-r", str(requirements)], check=True)
    # Commands of packages, which nobody calls there, begin with the path of this machine's Python.
    shutil.rmtree(folder / "python/bin", ignore_errors=True)
    files = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        # RECORD and the installer's notes name this machine's paths and tools.
        if path.is_file() and path.suffix != ".pyc" and path.name not in ("RECORD", "INSTALLER", ".lock")
    ]
    return write_zip(out / "layer.zip", files, folder)


def build(out: Path, root: Path = ROOT) -> dict[str, str]:
    """Writes every bundle and the layer's requirements; gives each zip's sha256."""
    hashes = {
        bundle.name: write_zip(out / f"{bundle.name}.zip", bundle_files(bundle, root), root) for bundle in BUNDLES
    }
    (out / "layer-requirements.txt").write_text(layer_requirements(locked_versions(root)))
    return hashes


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    parser.add_argument("--layer", action="store_true", help="also install and zip the layer (needs uv)")
    chosen = parser.parse_args(argv)
    try:
        hashes = build(chosen.out)
        if chosen.layer:
            hashes["layer"] = build_layer(chosen.out, chosen.out / "layer-requirements.txt")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    for name, digest in hashes.items():
        print(f"{digest[:16]}  {chosen.out / name}.zip")
    return 0


if __name__ == "__main__":
    sys.exit(main())
