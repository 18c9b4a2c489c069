"""Writes what is generated from the contract, or with --check says what is out of date.

python -m clicklake.contract.generate [--check]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from clicklake.contract.dictionary import field_dictionary
from clicklake.contract.openapi import openapi
from clicklake.contract.schema import event_schema
from clicklake.contract.spark_schema import raw_line_schema

COMMAND = "python -m clicklake.contract.generate"
ROOT = Path(__file__).resolve().parents[2]


def generated_files() -> dict[str, str]:
    """Path below the repository's root, and content."""
    return {
        "clicklake/contract/generated/event.schema.json": _json(event_schema(COMMAND, accept_flat=False)),
        "clicklake/contract/generated/event.flat.schema.json": _json(event_schema(COMMAND, accept_flat=True)),
        "clicklake/contract/generated/openapi.json": _json(openapi(COMMAND)),
        "docs/contract/fields.md": field_dictionary(COMMAND),
        "clicklake/contract/generated/raw_line.spark.json": _json(raw_line_schema(COMMAND)),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def outdated(root: Path) -> list[str]:
    return [
        path
        for path, content in generated_files().items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != content
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write the files generated from the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    options = parser.parse_args(arguments)
    paths = outdated(ROOT)
    if options.check:
        for path in paths:
            print(f"{path} is out of date: run {COMMAND}", file=sys.stderr)
        return 1 if paths else 0
    for path in paths:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(generated_files()[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
