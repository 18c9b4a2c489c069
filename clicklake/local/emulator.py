"""The emulator of AWS: moto's server in a child process, and what a lake needs to exist in it.

    with running() as emulator:
        emulator.create_lake()
        os.environ.update(emulator.environment())

The child ends with `stop()`, with the `with` block, or with this process, however that ends.
A state file in .clicklake/ lets other commands find a running twin.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import localstack_client.session

from clicklake.endpoints import DEFAULT_REGION, Endpoints
from clicklake.local.places import ROOT, TwinError, state_folder, write_atomically

BUCKET = "clicklake-lake"
DATABASE = "clickstream_db"
QUEUE = "clicklake-buffer"
DEAD_LETTER_QUEUE = "clicklake-buffer-dead"
HASH_KEY_PARAMETER = "/clicklake/hash-keys"
# A key for made-up visitors only: the same everywhere, so that two runs of one seed are equal.
HASH_KEYS = "1:" + "c11c" * 16
EDGE_SECRET_PARAMETER = "/clicklake/edge-secret"
EDGE_SECRET = "the-edge-of-the-emulator"
CREDENTIAL = "emulator"

_START_SECONDS = 60
_STATE_FILE = "emulator.json"
# Real credentials and profiles have no business with an emulator.
FOREIGN_VARIABLES = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True)
class Lake:
    """One lake in a running emulator; `pid` is the process that holds the emulator."""

    endpoint_url: str
    bucket: str
    database: str
    buffer_queue_url: str
    pid: int

    def environment(self) -> dict[str, str]:
        """What every part of the platform (handler, job, SQL) has to find in its environment."""
        return {
            **_aws_environment(self.endpoint_url),
            "LAKE_BUCKET": self.bucket,
            "BUFFER_QUEUE_URL": self.buffer_queue_url,
            "HASH_KEY_PARAMETER": HASH_KEY_PARAMETER,
            "EDGE_SECRET_PARAMETER": EDGE_SECRET_PARAMETER,
        }

    def endpoints(self) -> Endpoints:
        return Endpoints.from_environment(self.environment())

    def enter(self) -> None:
        """Points this process at the lake."""
        _leave_aws()
        os.environ.update(self.environment())


class Emulator:
    """A running emulator."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port
        self.endpoint_url = f"http://127.0.0.1:{port}"

    def client(self, service: str) -> Any:
        """A client for setting things up; the product's own clients come from clicklake.endpoints."""
        session = localstack_client.session.Session(
            aws_access_key_id=CREDENTIAL,
            aws_secret_access_key=CREDENTIAL,
            aws_session_token=None,
            region_name=DEFAULT_REGION,
            localstack_host=f"127.0.0.1:{self.port}",
        )
        # The host yields to AWS_ENDPOINT_URL of the environment, which may be another emulator's.
        session._service_endpoint_mapping = dict.fromkeys(session._service_endpoint_mapping, self.endpoint_url)
        return session.client(service)

    def create_lake(self, bucket: str = BUCKET, database: str = DATABASE) -> Lake:
        """Bucket, Glue database, buffer queue with its dead-letter queue, secrets."""
        self.client("s3").create_bucket(Bucket=bucket)
        glue = self.client("glue")
        if database not in [found["Name"] for found in glue.get_databases()["DatabaseList"]]:
            glue.create_database(DatabaseInput={"Name": database, "LocationUri": f"s3://{bucket}/results"})
        sqs = self.client("sqs")
        dead = sqs.create_queue(QueueName=DEAD_LETTER_QUEUE)["QueueUrl"]
        dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 5})
        queue = sqs.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        ssm = self.client("ssm")
        for name, value in ((HASH_KEY_PARAMETER, HASH_KEYS), (EDGE_SECRET_PARAMETER, EDGE_SECRET)):
            ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
        return Lake(self.endpoint_url, bucket, database, queue, os.getpid())

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def start(port: int = 0) -> Emulator:
    """Starts the emulator on `port`, 0 for a free one; TwinError where the port is taken.

    From then on this process has nothing to do with a real account.
    """
    _leave_aws()
    environment = {**os.environ, **_aws_environment(""), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment.pop("AWS_ENDPOINT_URL")
    words = tempfile.TemporaryFile()  # noqa: SIM115 - the child writes to it as long as it lives
    process = subprocess.Popen(
        [sys.executable, "-m", "clicklake.local.emulator_server", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        env=environment,
        process_group=0,  # Ctrl-C is the parent's to handle
    )
    said = b""
    try:
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        said = process.stdout.readline().strip() if ready else b""
    finally:
        if not said.isdigit():
            process.kill()
    if said.isdigit():
        words.close()
        return Emulator(process, int(said))
    process.communicate()
    words.seek(0)
    with words:
        lines = words.read().decode(errors="replace").strip().splitlines()
    lines = lines or [f"no answer in {_START_SECONDS} s"]
    if lines[-1].startswith("Port "):
        raise TwinError(lines[-1])
    raise TwinError(f"The emulator did not start: {lines[-1]}.")


@contextmanager
def running(port: int = 0) -> Iterator[Emulator]:
    emulator = start(port)
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def announced(lake: Lake) -> Iterator[None]:
    """Tells other commands of the lake for as long as the block runs; then of the one before, if it still does."""
    before = _read_state()
    write_atomically(_state_path(), json.dumps(asdict(lake)) + "\n")
    try:
        yield
    finally:
        found = _read_state()
        if found is not None and found.pid == lake.pid:
            if before is not None and before.pid != lake.pid and _is_running(before):
                write_atomically(_state_path(), json.dumps(asdict(before)) + "\n")
            else:
                _state_path().unlink(missing_ok=True)


def find_lake() -> Lake:
    """The lake that the environment names, else the running twin's; TwinError where there is none."""
    if os.environ.get("AWS_ENDPOINT_URL") and os.environ.get("LAKE_BUCKET"):
        return _lake_of_environment(Endpoints.from_environment())
    lake = _read_state()
    if lake is None:
        raise TwinError("No twin is running here: start one with `clicklake up` in another terminal.")
    if not _is_running(lake):
        _state_path().unlink(missing_ok=True)
        raise TwinError("The twin that ran here has ended, and its lake with it: start one with `clicklake up`.")
    return lake


def _lake_of_environment(endpoints: Endpoints) -> Lake:
    if not _answers(endpoints.endpoint_url):
        raise TwinError("Nothing answers at AWS_ENDPOINT_URL: start the emulator there, or unset it to use the twin's.")
    return Lake(
        endpoints.endpoint_url,
        endpoints.bucket,
        DATABASE,
        os.environ.get("BUFFER_QUEUE_URL", ""),
        os.getpid(),
    )


def _aws_environment(endpoint_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": CREDENTIAL,
        "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
        "AWS_REGION": DEFAULT_REGION,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        **_apart_from_aws(),
    }


def _leave_aws() -> None:
    for name in FOREIGN_VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(_apart_from_aws())


def _apart_from_aws() -> dict[str, str]:
    """No profile's settings, and no proxy: boto3, DuckDB and the JVM would each ask a company's for 127.0.0.1."""
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if direct != "*":
        direct = ",".join(dict.fromkeys([*filter(None, direct.split(",")), "127.0.0.1", "localhost"]))
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "no_proxy": direct,
        "NO_PROXY": direct,
    }


def _state_path() -> Path:
    return state_folder() / _STATE_FILE


def _read_state() -> Lake | None:
    try:
        return Lake(**json.loads(_state_path().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _is_running(lake: Lake) -> bool:
    return is_alive(lake.pid) and _answers(lake.endpoint_url)


def _answers(endpoint_url: str) -> bool:
    address = urlsplit(endpoint_url)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=2).close()
    except (OSError, ValueError):
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether the process exists; by a negative number, whether anything of that process group does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
