"""What is packed runs: only the zip, the layer and what AWS's runtime brings are on the path."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from clicklake.cli import build
from clicklake.cli.build import BUNDLES, LAYER_PACKAGES, ROOT, bundle_files, imported_names

LAMBDA_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
GLUE_RUNTIME = (*LAMBDA_RUNTIME, "pyspark", "py4j", "pyarrow", "numpy", "numpy.libs", "pandas")
# What AWS's layer with awswrangler brings along.
PANDAS_LAYER = ("awswrangler", "numpy", "numpy.libs", "pandas", "pyarrow")
GLUE_ENTRIES = ("glue_jobs.refresh_lake", "glue_jobs.maintain_lake", "glue_jobs.runtime", "clicklake.paths")


def import_names(package: str) -> list[str]:
    """The top-level modules of an installed package."""
    files = importlib.metadata.files(package) or []
    tops = {file.parts[0].removesuffix(".py") for file in files if file.suffix in (".py", ".so")}
    return sorted(tops - {"__pycache__"})


LAYER_MODULES = [name for package in LAYER_PACKAGES for name in import_names(package)]
# A function's layer, as terraform/modules give it.
LAYERS = {
    "ingest": LAYER_MODULES,
    "drain": [],
    "gate": [],
    "generator": LAYER_MODULES,
    "admin": [],
    "chat": [],
    "report": PANDAS_LAYER,
}
# What a function packs beside its own folder and the contract.
OTHER_FOLDERS = {
    "generator": {("clicklake", "shop")},
    "report": {("dashboards", "report"), ("athena_queries", "saved")},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("build")
    build.build(out)
    return out


def folder_of(names, at: Path) -> Path:
    """A folder with the installed modules of these names and no others, as a layer or runtime has them."""
    site = Path(importlib.util.find_spec("boto3").origin).parents[1]
    at.mkdir()
    for name in names:
        (source,) = [path for path in (site / name, site / f"{name}.py") if path.exists()]
        (at / source.name).symlink_to(source)
    return at


def run_isolated(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    # -I -S: neither this tree nor the environment's packages; the path is what we say.
    setup = f"import sys; sys.path += {[str(entry) for entry in path]!r}\n"
    command = [sys.executable, "-I", "-S", "-c", setup + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_function_is_packed():
    functions = {path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py")}
    assert functions == set(LAYERS) == {bundle.name for bundle in BUNDLES} - {"glue_jobs"}


@pytest.mark.parametrize(("bundle", "layer"), LAYERS.items())
def test_a_function_imports_alone(built, tmp_path, bundle, layer):
    code = f"import lambdas.{bundle}.handler as h; print(h.__file__); assert callable(h.lambda_handler)"
    runtime = folder_of(LAMBDA_RUNTIME, tmp_path / "runtime")
    done = run_isolated(code, built / f"{bundle}.zip", folder_of(layer, tmp_path / "layer"), runtime)
    assert done.returncode == 0, done.stderr
    assert f"{bundle}.zip" in done.stdout


def test_the_packed_ingest_function_answers_a_request(built, tmp_path):
    code = """
from lambdas.ingest.handler import make_handler
from lambdas.ingest.settings import Settings
from lambdas.ingest.store import Clients
class S3:
    def put_object(self, **request): pass
handle = make_handler(Settings("lake", "1:" + "0f" * 32), Clients(S3(), None))
request = {"routeKey": "POST /v1/events", "headers": {"content-type": "text/plain"},
           "requestContext": {"requestId": "r", "timeEpoch": 1}, "body": '{"event_type": "login"}'}
assert handle(request, None)["statusCode"] == 202
"""
    runtime = folder_of(LAMBDA_RUNTIME, tmp_path / "runtime")
    done = run_isolated(code, built / "ingest.zip", folder_of(LAYER_MODULES, tmp_path / "layer"), runtime)
    assert done.returncode == 0, done.stderr


def test_the_packed_generator_makes_events(built, tmp_path):
    code = """
from lambdas.generator.handler import make_handler
from lambdas.generator.settings import Settings
handle = make_handler(Settings("https://api.example", 20), lambda url, request: 202, write_log=len)
assert handle({}, None) == {"accepted": 1, "refused": 0}
"""
    runtime = folder_of(LAMBDA_RUNTIME, tmp_path / "runtime")
    done = run_isolated(code, built / "generator.zip", folder_of(LAYER_MODULES, tmp_path / "layer"), runtime)
    assert done.returncode == 0, done.stderr


def test_the_packed_report_renders_without_data(built, tmp_path):
    code = """
