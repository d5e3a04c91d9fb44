"""The OpenAPI document. Schemas are made from the types of the answers."""

from importlib.metadata import version
from typing import Any

import msgspec

from convatlas.serving.answers import Links, Model, Predictions, Status
from convatlas.serving.body import FORM, PICTURES
from convatlas.serving.limits import Limits
from convatlas.serving.multipart import FIELD
from convatlas.serving.predict import TOP
from convatlas.serving.problems import MEDIA_TYPE, Details

ANSWERS = (Links, Model, Predictions, Status, Details)
SAID = {
    400: "The query or the form is not as described.",
    401: "The token is missing or another.",
    408: "The body did not arrive in time.",
    413: "The body is too large, or has too many pictures.",
    415: "The content type is not one of those described.",
    422: "The one picture sent cannot be decoded, or has too many pixels.",
    431: "The query and the headers have too many bytes.",
    500: "The engine failed on this batch, or the one picture's scores are no numbers.",
    503: "The queue or the memory for bodies is full (then with Retry-After), or the server stops.",
    504: "Not answered in time.",
}
READ_ERRORS = (400, 408, 413, 415, 422, 431, 500, 503, 504)


def document(limits: Limits, *, guarded: bool) -> dict[str, Any]:
    """OpenAPI 3.1. ``guarded``: whether a token is asked for."""
    _, schemas = msgspec.json.schema_components(ANSWERS, ref_template="#/components/schemas/{name}")
    paths = {
        "/": {"get": _get("Where things are.", _answer(Links))},
        "/predict": {"post": _predict(limits, guarded)},
        "/model": {"get": _get("What is served.", _answer(Model), guarded=guarded)},
        "/metrics": {"get": _get("Counters, for Prometheus.", _text(), guarded=guarded)},
        "/healthz": {"get": _get("Whether the process answers.", _answer(Status))},
        "/readyz": {"get": _ready()},
        "/openapi.json": {"get": _get("This document.", _any_json())},
    }
    components: dict[str, Any] = {"schemas": schemas}
    if guarded:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ConvAtlas prediction server",
            "version": version("convatlas"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": components,
    }


def _get(summary: str, ok: dict[str, Any], *, guarded: bool = False) -> dict[str, Any]:
    answers = {"200": ok, **_errors((401,) if guarded else ())}
    return {"summary": summary, "responses": answers, **_security(guarded)}


def _ready() -> dict[str, Any]:
    answers = {"200": _answer(Status), **_errors((503,))}
    return {
        "summary": "Whether it gets work done; 503 while it stops or its engine hangs.",
        "responses": answers,
    }


def _predict(limits: Limits, guarded: bool) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {
            FIELD: {
                "type": "array",
                "minItems": 1,
                "maxItems": limits.max_pictures,
                "items": {"type": "string", "format": "binary"},
            }
        },
    }
    codes = (401, *READ_ERRORS) if guarded else READ_ERRORS
    return {
        "summary": "The most probable classes of one picture or several.",
        "description": (
            "One picture is the body itself. Several are a form with the field "
            f"`{FIELD}` repeated; one that cannot be decoded has its reason in `error`, and the "
            f"others are answered. At most {limits.max_bytes} bytes and {limits.max_pictures} "
            f"pictures of at most {limits.max_pixels} pixels."
        ),
        "parameters": [
            {
                "name": "top",
                "in": "query",
                "description": "How many classes of each picture; at most all of them.",
                "schema": {"type": "integer", "minimum": 1, "default": TOP},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {**dict.fromkeys(PICTURES, binary), FORM: {"schema": form}},
        },
        "responses": {"200": _answer(Predictions), **_errors(codes)},
        **_security(guarded),
    }


def _answer(kind: type[msgspec.Struct]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    first = (kind.__doc__ or "").partition("\n")[0]
    return {"description": first, "content": {"application/json": {"schema": schema}}}


def _text() -> dict[str, Any]:
    return {
        "description": "Prometheus text format 0.0.4.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }


def _any_json() -> dict[str, Any]:
    return {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {}}}}


def _errors(codes: tuple[int, ...]) -> dict[str, Any]:
    return {str(code): _error(code) for code in codes}


def _error(code: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Details"}
    answer: dict[str, Any] = {
        "description": SAID[code],
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    if code == 503:
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds after which there is likely to be room.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    if code == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer


def _security(guarded: bool) -> dict[str, Any]:
    return {"security": [{"token": []}]} if guarded else {}
