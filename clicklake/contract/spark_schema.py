"""The Spark schema of the raw line, as StructType JSON, from the RawLine type."""

import types
import typing
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Meta, Struct
from msgspec.structs import fields

from clicklake.contract.raw import RawLine


def raw_line_schema(generated_by: str) -> dict[str, Any]:
    schema = _struct(RawLine)
    # Spark refuses unknown keys beside type and fields, so the note is kept in a field's metadata.
    schema["fields"][0]["metadata"] = {"generated_by": generated_by}
    return schema


def _struct(struct: type[Struct]) -> dict[str, Any]:
    return {
        "type": "struct",
        "fields": [
            {"name": field.name, "type": _type(field.type), "nullable": True, "metadata": {}}
            for field in fields(struct)
        ],
    }


def _type(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *metas = get_args(annotation)
        for meta in metas:
            if isinstance(meta, Meta) and "x-spark" in (meta.extra_json_schema or {}):
                return meta.extra_json_schema["x-spark"]
        return _type(base)
    if origin in (types.UnionType, typing.Union):
        (present,) = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _type(present)
    if origin is tuple:
        return {"type": "array", "elementType": _type(get_args(annotation)[0]), "containsNull": True}
    if origin is Literal:
        return "string"
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return _struct(annotation)
    return {str: "string", int: "integer", bool: "boolean"}[annotation]