import pyarrow as pa
from lambdas.report.handler import make_handler
from lambdas.report.settings import Settings
from dashboards.report.figures import saved
class Lake:
    def query(self, sql): return pa.table({"as_of": []})
class S3:
    def put_object(self, **request): pass
handle = make_handler(Settings("lake", "db", "shop"), Lake(), s3=S3(), glue=None, write_log=len)
assert handle({}, None)["page_bytes"] > 1000
assert saved("products")
"""
    runtime = folder_of(LAMBDA_RUNTIME, tmp_path / "runtime")
    done = run_isolated(code, built / "report.zip", folder_of(PANDAS_LAYER, tmp_path / "layer"), runtime)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("entry", GLUE_ENTRIES)
def test_the_jobs_modules_import_alone_and_without_msgspec(built, tmp_path, entry):
    code = f"import {entry}, sys; assert 'msgspec' not in sys.modules"
    done = run_isolated(code, built / "glue_jobs.zip", folder_of(GLUE_RUNTIME, tmp_path / "runtime"))
    assert done.returncode == 0, done.stderr


def test_the_job_finds_the_generated_schema_in_its_zip(built):
    code = """
from importlib.resources import files
assert files("clicklake.contract.generated").joinpath("raw_line.spark.json").read_text().startswith("{")
"""
    done = run_isolated(code, built / "glue_jobs.zip")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_the_same_sources_give_the_same_bytes(bundle, tmp_path):
    first = build.write_zip(tmp_path / "a.zip", bundle_files(bundle), ROOT)
    again = build.write_zip(tmp_path / "b.zip", reversed(bundle_files(bundle)), ROOT)
    assert first == again
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {entry.date_time for entry in archive.infolist()} == {build.FIXED_TIME}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("name", LAYERS)
def test_a_function_packs_no_other_function_and_no_job(name):
    (bundle,) = [bundle for bundle in BUNDLES if bundle.name == name]
    folders = {Path(path).parts[:2] for path in bundle_files(bundle) if path.count("/") > 1}
    assert folders <= {("lambdas", name), ("clicklake", "contract")} | OTHER_FOLDERS.get(name, set())


def test_third_party_imports_are_in_the_layer_or_the_runtime():
    known = {*LAMBDA_RUNTIME, *sys.stdlib_module_names, *build.OWN_PACKAGES}
    for bundle in BUNDLES:
        for path in bundle_files(bundle) if bundle.name in LAYERS else ():
            if path.endswith(".py"):
                names = {name.partition(".")[0] for name in imported_names(ROOT / path)}
                assert names <= known | set(LAYERS[bundle.name]), path


@pytest.mark.parametrize("package", LAYER_PACKAGES)
def test_the_layer_has_all_its_packages_need(package):
    needed = [text for text in importlib.metadata.requires(package) or [] if "extra ==" not in text]
    names = {build._normal(text.split(";")[0].strip().partition(">")[0].partition("=")[0].strip()) for text in needed}
    assert names <= set(LAYER_PACKAGES)


def test_the_layers_versions_are_the_locked_ones():
    requirements = build.layer_requirements(build.locked_versions())
    assert [line.partition("==")[0] for line in requirements.splitlines()] == list(LAYER_PACKAGES)


def test_a_package_missing_from_the_lock_is_named():
    with pytest.raises(ValueError, match="msgspec"):
        build.layer_requirements({name: "1" for name in LAYER_PACKAGES if name != "msgspec"})


def test_a_missing_lock_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="uv lock"):
        build.locked_versions(tmp_path)


def test_imports_within_functions_are_packed_too(tmp_path):
    source = tmp_path / "m.py"
    source.write_text("import a.b\ndef f():\n    from c import d\n")
    assert set(imported_names(source)) == {"a.b", "c", "c.d"}


def test_a_relative_import_is_refused(tmp_path):
    source = tmp_path / "m.py"
    source.write_text("from . import x\n")
    with pytest.raises(ValueError, match=r"m\.py:1"):
        list(imported_names(source))
