from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from clicklake.endpoints import Endpoints

NOWHERE = Endpoints("http://127.0.0.1:9", "us-east-1", "", "testing", "testing")
FAST = {"connect_timeout": 1, "read_timeout": 5, "retries": {"total_max_attempts": 1}}


@pytest.fixture(scope="session")
def emulator() -> Iterator[Endpoints]:
    """A real HTTP server that speaks S3, SQS and SSM; If-None-Match is enforced."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Endpoints(f"http://{host}:{port}", "us-east-1", "", "testing", "testing")
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
