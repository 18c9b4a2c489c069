"""What the JVM is started with."""

import shlex
from pathlib import Path

import pytest

from clicklake.local import spark


@pytest.mark.parametrize("folder", ["/tmp/plain", "/tmp/two words", '/tmp/a "quoted" \\ one'])
def test_a_folder_of_any_name_stays_one_option(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setattr(spark, "classpath", list)
    monkeypatch.setattr(spark, "ROOT", Path(folder))
    options = shlex.split(spark.laptop_settings(Path(folder))["spark.driver.extraJavaOptions"])
    assert all(option.startswith("-") for option in options)
    assert f"-Djava.io.tmpdir={folder}" in options
