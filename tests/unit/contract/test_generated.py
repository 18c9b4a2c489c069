import json
import subprocess
import sys

import jsonschema
import msgspec
import pytest
from openapi_spec_validator import validate

from clicklake.contract.event import Consent, Device, Event, Geo, Item, OwnProp, Props
from clicklake.contract.generate import COMMAND, ROOT, generated_files, main, outdated
from clicklake.contract.raw import RawLine
from tests.unit.contract.corpus import ROOT as CONTRACT

FILES = generated_files()


def test_the_generated_files_are_up_to_date() -> None:
    assert outdated(ROOT) == [], f"run {COMMAND}"
    assert main(["--check"]) == 0


def test_a_changed_or_missing_file_is_found(tmp_path) -> None:
    assert outdated(tmp_path) == list(FILES)
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    assert outdated(tmp_path) == []
    path = next(iter(FILES))
    (tmp_path / path).write_text(FILES[path] + " ", encoding="utf-8")
    assert outdated(tmp_path) == [path]


@pytest.mark.parametrize("path", FILES)
def test_a_generated_file_names_its_command_at_its_beginning(path: str) -> None:
    assert COMMAND in FILES[path][:400]


def test_the_openapi_document_is_valid_and_names_both_routes_and_all_answers() -> None:
    document = json.loads(FILES["clicklake/contract/generated/openapi.json"])
    validate(document)
    assert document["paths"].keys() == {"/v1/events", "/v1/user/events"}
    for path in document["paths"].values():
        assert path["post"]["responses"].keys() >= {"202", "400", "413", "415", "503"}
        assert path["post"]["requestBody"]["content"].keys() == {
            "application/json",
            "text/plain",
            "application/x-ndjson",
            "application/octet-stream",
        }


@pytest.mark.parametrize("name", ["event", "event.flat"])
def test_the_schema_is_valid_and_so_are_its_examples(name: str) -> None:
    schema = json.loads(FILES[f"clicklake/contract/generated/{name}.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    examples = 0
    for definition in schema["$defs"].values():
        for field, rule in definition["properties"].items():
            for example in rule.get("examples", []):
                jsonschema.Draft202012Validator(rule | {"$defs": schema["$defs"]}).validate(example)
                examples += 1
            assert definition.get("title") != field
    assert examples > 40


def test_every_key_of_a_full_raw_line_is_in_the_spark_schema_in_order() -> None:
    schema = json.loads(FILES["clicklake/contract/generated/raw_line.spark.json"])
    full = {
        "device": Device("mobile"),
        "geo": Geo("DE", "Berlin"),
        "items": (Item("a", "b", "c", "d", "1", 2, "3", "e", 4),),
        "props": Props("a", 1, "b", "c", 2, 3, "d", 4, (OwnProp("k", "v"),)),
        "consent": Consent("granted", "denied"),
        "bot_reasons": ("a",),
    }
    line = RawLine(**{name: full.get(name, 0) for name in RawLine.__struct_fields__})  # type: ignore[arg-type]
    _compare(json.loads(msgspec.json.encode(line)), schema)


def _compare(value: dict, schema: dict) -> None:
    assert list(value) == [field["name"] for field in schema["fields"]]
    for field in schema["fields"]:
        kind = field["type"]
        if isinstance(kind, dict):
            inner = kind["elementType"] if kind["type"] == "array" else kind
            if isinstance(inner, dict):
                part = value[field["name"]]
                _compare(part[0] if kind["type"] == "array" else part, inner)


def test_a_raw_line_leaves_out_what_is_absent_and_writes_what_is_false() -> None:
    line = RawLine(ingest_id="a", position=0, received_at=1, verdict="accepted", is_bot=False)
    text = b'{"ingest_id":"a","position":0,"received_at":1,"verdict":"accepted","is_bot":false}'
    assert msgspec.json.encode(line) == text


def test_every_field_of_an_event_has_its_place_in_the_raw_line() -> None:
    assert set(Event.__struct_fields__) - {"is_flat"} <= set(RawLine.__struct_fields__)


def test_the_schema_is_read_without_msgspec() -> None:
    script = (
        "import sys; sys.modules['msgspec'] = None; import importlib.resources, json;"
        "text = importlib.resources.files('clicklake.contract.generated').joinpath('raw_line.spark.json')"
        ".read_text(); assert json.loads(text)['type'] == 'struct'"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_the_contract_imports_only_msgspec_rfc8785_and_the_standard_library() -> None:
    modules = ", ".join(f"clicklake.contract.{path.stem}" for path in CONTRACT.glob("[a-z]*.py"))
    script = (
        f"import sys; before = set(sys.modules); import {modules};"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(names - sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True, text=True)
    # msgspec imports typing_extensions where it is installed.
    assert set(run.stdout.split()) - {"typing_extensions"} == {"clicklake", "msgspec", "rfc8785"}
