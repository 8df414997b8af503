"""Operations on task types: what exists here, from the catalog alone; no plugin's code is loaded for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemate.api.call import Call
from casemate.api.errors import not_found
from casemate.api.operation import Answer, Operation, Permission
from casemate.catalog import Kind, Manifest

_LISTS = {
    Kind.TASK: "tasks",
    Kind.TRIGGER: "triggers",
    Kind.CONDITION: "conditions",
    Kind.TASK_RUNNER: "taskRunners",
}


async def list_plugins(call: Call) -> Answer:
    """List every type by its group."""
    groups: dict[str, list[Manifest]] = {}
    for manifest in call.deps.catalog.all():
        groups.setdefault(group(manifest.type), []).append(manifest)
    return [_listed(name, members) for name, members in sorted(groups.items())]


async def plugin_documentation(call: Call) -> Answer:
    """Describe one type: its text, its properties and its outputs."""
    manifest = call.deps.catalog.find(call.part("cls"))
    if manifest is None:
        raise not_found(f"no type {call.part('cls')}")
    schema = {
        "properties": manifest.properties,
        "outputs": manifest.outputs,
        "capabilities": sorted(manifest.capabilities),
        "deprecated": manifest.deprecated,
    }
    return {"markdown": f"# {manifest.title}\n\n{manifest.description}", "schema": schema}


async def plugin_icons(_call: Call) -> Answer:
    """Give the icons of types; there are none yet."""
    return {}


def group(type_name: str) -> str:
    """The group of a type: `io.kestra.plugin.core` for `io.kestra.plugin.core.log.Log`."""
    return ".".join(type_name.split(".")[:4])


def _listed(name: str, members: Iterable[Manifest]) -> dict[str, object]:
    lists: dict[str, list[object]] = {name: [] for name in _LISTS.values()}
    for manifest in members:
        lists[_LISTS[manifest.kind]].append({"cls": manifest.type, "deprecated": manifest.deprecated})
    return {"name": name, "title": name.rpartition(".")[2], "group": name, **lists}


_VIEW: Permission = ("VERSIONED_PLUGIN", "VIEW")
_LIST: Permission = ("VERSIONED_PLUGIN", "LIST")
_OBJECTS = list[dict[str, Any]]

TABLE = (
    Operation("GET", "/api/v1/plugins", can=_LIST, audit="plugin:list", run=list_plugins, returns=_OBJECTS),
    Operation("GET", "/api/v1/plugins/icons", can=_LIST, audit="plugin:list", run=plugin_icons),
    Operation(
        "GET",
        "/api/v1/plugins/icons/groups",
        can=_LIST,
        audit="plugin:list",
        run=plugin_icons,
        name="plugin_group_icons",
    ),
    Operation("GET", "/api/v1/plugins/{cls}", can=_VIEW, audit="plugin:view", run=plugin_documentation),
)
