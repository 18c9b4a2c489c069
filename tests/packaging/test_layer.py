"""The layer is for Lambda's Python and processor, whatever computer builds it."""

import struct
import zipfile

import pytest

from clicklake.cli import build

pytestmark = pytest.mark.slow

AARCH64 = 183  # e_machine in an ELF header
MAX_BYTES = 50 * 1024 * 1024  # what Lambda takes in one call


@pytest.fixture(scope="module")
def layer(tmp_path_factory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("layer")
    build.build(out)
    build.build_layer(out, out / "layer-requirements.txt")
    assert (out / "layer.zip").stat().st_size < MAX_BYTES
    return zipfile.ZipFile(out / "layer.zip")


def test_everything_lies_where_lambda_looks(layer):
    assert all(name.startswith("python/") for name in layer.namelist())


def test_every_compiled_module_is_for_arm(layer):
    compiled = [name for name in layer.namelist() if name.endswith(".so") or ".so." in name]
    assert compiled
    for name in compiled:
        header = layer.read(name)[:20]
        assert header[:4] == b"\x7fELF", name
        assert struct.unpack_from("<H", header, 18)[0] == AARCH64, name


def test_every_wheel_is_pure_or_for_lambdas_python_and_arm(layer):
    wheels = [name for name in layer.namelist() if name.endswith(".dist-info/WHEEL")]
    assert len(wheels) == len(build.LAYER_PACKAGES)
    for name in wheels:
        tags = [
            line.removeprefix("Tag: ") for line in layer.read(name).decode().splitlines() if line.startswith("Tag: ")
        ]
        assert any(tag.endswith("-none-any") or ("cp313-" in tag and "aarch64" in tag) for tag in tags), (name, tags)


def test_it_tells_nothing_of_the_computer_that_built_it(layer):
    names = {name.rpartition("/")[2] for name in layer.namelist()}
    assert not names & {"RECORD", "INSTALLER", "direct_url.json"}
