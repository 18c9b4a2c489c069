import shutil
from pathlib import Path

import pytest

from tests.terraform.workbench import Workbench, set_up, terraform_environment


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The configuration, initialised, without any account."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed: see docs/deploy.md")
    folder: Path = tmp_path_factory.mktemp("terraform")
    return set_up(folder, terraform_environment())
