"""Bad input and Ctrl-C: one clear sentence, no stack trace, nothing left running. Real processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clicklake.local.emulator import Emulator, Lake
from clicklake.local.places import ROOT

COMMAND = [sys.executable, "-m", "clicklake.cli"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's environment: no AWS, no twin, a terminal of usual width."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "LAKE_BUCKET"}
    no_account = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    state = {"CLICKLAKE_STATE": str(tmp_path / "state"), "COLUMNS": "200", "TMPDIR": str(tmp_path)}
    return {**kept, **no_account, **state}


def run(arguments: list[str], environment: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        cwd=ROOT,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_and_version_answer(environment: dict[str, str]) -> None:
    shown = run(["--help"], environment)
    assert shown.returncode == 0
    commands = "demo up refresh rebuild reparse maintain query verify smoke cost doctor"
    for command in commands.split():
        assert command in shown.stdout
        assert run([command, "--help"], environment).returncode == 0
    assert re.fullmatch(r"clicklake \d+\.\d+\.\d+\n", run(["--version"], environment).stdout)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["query", "kpis"], "No twin is running here: start one with `clicklake up` in another terminal."),
        (["refresh"], "No twin is running here: start one with `clicklake up` in another terminal."),
        (["rebuild"], "No twin is running here"),
        (["maintain"], "No twin is running here"),
        (["verify"], "No twin is running here"),
        (["verify", "--seed", "3"], "--seed, --visitors and --until tell what to simulate: add --days."),
        (["query", "nix"], "There is no saved query 'nix'; choose one of: "),
        (
            ["reparse", "--from", "2026-01-02", "--to", "2026-01-01"],
            "--from 2026-01-02 is after --to 2026-01-01",
        ),
        (["demo", "--report", "/proc/nowhere/report.html", "--days", "1"], "The report cannot be written to"),
        (["demo", "--until", "9999-12-31", "--days", "1"], "Days so early or so late cannot be simulated"),
        (["refresh", "--env", "dev"], "There are no AWS credentials here (NoCredentialsError): run `aws configure`"),
        (["query", "kpis", "--env", "Dev"], "'Dev' is no deployment's name"),
    ],
)
def test_what_the_user_can_put_right_is_one_sentence(
    environment: dict[str, str], arguments: list[str], sentence: str
) -> None:
    ended = run(arguments, environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence) and ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["demo", "--days", "0"], "--days"),
        (["demo", "--until", "tomorrow"], "--until"),
        (["demo", "--profile", "nix"], "--profile"),
        (["up", "--port", "70000"], "--port"),
        (["reparse"], "--from"),
        (["verify", "--days", "0"], "--days"),
        (["verify", "--until", "tomorrow"], "--until"),
    ],
)
def test_a_wrong_option_is_named(environment: dict[str, str], arguments: list[str], words: str) -> None:
    ended = run(arguments, environment)
    assert ended.returncode == 2
    assert words in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select * from evnts", "There is no table evnts; the tables are: "),
        ("select 1 +", "Syntax error at line 1"),
        ("drop table events", "the lake is read-only"),
        ("select nope(1)", "nope"),
    ],
)
def test_a_wrong_query_is_one_sentence(environment: dict[str, str], lake: Lake, sql: str, words: str) -> None:
    ended = run(["query", sql], {**environment, **lake.environment()})
    assert ended.returncode == 1
    assert words in ended.stderr and ended.stderr.count("\n") == 1


def test_a_query_comes_from_stdin_and_a_formula_is_neutralised(environment: dict[str, str], lake: Lake) -> None:
    sql = "select '=HYPERLINK(1)' as term, 1 as n"
    asked = run(["query", "-", "--output", "csv"], {**environment, **lake.environment()}, sql)
    assert (asked.returncode, asked.stdout) == (0, "term,n\n'=HYPERLINK(1),1\n")


def test_a_query_that_is_no_text_is_one_sentence(environment: dict[str, str], lake: Lake) -> None:
    ended = run(["query", "select 1 as \udcff"], {**environment, **lake.environment()})
    assert (ended.returncode, ended.stderr) == (1, "The query is not UTF-8 text: save it as such.\n")


def test_a_stopped_emulator_is_one_sentence(environment: dict[str, str], lake: Lake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        gone = f"http://127.0.0.1:{once.getsockname()[1]}"
    ended = run(["query", "kpis"], {**environment, **lake.environment(), "AWS_ENDPOINT_URL": gone})
    assert ended.returncode == 1
    assert ended.stderr.startswith("Nothing answers at AWS_ENDPOINT_URL") and ended.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(
    environment: dict[str, str], tmp_path: Path, lake: Lake
) -> None:
    (tmp_path / "file").touch()
    surroundings = {**environment, **lake.environment(), "CLICKLAKE_CACHE": str(tmp_path / "file" / "cache")}
    ended = run(["refresh"], surroundings)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Not a directory (") and ended.stderr.count("\n") == 1
    told = run(["doctor"], surroundings)
    assert told.returncode == 1 and f"{tmp_path / 'file'} (the cache) cannot be written to" in told.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to /dev/full")
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_full_disk_is_one_sentence(environment: dict[str, str], output: str) -> None:
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "cost", "--output", output]
        ended = subprocess.run(
            command, check=False, cwd=ROOT, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("No space left on device") and ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "--port", "{port}"],
        ["up", "--port", "{port}", "--report-port", "0"],
        ["up", "--report-port", "{port}"],
    ],
)
def test_a_taken_port_is_one_sentence(environment: dict[str, str], emulator: Emulator, arguments: list[str]) -> None:
    ended = run([part.format(port=emulator.port) for part in arguments], environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {emulator.port} cannot be used for the ") and ended.stderr.count("\n") == 1


def test_no_java_and_no_network_is_one_sentence(environment: dict[str, str], tmp_path: Path, lake: Lake) -> None:
    offline = {**environment, **lake.environment(), "CLICKLAKE_CACHE": str(tmp_path / "cache")}
    broken = tmp_path / "jdk"
    (broken / "bin").mkdir(parents=True)
    (broken / "bin" / "java").write_text("#!/bin/sh\nexit 1\n")
    (broken / "bin" / "java").chmod(0o755)
    (broken / "release").write_text('JAVA_VERSION="17"\n')
    ended = run(["refresh"], {**offline, "JAVA_HOME": str(broken)})
    assert ended.returncode == 1
    assert "could not be fetched: check the network" in ended.stderr and "Traceback" not in ended.stderr


# --- Ctrl-C


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def members(session: int) -> list[str]:
    """The command lines of the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((entry / "cmdline").read_text().replace("\0", " ")[:200])
        except (OSError, IndexError):
            continue
    return found


