"""The OpenAPI description of the API, made from the table of operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from casemate.api.operation import FORM, PUBLIC, Operation

_REFERENCE = "#/components/schemas/{model}"
_TYPES = {int: "integer", bool: "boolean", str: "string"}


def openapi(table: Iterable[Operation], *, version: str, url: str) -> dict[str, object]:
    """The description as OpenAPI 3.1; `url` is the address of this server."""
    rows = tuple(table)
    shapes, components = _shapes(rows)
    paths: dict[str, dict[str, object]] = {}
    for row in rows:
        paths.setdefault(row.path.replace(":path}", "}"), {})[row.verb.lower()] = _described(row, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "casemate", "version": version},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"basicAuth": {"type": "http", "scheme": "basic"}},
        },
    }


def _shapes(rows: Iterable[Operation]) -> tuple[dict[int, Any], dict[str, object]]:
    """The schema of every shape by its identity, and the named parts they refer to."""
    models = {id(model): model for row in rows for model in (row.body.model, row.returns) if model is not None}
    mode: Literal["validation"] = "validation"
    wanted = [(key, mode, TypeAdapter[Any](model)) for key, model in models.items()]
    found, shared = TypeAdapter.json_schemas(wanted, ref_template=_REFERENCE)
    return {key: schema for (key, _mode), schema in found.items()}, dict(shared.get("$defs", {}))


def _described(row: Operation, shapes: Mapping[int, Any]) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": row.title,
        "summary": (row.run.__doc__ or row.title).strip().splitlines()[0],
        "tags": [row.audit.partition(":")[0]],
        "parameters": [*_path_parameters(row), *_query_parameters(row)],
        "responses": _responses(row, shapes),
        "x-audit": row.audit,
    }
    if row.body.types:
        content = {kind: {"schema": _body_schema(row, shapes)} for kind in row.body.types}
        described["requestBody"] = {"required": row.body.required, "content": content}
    if row.can is not PUBLIC:
        described |= {"security": [{"basicAuth": []}], "x-permission": ":".join(row.can)}
    return described


def _body_schema(row: Operation, shapes: Mapping[int, Any]) -> object:
    return {"type": "object"} if FORM.types[0] in row.body.types else shapes.get(id(row.body.model), {})


def _path_parameters(row: Operation) -> list[dict[str, object]]:
    names = re.findall(r"{(\w+)(?::path)?}", row.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(row: Operation) -> list[dict[str, object]]:
    return [_query_parameter(name, kind) for name, kind in row.asks.items()]


def _query_parameter(name: str, kind: type) -> dict[str, object]:
    if kind is dict:
        note = "filters[field][OPERATION]=value as in Kestra, in groups filters[or][0][field][OPERATION]=value"
        schema: dict[str, object] = {"type": "object", "additionalProperties": True}
        return {"name": name, "in": "query", "style": "deepObject", "description": note, "schema": schema}
    schema = {"type": "array", "items": {"type": "string"}} if kind is list else {"type": _TYPES[kind]}
    return {"name": name, "in": "query", "schema": schema}


def _responses(row: Operation, shapes: Mapping[int, Any]) -> dict[str, object]:
    if row.status == 204:
        return {"204": {"description": "done"}}
    schema = shapes.get(id(row.returns), {"type": "string"} if row.produces.startswith("text/") else {})
    return {str(row.status): {"description": "done", "content": {row.produces: {"schema": schema}}}}
