"""A plugin from its wheel: who it is, and the manifests in it. Its code is data here: none of it is ever imported."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from casemate.catalog import BadManifest, Capability, Installed, Kind, Manifest, Origin, Plugin, Schema, read_manifests
from casemate.plugins.archive import Archive
from casemate.plugins.errors import PluginRefused
from casemate.versions import NotAVersion, version

MANIFEST: Final = "casemate-plugin.json"
ASKS: Final = frozenset(
    ("files.keep", "kv.get", "kv.set", "kv.delete", "kv.keys", "state.get", "state.set", "state.delete")
)
"""What the body of a plugin may ask of the control plane: all of it lies within the tenant of its execution."""

_OURS: Final = ("io.kestra.plugin.core.", "io.kestra.core.", "casemate.")
"""Lists of allowed types, profiles and URL lists trust these names."""
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_GROUP: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}(\.[a-z][a-z0-9_-]{0,63}){0,9}")
_ARTIFACT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_OWN: Final = frozenset(("group", "title", "description", "releaseNotes", "types", "definitions"))


def checked(content: bytes, sha256: str) -> bytes:
    """The same bytes, if their digest is the one that was promised. Raises `PluginRefused`."""
    if not _DIGEST.fullmatch(sha256):
        raise PluginRefused("A sha256 of 64 hexadecimal digits must be given: `sha256sum FILE` prints it")
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), sha256.lower()):
        raise PluginRefused("The file is not the one that was meant: its sha256 is another one")
    return content


def read_wheel(content: bytes, file: str = "") -> Plugin:
    """The plugin in a wheel, which will lie at `file`. Raises `PluginRefused` with every fault of its manifests."""
    archive = Archive(content)
    place = _only(archive, MANIFEST, f"one {MANIFEST} in its package")
    about, written = _metadata(archive), _json(archive.text(place))
    try:
        origin = Origin(
            group=_group(written),
            artifact=about["artifact"],
            version=version(about["version"]),
            sha256=hashlib.sha256(content).hexdigest(),
            file=file,
        )
        manifests = read_manifests(json.dumps({name: written.get(name, {}) for name in ("types", "definitions")}))
    except NotAVersion as error:
        raise PluginRefused(f"The version {error} is not MAJOR.MINOR.PATCH, perhaps with a qualifier") from error
    except BadManifest as error:
        raise PluginRefused(f"{MANIFEST}: {'; '.join(error.faults)}") from error
    if faults := [fault for each in manifests for fault in _faults(each, archive)]:
        raise PluginRefused(f"{MANIFEST}: {'; '.join(faults)}")
    return Plugin(
        origin=origin,
        title=str(written.get("title") or origin.artifact),
        description=str(written.get("description") or ""),
        release_notes=str(written.get("releaseNotes") or ""),
        manifests=tuple(_installed(each, origin) for each in manifests),
    )


def _installed(manifest: Manifest, origin: Origin) -> Installed:
    return Installed(**{each.name: getattr(manifest, each.name) for each in fields(manifest)}, origin=origin)


def _only(archive: Archive, name: str, what: str) -> str:
    found = [each for each in archive.names if each.count("/") == 1 and each.endswith(f"/{name}")]
    if len(found) != 1:
        raise PluginRefused(f"The wheel needs {what}, and has {len(found)}")
    return found[0]


def _metadata(archive: Archive) -> dict[str, str]:
    """Name and version of the distribution. What it needs besides the standard library must be in the wheel."""
    places = [name for name in archive.names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
    # Of two of them each process would take another one, and the plugin would have two names.
    if len(places) != 1:
        raise PluginRefused(f"The file is no wheel: it has {len(places) or 'no'} .dist-info/METADATA")
    heads = _heads(archive.text(places[0]))
    artifact = re.sub(r"[-_.]+", "-", heads.get("name", "")).lower()
    if not _ARTIFACT.fullmatch(artifact):
        raise PluginRefused("The metadata of the wheel has no usable Name")
    if needed := heads.get("requires-dist"):
        raise PluginRefused(f"The wheel needs {needed}: what a plugin needs must be in its wheel")
    if native := [name for name in archive.names if name.endswith((".so", ".pyd"))]:
        raise PluginRefused(f"The wheel holds machine code, which cannot be imported from it: {native[0]}")
    return {"artifact": artifact, "version": heads.get("version", "")}


def _heads(text: str) -> dict[str, str]:
    """The heads of metadata by their names in lower case, each the first of its name."""
    heads: dict[str, str] = {}
    for line in text.partition("\n\n")[0].replace("\r", "").splitlines():
        name, _, value = line.partition(":")
        heads.setdefault(name.strip().lower(), value.strip())
    return heads


def _json(text: str) -> dict[str, Any]:
    try:
        written = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PluginRefused(f"{MANIFEST} is no JSON: {error}") from error
    if not isinstance(written, dict):
        raise PluginRefused(f"{MANIFEST} is no object")
    if unknown := sorted(written.keys() - _OWN):
        raise PluginRefused(f"{MANIFEST} has {unknown[0]!r}, which means nothing")
    return written


def _group(written: dict[str, Any]) -> str:
    group = written.get("group")
    if not isinstance(group, str) or not _GROUP.fullmatch(group):
        raise PluginRefused(f"{MANIFEST} needs a group such as com.example")
    return group


def _faults(manifest: Manifest, archive: Archive) -> Iterator[str]:
    """What a manifest of ours may say, and that of a plugin must not."""
    if manifest.kind is not Kind.TASK or manifest.internal or manifest.branches:
        yield f"{manifest.type}: a plugin has tasks only, and none that hold others"
    for word in sorted(_words_of_ours(manifest.schema)):
        yield f"{manifest.type}: {word} is for types that come with the server"
    if taken := [name for name in manifest.names if name.startswith(_OURS)]:
        yield f"{taken[0]}: names that begin so are those of the server's own types"
    if manifest.body is None:
        yield f"{manifest.type}: a task of a plugin needs a body"
    elif not _is_module(manifest.body, archive):
        yield f"{manifest.type}: the body {manifest.body} is no module of the wheel"
    if Capability.RUNS_CODE in manifest.capabilities:
        yield f"{manifest.type}: only types that come with the server run scripts"
    if refused := sorted(manifest.asks - ASKS):
        yield f"{manifest.type}: a plugin must not ask for {refused[0]}"


def _words_of_ours(schema: Schema) -> set[str]:
    """Words that nothing would carry out for a plugin (`x-holds`), or that trust the rest of a schema (`x-checks`)."""
    own = {word for word, given in (("x-holds", schema.holds), ("x-checks", schema.checks)) if given}
    inside = (schema.items, schema.values, *schema.properties.values())
    return own.union(*(_words_of_ours(each) for each in inside if each is not None))


def _is_module(name: str, archive: Archive) -> bool:
    path = name.replace(".", "/")
    own = _MODULE.fullmatch(name) is not None and name.partition(".")[0] != "casemate"
    return own and not archive.names.isdisjoint((f"{path}.py", f"{path}/__init__.py"))
