"""Who may import whom. The zips that run on AWS hold only what these rules allow."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What Lambda's Python brings along, and the plain modules that any function may pack.
SHARED = (
    "boto3",
    "botocore",
    "clicklake.paths",
    "clicklake.endpoints",
    "clicklake.environment",
    "clicklake.buffer",
    "clicklake.log_line",
)
# With the layer; without it the contract cannot be imported.
LAYERED = (*SHARED, "clicklake.contract", "msgspec", "isal", "ua_parser", "crawlerdetect")

# folder or file -> first names (dotted where that matters) it may import beside the standard library
RULES = {
    "clicklake/paths.py": (),
    "clicklake/endpoints.py": ("boto3", "botocore"),
    "clicklake/buffer.py": (),
    "clicklake/contract": ("clicklake.contract", "msgspec", "rfc8785"),
    "clicklake/athena.py": ("awswrangler", "pyarrow"),
    "clicklake/environment.py": (),
    "clicklake/log_line.py": (),
    "lambdas/ingest": ("lambdas.ingest", *LAYERED),
    "lambdas/drain": ("lambdas.drain", *SHARED),
    "lambdas/gate": ("lambdas.gate", *SHARED),
    "lambdas/admin": ("lambdas.admin", *SHARED),
    "lambdas/chat": ("lambdas.chat", *SHARED),
    "lambdas/generator": ("lambdas.generator", "clicklake.shop.plain", "clicklake.shop.requests", *SHARED),
    "lambdas/report": ("lambdas.report", "clicklake.athena", "dashboards", *SHARED),
    "glue_jobs/transforms": ("glue_jobs.transforms", "glue_jobs.tables", "pyspark", "pyarrow"),
    "glue_jobs": ("glue_jobs", "clicklake.paths", "clicklake.endpoints", "pyspark", "pyarrow", "botocore", "awsglue"),
    # What asks Athena or DuckDB is handed in, so that both show the same page.
    "dashboards": ("dashboards", "pyarrow"),
    "clicklake/shop": ("clicklake.shop", "msgspec"),
    # Prices, measurements and arithmetic: it asks nobody.
    "clicklake/cost": ("clicklake.cost", "clicklake.paths"),
    # A second reading of the definitions: nothing of the job, no engine.
    "clicklake/verify": (
        "clicklake.verify",
        "clicklake.shop.truth",
        "clicklake.endpoints",
        "clicklake.paths",
        "pyarrow",
    ),
}
NOBODY_IMPORTS = ("clicklake.local", "clicklake.shop", "clicklake.verify", "clicklake.cost", "clicklake.cli")
# These are the laptop's: they may import everything.
EVERYTHING = ("clicklake/local", "clicklake/shop", "clicklake/verify", "clicklake/cost", "clicklake/cli")
# A simulated shop's events are what the generator is for.
MAY_SIMULATE = ("lambdas/generator",)


def _files(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _imports(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}


def _is_allowed(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == rule or name.startswith(rule + ".") for rule in allowed)


@pytest.mark.parametrize("place", RULES)
def test_a_part_imports_only_what_it_may(place):
    files = _files(place)
    assert files, f"{place} is gone: mend the rule"
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in _imports(file)
        if not _is_allowed(name, RULES[place])
    }
    assert wrong == set()


def test_every_function_has_a_rule():
    functions = {f"lambdas/{handler.parent.name}" for handler in (ROOT / "lambdas").glob("*/handler.py")}
    assert functions == {place for place in RULES if place.startswith("lambdas/")}


def test_awsglue_is_imported_in_one_place_only():
    found = {
        str(file.relative_to(ROOT))
        for file in _files("glue_jobs")
        if any(name.split(".")[0] == "awsglue" for name in _imports(file))
    }
    assert found == {"glue_jobs/arguments.py"}


def test_nothing_that_runs_on_aws_imports_the_laptop():
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for place in ("clicklake", "lambdas", "glue_jobs", "dashboards")
        for file in _files(place)
        if not str(file.relative_to(ROOT)).startswith((*EVERYTHING, *MAY_SIMULATE))
        for name in _imports(file)
        if _is_allowed(name, NOBODY_IMPORTS)
    }
    assert wrong == set()
