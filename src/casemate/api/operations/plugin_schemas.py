"""Operations that describe flows and types as JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import not_found
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.operations.plugins import manifest_of
from casemate.catalog import Catalog, Holds, Kind, Manifest
from casemate.flows import flow_json_schema, held_json_schema, input_types, manifest_json_schema, type_json_schema

_PLACES = {
    Kind.TASK: Holds.TASK,
    Kind.TRIGGER: Holds.TRIGGER,
    Kind.CONDITION: Holds.CONDITION,
    Kind.TASK_RUNNER: Holds.TASK_RUNNER,
}
_WHOLE = {"task": Holds.TASK, "trigger": Holds.TRIGGER}


async def plugin_schema(call: Call) -> Answer:
    """Give the JSON Schema of a flow, a task or a trigger; `arrayOf`: of a list of them."""
    found = _schema(call)
    if not call.flag("arrayOf"):
        return found
    whole = {key: found[key] for key in ("$schema", "$defs")}
    return {**whole, "type": "array", "items": {key: value for key, value in found.items() if key not in whole}}


async def plugin_properties(call: Call) -> Answer:
    """Give the properties of a flow, or those that all tasks or triggers have."""
    found = _schema(call)
    own = found if "properties" in found else found["$defs"][f"{call.part('schema_type').lower()}.common"]
    return {"properties": own["properties"], "required": own["required"]}


async def plugin_input_types(_call: Call) -> Answer:
    """List the types of inputs."""
    return [{"type": name, "cls": java} for name, java in input_types().items()]


async def plugin_input_schema(call: Call) -> Answer:
    """Describe one type of inputs."""
    name = call.part("input_type")
    found = type_json_schema(Holds.INPUT, name, call.deps.catalog)
    if found is None:
        raise not_found(f"no type {name} of inputs")
    return {"markdown": f"# {name}", "schema": _described(found, {})}


async def plugin_documentation(call: Call) -> Answer:
    """Describe one type: its text, its properties and its outputs; `all`: with the properties that others have too."""
    return _documentation(call, manifest_of(call))


async def plugin_documentation_for_version(call: Call) -> Answer:
    """Describe one type in one version."""
    return _documentation(call, manifest_of(call, call.part("version")))


def _documentation(call: Call, manifest: Manifest) -> dict[str, object]:
    place = _PLACES[manifest.kind]
    found = manifest_json_schema(place, manifest, call.deps.catalog)
    if not call.flag("all"):
        shared = f"#/$defs/{place}.common/"
        own = {name: one for name, one in found["properties"].items() if not one.get("$ref", "").startswith(shared)}
        found = {**found, "properties": own, "required": [name for name in found["required"] if name in own]}
    return {"markdown": _markdown(manifest), "schema": _described(found, manifest.outputs)}


def _markdown(manifest: Manifest) -> str:
    replaced = f"\n\nDeprecated: use `{manifest.replaced_by}`." if manifest.replaced_by else ""
    return f"# {manifest.title}\n\n{manifest.description}".rstrip() + replaced


def _described(found: dict[str, Any], outputs: object) -> dict[str, object]:
    properties = {key: value for key, value in found.items() if key not in ("$schema", "$defs")}
    return {"properties": properties, "outputs": outputs, "definitions": found["$defs"]}


def _schema(call: Call) -> dict[str, Any]:
    name = call.part("schema_type").lower()
    catalog = call.deps.catalog
    if name == "flow":
        return _flow_schema(catalog, catalog.edition)
    if name not in _WHOLE:
        raise not_found(f"no schema {name[:100]}: there are flow, task and trigger")
    return _held_schema(_WHOLE[name], catalog, catalog.edition)


@lru_cache(maxsize=2)
def _flow_schema(catalog: Catalog, _edition: int) -> dict[str, Any]:
    """Made once for the plugins that are there: an editor asks for it whenever it opens a flow."""
    return flow_json_schema(catalog)


@lru_cache(maxsize=4)
def _held_schema(place: Holds, catalog: Catalog, _edition: int) -> dict[str, Any]:
    return held_json_schema(place, catalog)


_PLUGINS = "/api/v1/plugins"
_VIEW: Permission = ("VERSIONED_PLUGIN", "VIEW")
_LIST: Permission = ("VERSIONED_PLUGIN", "LIST")
_SCHEMA = dict[str, Any]

TABLE = (
    Operation(
        "GET",
        _PLUGINS + "/schemas/{schema_type}",
        can=_VIEW,
        audit="plugin:view",
        asks={"arrayOf": bool},
        returns=_SCHEMA,
        run=plugin_schema,
    ),
    Operation(
        "GET",
        _PLUGINS + "/properties/{schema_type}",
        can=_VIEW,
        audit="plugin:view",
        returns=_SCHEMA,
        run=plugin_properties,
    ),
    Operation(
        "GET",
        _PLUGINS + "/inputs",
        can=_LIST,
        audit="plugin:list",
        returns=list[shapes.InputType],
        run=plugin_input_types,
    ),
    Operation(
        "GET",
        _PLUGINS + "/inputs/{input_type}",
        can=_VIEW,
        audit="plugin:view",
        returns=shapes.Described,
        run=plugin_input_schema,
    ),
    Operation(
        "GET",
        _PLUGINS + "/{cls}",
        can=_VIEW,
        audit="plugin:view",
        asks={"all": bool},
        returns=shapes.Described,
        run=plugin_documentation,
    ),
    Operation(
        "GET",
        _PLUGINS + "/{cls}/versions/{version}",
        can=_VIEW,
        audit="plugin:view",
        asks={"all": bool},
        returns=shapes.Described,
        run=plugin_documentation_for_version,
    ),
)
