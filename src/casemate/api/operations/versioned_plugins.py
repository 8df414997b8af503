"""Operations on installed plugins, for who administers the server (spec/isolation 5): list, install, remove.

A wheel is only ever installed by its SHA-256. Where a client has no field for it, it stands behind what is installed:
`group:artifact:version@sha256:DIGEST`, or as in an address of a package, `NAME.whl#sha256=DIGEST`.
"""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.responses import PlainTextResponse

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Body, Operation, Permission, json_of
from casemate.api.search import cut, page
from casemate.catalog import Origin, Plugin
from casemate.plugins import LARGEST, Management, ManagementOff
from casemate.versions import NotAVersion, chosen, wanted

_MOST = 100
"""Plugins that one request may name."""
_FORM = 1 << 20
"""Bytes of a form besides its wheel."""
_SORTED_BY: Mapping[str, Callable[[dict[str, object]], str]] = {
    field: itemgetter(field) for field in ("groupId", "artifactId", "title")
}
_NAMED = re.compile(r"(?P<name>[^@]+)(?:@sha256:(?P<digest>[0-9a-fA-F]+))?")
_FRAGMENT = re.compile(r".*#sha256=([0-9a-fA-F]+)", re.DOTALL)


async def list_versioned_plugins(call: Call) -> Answer:
    """List the plugins that are installed, each with its versions."""
    found = _by_plugin(_management(call).all())
    shown = cut(found, page(call), _SORTED_BY)
    return paged(shown, len(found))


async def list_available_versioned_plugins(call: Call) -> Answer:
    """List what lies in the repositories, to be installed."""
    return list(_by_plugin(await to_thread(_management(call).offers)))


async def none_available(call: Call) -> Answer:
    """List plugins of a kind that there is not: plugins have tasks only."""
    _management(call).all()
    return []


async def versioned_plugin_details(call: Call) -> Answer:
    """Describe the versions of a plugin."""
    there = _versions_of(call)
    return {
        "groupId": there[0].origin.group,
        "artifactId": there[0].origin.artifact,
        "versions": [{"version": str(each.origin.version), "metadata": _metadata(each.origin)} for each in there],
    }


async def versioned_plugin_details_for_version(call: Call) -> Answer:
    """Describe one version of a plugin, with its types."""
    plugin = _version_of(call, call.part("version"))
    classes = [{"name": manifest.type} for manifest in plugin.manifests]
    about = {"title": plugin.title, "description": plugin.description, "icon": {"hasIcon": False}}
    return {**_artifact(plugin.origin), **about, "classes": [{"type": "tasks", "classes": classes}]}


async def versioned_plugin_release_notes(call: Call) -> Answer:
    """Give what is new in a version, the newest by default."""
    version = call.text("version")
    plugin = _version_of(call, version) if version else _versions_of(call)[0]
    return PlainTextResponse(plugin.release_notes)


async def versioned_plugin_icon(call: Call) -> Answer:
    """Give the icon of a plugin; there are none."""
    raise not_found(f"no icon of {_versions_of(call)[0].origin.plugin}")


async def resolve_versioned_plugins(call: Call) -> Answer:
    """Tell which versions in the repositories are meant by `group:artifact:version`, LATEST and OLDEST among them."""
    offers = await to_thread(_management(call).offers)
    found = [_resolved(name, offers) for name, _ in await _asked(call)]
    return {"results": found, "total": len(found)}


async def install_versioned_plugins(call: Call) -> Answer:
    """Install wheels of the repositories, each named with its digest: `group:artifact:version@sha256:DIGEST`."""
    asked, management = await _asked(call), _management(call)
    if bare := [name for name, digest in asked if not digest]:
        raise illegal_argument(f"{bare[0]} has no digest: write {bare[0]}@sha256:DIGEST")
    done = [await to_thread(management.install_offered, name, digest, call.deps.now()) for name, digest in asked]
    return {"results": [_artifact(each.origin) for each in done], "total": len(done)}


async def upload_versioned_plugin(call: Call) -> Answer:
    """Install a wheel. Its digest is the field `sha256`, or the end of the name of the file: `#sha256=DIGEST`."""
    form = await call.form()
    file, digest = form.get("file"), form.get("sha256")
    if not isinstance(file, UploadFile):
        raise illegal_argument("file is required: a wheel")
    behind = _FRAGMENT.fullmatch(file.filename or "")
    sha256 = digest if isinstance(digest, str) else behind[1] if behind else ""
    force = str(form.get("forceInstallOnExistingVersions", "false")).lower() == "true"
    content, now = await file.read(), call.deps.now()
    plugin = await to_thread(lambda: _management(call).install(content, sha256, now, force=force))
    return _artifact(plugin.origin)


async def uninstall_versioned_plugins(call: Call) -> Answer:
    """Remove versions, each `group:artifact:version`. Flows that name them are no longer valid."""
    names, management = [name for name, _ in await _asked(call)], _management(call)
    for name in names:
        management.find(name)
    done = [await to_thread(management.uninstall, name) for name in dict.fromkeys(names)]
    return {"results": [_artifact(each.origin) for each in done], "total": len(done)}


def _management(call: Call) -> Management:
    if call.deps.plugins is None:
        raise ManagementOff("There are no plugins here")
    return call.deps.plugins


