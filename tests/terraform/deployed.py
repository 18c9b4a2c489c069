"""Runs what was deployed: taken out of the emulator again, in clean processes that see nothing of this tree."""

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import sysconfig
import threading
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from clicklake.cli.build import ROOT
from clicklake.local.jars import classpath
from clicklake.local.java import java_home

# What AWS's Python brings along beside the standard library.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
# AWS's own layer with awswrangler, and what is in it.
PANDAS_LAYER = "AWSSDKPandas-Python313-Arm64"
PANDAS = ("awswrangler", "numpy", "numpy.libs", "packaging", "pandas", "pyarrow", "typing_extensions")
# Whoever opens a file of this tree (installed packages apart) runs something else than what was deployed.
GUARD = f"""
import os, sys
def _guard(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        if path.startswith({str(ROOT) + os.sep!r}) and not path.startswith({str(ROOT / ".venv")!r}):
            os.write(2, f"opened {{path}} of the repository\\n".encode())
            os._exit(70)
sys.addaudithook(_guard)
"""
CALL = """
import importlib, json
module, _, name = {handler!r}.rpartition(".")
handle = getattr(importlib.import_module(module), name)
print("ANSWER" + json.dumps(handle(json.load(sys.stdin), None)))
"""


@dataclass(frozen=True)
class Deployed:
    """`folder` takes what is fetched; `aws` makes clients of the emulator. Functions may call each other."""

    endpoint_url: str
    aws: Any
    folder: Path
    one_fetch: threading.Lock = field(default_factory=threading.Lock)

    def environment(self, who: str) -> dict[str, str]:
        """What AWS's runtimes set. The access key tells the emulator who is asking."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": who,
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": os.environ["PATH"],
        }

    def call(self, name: str, event: Mapping[str, Any]) -> Any:
        """Calls a deployed function with nothing but its zip, its layers and its environment."""
        found = self.aws("lambda").get_function(FunctionName=name)["Configuration"]
        with self.one_fetch:
            paths = [
                self.package(name),
                *(self.layer(layer["Arn"]) for layer in found.get("Layers", [])),
                self.installed("runtime", RUNTIME),
            ]
        code = f"{GUARD}\nsys.path += {[str(path) for path in paths]!r}\n{CALL.format(handler=found['Handler'])}"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            cwd=self.folder,
            env=self.environment(name) | found["Environment"]["Variables"],
            input=json.dumps(event),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.rpartition("ANSWER")[2])

    def fetch(self, path: str) -> bytes:
        with urlopen(f"{self.endpoint_url}/_deployed/{path}") as answer:
            return answer.read()

    def package(self, name: str) -> Path:
        content = self.fetch(f"function/{name}")
        path = self.folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}.zip"
        if not path.exists():
            path.write_bytes(content)
        return path

    def layer(self, arn: str) -> Path:
        if f":{PANDAS_LAYER}:" in arn:
            return self.installed(PANDAS_LAYER, PANDAS)
        folder = self.folder / arn.replace(":", "_")
        if not folder.is_dir():
            # Unpacked, as Lambda does: compiled modules cannot be loaded from a zip.
            zipfile.ZipFile(io.BytesIO(self.fetch(f"layer/{arn}"))).extractall(folder)
        compiled = [path.name for path in folder.rglob("*.so")]
        if all(name.endswith(sysconfig.get_config_var("EXT_SUFFIX")) for name in compiled):
            return folder / "python"
        # Built for Lambda's Python and processor: the same packages of this computer's stand for them.
        packages = [path.name.partition("-")[0] for path in (folder / "python").glob("*.dist-info")]
        return self.installed(f"{folder.name}_here", packages)

    def installed(self, name: str, packages: Iterable[str]) -> Path:
        """A folder with these packages of this computer's and no others."""
        folder = self.folder / name
        site = Path(importlib.util.find_spec("boto3").origin).parents[1]
        folder.mkdir(exist_ok=True)
        for name in packages:
            (source,) = [path for path in (site / name, site / f"{name}.py") if path.exists()]
            if not (folder / source.name).exists():
                (folder / source.name).symlink_to(source)
        return folder

    def run_job(self, name: str, given: Mapping[str, str]) -> str:
        """Runs a deployed Glue job by spark-submit: its script, its modules, these arguments. Gives what it says."""
        job = self.aws("glue").get_job(JobName=name)["Job"]
        arguments, role = dict(given), job["Role"].rpartition("/")[2]
        modules = self.download(arguments.pop("--extra-py-files"))
        assert arguments.pop("--datalake-formats") == "iceberg"
        script = self.download(job["Command"]["ScriptLocation"])
        guard = self.folder / "guard"
        guard.mkdir(exist_ok=True)
        (guard / "sitecustomize.py").write_text(GUARD)
        jars = os.pathsep.join(map(str, classpath()))
        settings = {
            "spark.driver.extraClassPath": jars,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }
        command = [str(Path(sys.executable).parent / "spark-submit"), "--master", "local[2]", "--driver-memory", "2g"]
        command += [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        command += ["--py-files", str(modules), str(script)]
        environment = self.environment(role) | {
            "JAVA_HOME": str(java_home()),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "PYTHONPATH": str(guard),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "HOME": str(self.folder),
        }
        done = subprocess.run(
            [*command, *(part for pair in arguments.items() for part in pair)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout

    def download(self, place: str) -> Path:
        bucket, _, key = place.removeprefix("s3://").partition("/")
        target = self.folder / key.rpartition("/")[2]
        target.write_bytes(self.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        return target
