"""What follow_readme.py reads out of the README; following it takes minutes, and CI does it."""

import pytest

from clicklake.cli.build import ROOT
from tests.terraform.follow_readme import commands


def test_the_chapters_commands_are_read_without_their_comments():
    block = "```\nmake plan ENV=dev   # what would change\n\nmake x\n```\n"
    readme = f"# A\n\n```\nmake no\n```\n\n## Onto AWS\n\nText.\n\n{block}"
    assert commands(readme) == ["make plan ENV=dev", "make x"]


def test_a_readme_without_the_chapter_is_told():
    with pytest.raises(ValueError, match="no chapter"):
        commands("# A\n\n```\nmake x\n```\n")


def test_the_readme_deploys_tries_and_destroys():
    found = commands((ROOT / "README.md").read_text())
    words = [next(word for word in command.split() if word not in ("make", ".venv/bin/clicklake")) for command in found]
    assert words[0] == "build" and words[-1] == "destroy" and {"plan", "deploy", "smoke"} < set(words)