def handles_signals(process: subprocess.Popen[str]) -> bool:
    """True once the program's own first line has run: before it, the interpreter itself answers a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def wait_for(condition: str, process: subprocess.Popen[str], output: Path) -> None:
    """Until the output, or a command line of the session, contains `condition`."""
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        is_there = condition in output.read_text() or any(condition in line for line in members(process.pid))
        if is_there and handles_signals(process):
            return
        time.sleep(0.02)
    pytest.fail(f"never came to {condition!r}: {output.read_text()[-2000:]}")


UP = ["up", "--port", "0", "--report-port", "0"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("arguments", "moment", "end"),
    [
        (["demo", "--days", "3"], "clicklake.cli", signal.SIGINT),
        (["demo", "--days", "3"], "emulator_server", signal.SIGINT),
        (["demo", "--days", "3"], "Sending requests", signal.SIGINT),
        (["demo", "--days", "1", "--visitors", "0.05"], "SparkSubmit", signal.SIGINT),
        pytest.param(
            ["demo", "--days", "1", "--visitors", "0.05"],
            "new raw objects",
            signal.SIGTERM,
            marks=pytest.mark.slow,
        ),
        (UP, "job_server", signal.SIGINT),
        (UP, "Ctrl-C ends it all", signal.SIGHUP),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_ctrl_c_leaves_nothing_running(
    environment: dict[str, str],
    tmp_path: Path,
    started: list[subprocess.Popen[str]],
    arguments: list[str],
    moment: str,
    end: signal.Signals,
) -> None:
    output = tmp_path / "output"
    with open(output, "w") as out:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # The tests may run under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
        )
    started.append(process)
    wait_for(moment, process, output)
    process.send_signal(end)
    assert process.wait(timeout=30) in (130, 143, -signal.SIGINT)
    until = time.monotonic() + 5
    while members(process.pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert members(process.pid) == []
    assert "Traceback" not in output.read_text()
    assert not (tmp_path / "state" / "emulator.json").exists()
    assert not list(tmp_path.glob("clicklake-*"))
