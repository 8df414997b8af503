"""Operations on types: what exists here, from the catalog alone; no plugin's code is loaded for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import Declined, not_found
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.search import cut, page
from casemate.catalog import Installed, Kind, Manifest

_LISTS = {
    Kind.TASK: "tasks",
    Kind.TRIGGER: "triggers",
    Kind.CONDITION: "conditions",
    Kind.TASK_RUNNER: "taskRunners",
}
_SORTED_BY: Mapping[str, Callable[[dict[str, object]], str]] = {
    field: itemgetter(field) for field in ("name", "title", "group")
}


async def list_plugins(call: Call) -> Answer:
    """List every type by its group."""
    part, groups = page(call, default=100), _groups(call.deps.catalog.all(), group)
    shown = cut(groups, part, _SORTED_BY)
    return paged(shown, len(groups))


async def list_plugins_by_subgroups(call: Call) -> Answer:
    """List every type by its group within a group: log, flow, storage..."""
    return list(_groups(call.deps.catalog.all(), subgroup))


async def plugin_triggers(call: Call) -> Answer:
    """List the types of triggers."""
    found = [_trigger(one) for one in call.deps.catalog.all() if one.kind is Kind.TRIGGER]
    return paged(found, len(found))


async def plugin_icons(_call: Call) -> Answer:
    """Give the icons of types; there are none yet."""
    return {}


async def plugin_icon(call: Call) -> Answer:
    """Give the icon of one type; there are none yet."""
    return {"name": manifest_of(call).type.rpartition(".")[2], "icon": None}


async def plugin_icon_svg(call: Call) -> Answer:
    """Give the icon of one type as a picture; there are none yet."""
    raise not_found(f"no icon of {manifest_of(call).type}")


async def plugin_ui_manifest(_call: Call) -> Answer:
    """Tell which types bring parts of a user interface; none does."""
    return {}


async def plugin_ui(call: Call) -> Answer:
    """Give a part of a user interface; there are none."""
    raise not_found(f"no part {call.part('path_segment')[:100]} of a user interface")


async def no_auto_install(_call: Call) -> Answer:
    """Install what a flow names; that is never done here (403), as in Kestra's Enterprise Edition."""
    raise Declined(403, "Forbidden: plugins are installed by whoever administers the server, never for a flow")


async def plugin_versions(call: Call) -> Answer:
    """List the versions of a type, the newest first; those that come with the server have its version."""
    manifest = manifest_of(call)
    there = [str(each) for each in reversed(call.deps.catalog.plugins.versions(manifest.type))]
    return {"type": manifest.type, "versions": there or [call.deps.version]}


def manifest_of(call: Call, version: str | None = None) -> Manifest:
    """The type that the path names, in this version if one is given; raises 404."""
    name, catalog = call.part("cls"), call.deps.catalog
    manifest = catalog.find(name, version)
    if manifest is None or manifest.internal:
        raise not_found(f"no type {name}" if catalog.find(name) is None else f"no version {version} of {name}")
    if version is not None and not isinstance(manifest, Installed) and version != call.deps.version:
        raise not_found(f"no version {version} of {name}")
    return manifest


def group(type_name: str) -> str:
    """The group of a type: `io.kestra.plugin.core` for `io.kestra.plugin.core.log.Log`."""
    return ".".join(type_name.split(".")[:4])


def subgroup(type_name: str) -> str:
    """The group within a group: `io.kestra.plugin.core.log` for `io.kestra.plugin.core.log.Log`."""
    return type_name.rpartition(".")[0]


def _groups(every: Iterable[Manifest], grouped: Callable[[str], str]) -> list[dict[str, object]]:
    groups: dict[str, list[Manifest]] = {}
    for manifest in every:
        groups.setdefault(grouped(manifest.type), []).append(manifest)
    return [_listed(name, members) for name, members in sorted(groups.items())]


def _listed(name: str, members: Iterable[Manifest]) -> dict[str, object]:
    lists: dict[str, list[object]] = {name: [] for name in _LISTS.values()}
    for manifest in members:
        lists[_LISTS[manifest.kind]].append(_element(manifest))
    own = {"name": name, "title": name.rpartition(".")[2], "group": group(name)}
    return {**own, **({"subGroup": name} if name != group(name) else {}), **lists}


def _element(manifest: Manifest) -> dict[str, object]:
    return {
        "cls": manifest.type,
        "deprecated": manifest.deprecated,
        "title": manifest.title,
        "description": manifest.description,
    }


def _trigger(manifest: Manifest) -> dict[str, object]:
    return {
        "type": manifest.type,
        "name": manifest.type.rpartition(".")[2],
        "pluginTitle": group(manifest.type).rpartition(".")[2],
        "description": manifest.description or manifest.title,
        "group": "core" if group(manifest.type).endswith(".core") else "app",
        "ee": False,
        "deprecated": manifest.deprecated,
    }


_PLUGINS = "/api/v1/plugins"
_VIEW: Permission = ("VERSIONED_PLUGIN", "VIEW")
_LIST: Permission = ("VERSIONED_PLUGIN", "LIST")
_CREATE: Permission = ("VERSIONED_PLUGIN", "CREATE")

TABLE = (
    Operation(
        "GET",
        _PLUGINS,
        can=_LIST,
        audit="plugin:list",
        asks={"page": int, "size": int, "sort": list},
        returns=shapes.Plugins,
        run=list_plugins,
    ),
    Operation(
        "GET",
        _PLUGINS + "/groups/subgroups",
        can=_LIST,
        audit="plugin:list",
        returns=list[shapes.PluginGroup],
        run=list_plugins_by_subgroups,
    ),
    Operation(
        "GET",
        _PLUGINS + "/triggers",
        can=_LIST,
        audit="plugin:list",
        returns=shapes.TriggerPlugins,
        run=plugin_triggers,
    ),
    Operation("GET", _PLUGINS + "/icons", can=_LIST, audit="plugin:list", run=plugin_icons),
    Operation(
        "GET", _PLUGINS + "/icons/groups", can=_LIST, audit="plugin:list", run=plugin_icons, name="plugin_group_icons"
    ),
    Operation("GET", _PLUGINS + "/icons/{cls}", can=_VIEW, audit="plugin:view", run=plugin_icon),
    Operation(
        "GET",
        _PLUGINS + "/icons/{cls}/icon.svg",
        can=_VIEW,
        audit="plugin:view",
        produces="image/svg+xml",
        run=plugin_icon_svg,
    ),
    Operation("POST", _PLUGINS + "/pluginUiManifest", can=_LIST, audit="plugin:list", run=plugin_ui_manifest),
    Operation("GET", _PLUGINS + "/{group}/pluginUi/{path_segment}", can=_VIEW, audit="plugin:view", run=plugin_ui),
    Operation(
        "POST",
        _PLUGINS + "/auto-install/detect",
        can=_LIST,
        audit="plugin:list",
        run=no_auto_install,
        name="detect_missing_plugins",
    ),
    Operation(
        "POST", _PLUGINS + "/install", can=_CREATE, audit="plugin:install", run=no_auto_install, name="install_plugins"
    ),
    Operation(
        "GET",
        _PLUGINS + "/install/{job_id}",
        can=_LIST,
        audit="plugin:list",
        run=no_auto_install,
        name="plugin_install_job",
    ),
    Operation(
        "GET",
        _PLUGINS + "/{cls}/versions",
        can=_VIEW,
        audit="plugin:view",
        returns=shapes.PluginVersions,
        run=plugin_versions,
    ),
)
