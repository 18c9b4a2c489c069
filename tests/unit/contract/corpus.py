"""The example files: what is sent, and the verdict their names state."""

from dataclasses import dataclass
from pathlib import Path

import clicklake.contract

ROOT = Path(next(iter(clicklake.contract.__path__)))
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Example:
    """`event/price.fail.not_money.json`: form event, name price, refused for not_money. Passing bodies
    state their number of events in the place of the reason."""

    path: Path
    form: str
    is_accepted: bool
    detail: str

    @property
    def text(self) -> bytes:
        return self.path.read_bytes()

    @property
    def accept_flat(self) -> bool:
        return self.form == "flat"

    def __str__(self) -> str:
        return f"{self.form}/{self.path.name}"


def examples(*forms: str) -> list[Example]:
    return [_example(path) for form in forms for path in sorted((EXAMPLES / form).iterdir())]


def _example(path: Path) -> Example:
    parts = path.name.rsplit(".", 3)
    if parts[-2] == "pass":
        return Example(path, path.parent.name, True, "")
    _, verdict, detail, _ = parts
    return Example(path, path.parent.name, verdict == "pass", detail)
