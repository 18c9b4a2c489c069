"""A Java 17 is found where there is one, and nothing else passes for one."""

from pathlib import Path

import pytest

from clicklake.local import jars, java
from clicklake.local.places import TwinError


def home(folder: Path, release: str | None) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(mode=0o755)
    if release is not None:
        (folder / "release").write_text(release)
    return folder


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ('IMPLEMENTOR="x"\nJAVA_VERSION="17.0.15"\n', 17),
        ('JAVA_VERSION="17"\n', 17),
        ('JAVA_VERSION="25-ea"\n', 25),
        ('JAVA_VERSION="1.8.0_402"\n', 1),
        ('JAVA_VERSION="new"\n', None),
        ("", None),
        (None, None),
    ],
)
def test_the_version_is_what_the_release_file_states(tmp_path: Path, release: str | None, version: int | None) -> None:
    assert java.major_version(home(tmp_path / "jdk", release)) == version


def test_java_home_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = home(tmp_path / "jdk", 'JAVA_VERSION="17.0.1"\n')
    monkeypatch.setenv("JAVA_HOME", str(chosen))
    assert java.java_home() == chosen


def test_a_java_home_of_another_version_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, right = home(tmp_path / "a", 'JAVA_VERSION="25"\n'), home(tmp_path / "b", 'JAVA_VERSION="17"\n')
    monkeypatch.setenv("JAVA_HOME", str(other))
    monkeypatch.setenv("PATH", str(right / "bin"))
    assert java.java_home() == right


def test_no_java_is_one_sentence_that_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_homes", lambda: iter(()))
    with pytest.raises(TwinError, match=r"^No Java 17 was found: run `make java`.*\.$"):
        java.java_home()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLICKLAKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("words", "cure"),
    [("no route", "check the network"), ("PKIX path building failed", r"does not know .*javax\.net\.ssl\.trustStore=")],
)
def test_jars_that_cannot_be_fetched_are_one_sentence(
    tmp_path: Path,
    empty_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    cure: str,
) -> None:
    failing = home(tmp_path / "jdk", 'JAVA_VERSION="17"\n')
    (failing / "bin" / "java").write_text(f"#!/bin/sh\necho {words}; exit 1\n")
    monkeypatch.setenv("JAVA_HOME", str(failing))
    with pytest.raises(TwinError, match=f"could not be fetched: .*{cure}"):
        jars.classpath()
    assert not jars.is_cached()
    assert words in (empty_cache / "jars" / "failure.log").read_text()
    assert "100 MB" in capsys.readouterr().err


def test_what_is_left_of_an_older_cache_is_in_nobodys_way(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetching = home(tmp_path / "jdk", 'JAVA_VERSION="17"\n')
    script = """#!/bin/sh
while [ "$1" != -retrieve ]; do shift; done
folder=$(dirname "$2"); mkdir -p "$folder"; touch "$folder/new.jar"
"""
    (fetching / "bin" / "java").write_text(script)
    (fetching / "bin" / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(fetching))
    folder = jars._folder()
    folder.mkdir(parents=True)
    (folder / "old.jar").touch()  # without the mark that all are there
    (folder.parent / "fetch-killed").mkdir()
    assert [path.name for path in jars.classpath()] == ["new.jar"]
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([folder.name, "lock"])


def test_cached_jars_need_neither_java_nor_network(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = jars._folder()
    folder.mkdir(parents=True)
    (folder / "b.jar").touch()
    (folder / "a.jar").touch()
    (folder / "complete").touch()
    monkeypatch.setattr(jars, "java_home", lambda: pytest.fail("Java was asked for"))
    assert [path.name for path in jars.classpath()] == ["a.jar", "b.jar"]