async def _asked(call: Call) -> list[tuple[str, str]]:
    """What a request names, each with its digest, or with nothing."""
    names = (await call.body_json(shapes.PluginsAsked))["plugins"]
    if len(names) > _MOST:
        raise illegal_argument(f"{len(names)} plugins are named, at most {_MOST} may be")
    found = [_NAMED.fullmatch(name) for name in names]
    if None in found:
        raise illegal_argument(f"{names[found.index(None)][:100]} is no group:artifact:version")
    return [(each["name"], each["digest"] or "") for each in found if each is not None]


def _versions_of(call: Call) -> list[Plugin]:
    """All versions of the plugin that the path names, the newest first; 404 where there is none."""
    name = f"{call.part('group_id')}:{call.part('artifact_id')}"
    there = [each for each in _management(call).all() if each.origin.plugin == name]
    if not there:
        raise not_found(f"{name} is not installed")
    return there[::-1]


def _version_of(call: Call, version: str) -> Plugin:
    return _management(call).find(f"{call.part('group_id')}:{call.part('artifact_id')}:{version}")


def _by_plugin(plugins: Iterable[Plugin]) -> list[dict[str, object]]:
    """One entry for each plugin, with its versions, the newest first."""
    ordered = sorted(plugins, key=lambda each: (each.origin.plugin, each.origin.version), reverse=True)
    return [_listed(list(versions)) for _, versions in groupby(ordered, key=lambda each: each.origin.plugin)][::-1]


def _listed(versions: list[Plugin]) -> dict[str, object]:
    newest = versions[0]
    return {
        "title": newest.title,
        "icon": {"hasIcon": False},
        "groupId": newest.origin.group,
        "artifactId": newest.origin.artifact,
        "versions": [str(each.origin.version) for each in versions],
    }


def _artifact(origin: Origin) -> dict[str, object]:
    return {
        "groupId": origin.group,
        "artifactId": origin.artifact,
        "extension": "whl",
        "version": str(origin.version),
        "sha256": origin.sha256,
    }


def _metadata(origin: Origin) -> dict[str, object]:
    installed = int(origin.installed.timestamp() * 1000)
    return {"name": Path(origin.file).name, "creationTime": installed, "lastModifiedTime": installed}


def _resolved(name: str, offers: tuple[Plugin, ...]) -> dict[str, object]:
    plugin, _, wish = name.rpartition(":")
    there = {each.origin.version: each.origin for each in offers if each.origin.plugin == plugin}
    try:
        version = chosen(wanted(wish), there)
    except NotAVersion:
        version = None
    found = {} if version is None else {"artifact": _artifact(there[version]), "version": str(version)}
    return {"plugin": name, "resolved": version is not None, **found}


_PLUGINS = "/api/v1/instance/versioned-plugins"
_ONE = _PLUGINS + "/{group_id}/{artifact_id}"
_LIST: Permission = ("VERSIONED_PLUGIN", "LIST")
_VIEW: Permission = ("VERSIONED_PLUGIN", "VIEW")
_CREATE: Permission = ("VERSIONED_PLUGIN", "CREATE")
_DELETE: Permission = ("VERSIONED_PLUGIN", "DELETE")
_ASKED = json_of(shapes.PluginsAsked)

TABLE = (
    Operation(
        "GET",
        _PLUGINS,
        can=_LIST,
        audit="plugin:list",
        asks={"page": int, "size": int, "sort": list},
        returns=shapes.InstalledPlugins,
        run=list_versioned_plugins,
    ),
    Operation(
        "GET",
        _PLUGINS + "/available",
        can=_LIST,
        audit="plugin:list",
        returns=list[shapes.InstalledPlugin],
        run=list_available_versioned_plugins,
    ),
    Operation(
        "GET",
        _PLUGINS + "/available/storages",
        can=_LIST,
        audit="plugin:list",
        returns=list[shapes.InstalledPlugin],
        run=none_available,
        name="list_available_versioned_plugins_for_storage",
    ),
    Operation(
        "GET",
        _PLUGINS + "/available/secrets-managers",
        can=_LIST,
        audit="plugin:list",
        returns=list[shapes.InstalledPlugin],
        run=none_available,
        name="list_available_versioned_plugins_for_secret_manager",
    ),
    Operation("GET", _ONE, can=_VIEW, audit="plugin:view", run=versioned_plugin_details),
    Operation("GET", _ONE + "/icon.svg", can=_VIEW, audit="plugin:view", run=versioned_plugin_icon),
    Operation(
        "GET",
        _ONE + "/release-notes",
        can=_VIEW,
        audit="plugin:view",
        asks={"version": str},
        produces="text/plain",
        run=versioned_plugin_release_notes,
    ),
    Operation("GET", _ONE + "/{version}", can=_VIEW, audit="plugin:view", run=versioned_plugin_details_for_version),
    Operation(
        "POST",
        _PLUGINS + "/resolve",
        can=_LIST,
        audit="plugin:list",
        body=_ASKED,
        run=resolve_versioned_plugins,
    ),
    Operation(
        "POST",
        _PLUGINS + "/install",
        can=_CREATE,
        audit="plugin:install",
        body=_ASKED,
        returns=shapes.PluginArtifacts,
        run=install_versioned_plugins,
    ),
    Operation(
        "POST",
        _PLUGINS + "/upload",
        can=_CREATE,
        audit="plugin:install",
        body=Body(types=("multipart/form-data",), limit=LARGEST + _FORM),
        returns=shapes.PluginArtifact,
        run=upload_versioned_plugin,
    ),
    Operation(
        "DELETE",
        _PLUGINS + "/uninstall",
        can=_DELETE,
        audit="plugin:uninstall",
        body=_ASKED,
        returns=shapes.PluginArtifacts,
        run=uninstall_versioned_plugins,
    ),
)
