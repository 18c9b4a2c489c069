"""The emulator keeps Glue's promise on versions, and never outlives its parent."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from clicklake import endpoints
from clicklake.local import emulator as emulators
from clicklake.local.emulator import Emulator, Lake
from clicklake.local.places import ROOT, TwinError


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def closes(port: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not is_open(port):
            return True
        time.sleep(0.05)
    return False


def test_of_two_updates_of_one_version_the_second_is_refused(lake: Lake) -> None:
    glue = endpoints.client("glue")
    glue.create_table(DatabaseName=lake.database, TableInput={"Name": "t", "Parameters": {"n": "0"}})
    version = glue.get_table(DatabaseName=lake.database, Name="t")["Table"]["VersionId"]
    update = {"DatabaseName": lake.database, "VersionId": version, "SkipArchive": True}
    glue.update_table(**update, TableInput={"Name": "t", "Parameters": {"n": "1"}})
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(**update, TableInput={"Name": "t", "Parameters": {"n": "2"}})
    assert glue.get_table(DatabaseName=lake.database, Name="t")["Table"]["Parameters"] == {"n": "1"}


def test_of_many_writers_at_once_none_loses_an_update(lake: Lake) -> None:
    glue = endpoints.client("glue")
    glue.create_table(DatabaseName=lake.database, TableInput={"Name": "t", "Parameters": {"n": "0"}})

    def add_ten() -> None:
        done = 0
        while done < 10:
            table = glue.get_table(DatabaseName=lake.database, Name="t")["Table"]
            raised = {"Name": "t", "Parameters": {"n": str(int(table["Parameters"]["n"]) + 1)}}
            try:
                glue.update_table(DatabaseName=lake.database, TableInput=raised, VersionId=table["VersionId"])
            except glue.exceptions.ConcurrentModificationException:
                continue
            done += 1

    writers = [threading.Thread(target=add_ten) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert glue.get_table(DatabaseName=lake.database, Name="t")["Table"]["Parameters"] == {"n": "40"}


def test_a_lake_has_all_that_its_parts_need(lake: Lake) -> None:
    body = b"x"
    endpoints.client("s3").put_object(Bucket=lake.bucket, Key="raw/a", Body=body)
    endpoints.client("sqs").send_message(QueueUrl=lake.buffer_queue_url, MessageBody="m")
    environment = lake.environment()
    ssm = endpoints.client("ssm")
    for name in ("HASH_KEY_PARAMETER", "EDGE_SECRET_PARAMETER"):
        assert ssm.get_parameter(Name=environment[name], WithDecryption=True)["Parameter"]["Value"]
    assert endpoints.client("glue").get_database(Name=lake.database)["Database"]["LocationUri"].startswith("s3://")


def test_a_stopped_emulator_is_gone() -> None:
    running = emulators.start()
    assert is_open(running.port)
    running.stop()
    assert not is_open(running.port)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_emulator_ends_with_its_parent_however_that_ends(end: signal.Signals) -> None:
    code = "import time, clicklake.local.emulator as e; print(e.start().port, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert is_open(port)
        parent.send_signal(end)
        parent.wait(timeout=10)
    assert closes(port)


A_LAKE_FOUND_AND_ASKED = """
from clicklake.local import emulator as e
from clicklake.local.authorizer import UserPool
from clicklake.local.sql import connect
with e.running() as running:
    lake = running.create_lake()
    UserPool.create(running).authorizer()
    lake.enter()
    print(connect(lake.endpoints(), lake.database).relations()[0])
"""


@pytest.mark.parametrize(
    "surroundings",
    [
        {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
        {"http_proxy": "http://127.0.0.1:9", "no_proxy": "intranet.example"},
        {"AWS_PROFILE": "of-no-file"},
        {"AWS_CONFIG_FILE": "{tmp_path}/damaged"},
    ],
    ids=lambda surroundings: next(reversed(surroundings)),
)
def test_proxies_and_profiles_do_not_come_between(surroundings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "damaged").write_text("[[")
    usual = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    usual |= {name: value.format(tmp_path=tmp_path) for name, value in surroundings.items()}
    done = subprocess.run(
        [sys.executable, "-c", A_LAKE_FOUND_AND_ASKED],
        cwd=ROOT,
        env=usual,
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr


def test_a_taken_port_is_one_sentence(emulator: Emulator) -> None:
    with pytest.raises(TwinError, match=rf"^Port {emulator.port} cannot be used for the emulator .*\.$"):
        emulators.start(emulator.port)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLICKLAKE_STATE", str(tmp_path / "state"))
    for name in ("AWS_ENDPOINT_URL", "LAKE_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state" / "emulator.json"


def some_lake(emulator: Emulator, pid: int) -> Lake:
    return Lake(emulator.endpoint_url, "b", "d", "q", pid)


def test_a_running_twin_is_found_and_forgotten_at_its_end(emulator: Emulator, state: Path) -> None:
    lake = some_lake(emulator, os.getpid())
    with emulators.announced(lake):
        assert emulators.find_lake() == lake
    assert not state.exists()
    with pytest.raises(TwinError, match="No twin is running here: start one with `clicklake up`"):
        emulators.find_lake()


def test_a_demo_beside_a_running_twin_gives_its_place_back(emulator: Emulator, state: Path) -> None:
    twin, demo = some_lake(emulator, os.getppid()), some_lake(emulator, os.getpid())
    with emulators.announced(twin):
        with emulators.announced(demo):
            assert emulators.find_lake() == demo
        assert emulators.find_lake() == twin
    assert not state.exists()


def test_a_killed_twin_is_told_from_a_running_one(emulator: Emulator, state: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    state.parent.mkdir()
    state.write_text(json.dumps(vars(some_lake(emulator, ended.pid))))
    with pytest.raises(TwinError, match="has ended"):
        emulators.find_lake()


def test_a_process_number_used_again_does_not_pass_for_a_twin(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    state.parent.mkdir()
    state.write_text(json.dumps(vars(Lake(f"http://127.0.0.1:{port}", "b", "d", "q", os.getpid()))))
    with pytest.raises(TwinError, match="has ended"):
        emulators.find_lake()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"unknown": 1}'])
def test_a_damaged_state_file_is_no_twin(state: Path, text: str) -> None:
    state.parent.mkdir()
    state.write_text(text)
    with pytest.raises(TwinError, match="No twin is running"):
        emulators.find_lake()
