"""The OpenAPI 3.1 document of the two ingest routes. Its schemas are those of schema.py."""

import json
from typing import Any

from clicklake.contract.limits import (
    CONTRACT_VERSION,
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    MAX_INFLATED_BYTES,
    MAX_REQUEST_BYTES,
)
from clicklake.contract.reasons import MEANING, Reason
from clicklake.contract.schema import DRAFT, event_schema

_LIMITS = (
    f"At most {MAX_REQUEST_BYTES:,} bytes a request, {MAX_INFLATED_BYTES:,} inflated, {MAX_EVENTS} events, "
    f"{MAX_EVENT_BYTES:,} bytes an event."
)
_EVENT = {"$ref": "#/components/schemas/AnyEvent"}


def openapi(generated_by: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "x-generated-by": f"{generated_by}; do not edit.",
        "jsonSchemaDialect": DRAFT,
        "info": {
            "title": "Clicklake events",
            "version": str(CONTRACT_VERSION),
            "description": "Send what happens in the shop. An answer of 202 means that it is stored durably.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "the shop's own origin, or the API's"}],
        "security": [],
        "paths": {
            "/v1/events": {"post": _post("sendEvents", "Send events of anyone", is_verified=False)},
            "/v1/user/events": {"post": _post("sendUserEvents", "Send events of a signed-in user", is_verified=True)},
        },
        "components": {
            "schemas": _schemas(generated_by),
            "securitySchemes": {
                "userToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "the shop's ID token; of its claims only sub is read, and stored hashed",
                }
            },
        },
    }


def _post(operation: str, summary: str, *, is_verified: bool) -> dict[str, Any]:
    post = {
        "operationId": operation,
        "summary": summary,
        "description": f"One event, an array, an envelope, or NDJSON. {_LIMITS}",
        "requestBody": {"required": True, "content": _content()},
        "responses": _answers() | (_token_answers() if is_verified else {}),
    }
    return post | {"security": [{"userToken": []}]} if is_verified else post


def _content() -> dict[str, Any]:
    one = {"event_type": "page_view", "page_url": "https://shop.example/"}
    return {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Body"},
            "examples": {
                "one event": {"value": one},
                "array": {"value": [one, one]},
                "envelope": {"value": {"sent_at": "2026-05-01T12:00:01.000Z", "events": [one]}},
            },
        },
        "text/plain": {
            "schema": {"type": "string", "description": "the same JSON, or NDJSON; needs no CORS preflight"}
        },
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "an event a line; a broken line costs only itself"}
        },
        "application/octet-stream": {
            "schema": {"description": "gzip of any of the others, recognised by its first bytes"}
        },
    }


def _answers() -> dict[str, Any]:
    return {
        "202": _answer("stored durably; refused events are listed and the others were accepted", "Accepted"),
        "400": _answer("the body is neither JSON nor NDJSON, or not the gzip it looks like", "Problem"),
        "403": _answer("the page's origin is not one of the shop's", "Problem"),
        "413": _answer("over a limit of the request; nothing was stored: send fewer events at once", "Problem"),
        "415": _answer("a content type that is not listed above; nothing was stored", "Problem"),
        "503": _answer("nothing was stored: send the same events again, with the same ids", "Problem")
        | {"headers": {"Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "in seconds"}}},
    }


def _token_answers() -> dict[str, Any]:
    return {"401": {"description": "no valid token: refresh it once, then send to /v1/events"}}


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _schemas(generated_by: str) -> dict[str, Any]:
    schema = json.loads(
        json.dumps(event_schema(generated_by, accept_flat=False)).replace("#/$defs/", "#/components/schemas/")
    )
    reasons = "\n".join(f"- {reason.value}: {MEANING[reason]}" for reason in Reason)
    return {
        "Body": {
            "description": "an event, an array of events, or an envelope",
            "anyOf": [
                _EVENT,
                {"type": "array", "items": _EVENT, "maxItems": MAX_EVENTS},
                {"$ref": _ENVELOPE},
            ],
        },
        "Envelope": {
            "type": "object",
            "required": ["events"],
            "properties": {
                "sent_at": {"description": "when this attempt was sent; an event's own beats it"},
                "events": {"type": "array", "items": _EVENT, "maxItems": MAX_EVENTS},
            },
        },
        "AnyEvent": {"description": schema["description"], "anyOf": schema["anyOf"]},
        **schema["$defs"],
        "Accepted": {
            "type": "object",
            "required": ["accepted", "rejected", "errors"],
            "properties": {
                "accepted": {"type": "integer", "minimum": 0},
                "rejected": {"type": "integer", "minimum": 0},
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/RejectedEvent"}},
            },
        },
        "RejectedEvent": {
            "type": "object",
            "required": ["index", "reason"],
            "properties": {
                "index": {"type": "integer", "minimum": 0, "description": "place in the request, from 0"},
                "reason": {
                    "type": "string",
                    "enum": [reason.value for reason in Reason],
                    "description": reasons,
                },
                "field": {"type": "string", "description": "dotted path such as items[0].price"},
            },
        },
        "Problem": {
            "type": "object",
            "required": ["error", "message"],
            "properties": {
                "error": {"type": "string", "description": "a code"},
                "message": {"type": "string", "description": "what to do, in a sentence"},
            },
        },
    }


_ENVELOPE = "#/components/schemas/Envelope"
