"""The oracle says which of the definitions it reads, by headings that are there."""

import re

from clicklake.local.places import ROOT

CITED = re.compile(r"\(docs/definitions\.md: ([^)]+)\)")


def test_every_definition_that_the_oracle_cites_is_a_heading():
    headings = re.findall(r"^## (.+)$", (ROOT / "docs/definitions.md").read_text("utf-8"), re.MULTILINE)
    texts = [path.read_text("utf-8") for path in (ROOT / "clicklake/verify").glob("*.py")]
    cited = {" ".join(name.split()) for text in texts for names in CITED.findall(text) for name in names.split(",")}
    assert len(cited) > 9
    assert [name for name in sorted(cited) if not any(heading.startswith(name) for heading in headings)] == []
    assert not [text for text in texts if re.search(r"definitions,\s+section", text)]
