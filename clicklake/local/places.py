"""Folders, files and errors of the laptop twin."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class TwinError(Exception):
    """Something the user can put right; the message is one sentence that says how."""


def state_folder() -> Path:
    """Where a running twin leaves word of itself: .clicklake/ beside the code, or $CLICKLAKE_STATE."""
    return Path(os.environ.get("CLICKLAKE_STATE") or ROOT / ".clicklake")


def cache_folder() -> Path:
    """What clones share (jars): the user's cache folder, or $CLICKLAKE_CACHE."""
    if chosen := os.environ.get("CLICKLAKE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clicklake"


def write_atomically(path: Path, text: str) -> None:
    """A reader finds the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")  # several may write at once
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
