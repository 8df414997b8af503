"""Manifests from their JSON text.

A file holds `types`, a list of manifests, and may hold `definitions` that several of them share:
`{"$ref": "#/definitions/x"}` stands for one of them anywhere, though what stands beside it goes first, and `allOf` adds
the properties of several to an object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from casemate.catalog.errors import BadManifest
from casemate.catalog.manifest import Capability, Kind, Manifest, Role
from casemate.catalog.schema import Holds, Schema, faults_of

_MANIFEST: Final = TypeAdapter(Manifest)
_TYPE: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*", re.ASCII)
_REFERENCE: Final = "#/definitions/"
_DEEPEST: Final = 5
_LARGEST: Final = 100_000
"""Values of a file, each counted as often as it is referred to; all types of the server have 5000."""
_CARRIED_OUT: Final = frozenset((Kind.TASK, Kind.TRIGGER))
"""Kinds of types that a worker may carry out."""


def read_manifests(text: str) -> tuple[Manifest, ...]:
    """The manifests of a file. Raises `BadManifest` with every fault of every one of them."""
    types, definitions = _contents(text)
    expansion = _Expansion(definitions)
    manifests: list[Manifest] = []
    faults: list[str] = []
    for number, written in enumerate(types):
        try:
            manifest = _MANIFEST.validate_python(expansion.of(written))
            faults += _faults(manifest)
            manifests.append(manifest)
        except ValidationError as error:
            faults += faults_of(error, f"types[{number}]")
        except BadManifest as error:
            faults += error.faults
        except RecursionError:
            faults.append(f"types[{number}]: it is nested too deep")
    if faults:
        raise BadManifest(faults)
    return tuple(manifests)


def _contents(text: str) -> tuple[list[Any], Mapping[str, Any]]:
    try:
        file = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadManifest([f"no JSON: {error}"]) from error
    if not isinstance(file, dict) or not isinstance(file.get("types"), list):
        raise BadManifest(["a manifest file is an object with a list of 'types'"])
    return file["types"], _object(file.get("definitions", {}), "definitions")


class _Expansion:
    """Puts definitions where they are referred to. A few of them that refer to one another would fill any memory."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._left = _LARGEST

    def of(self, written: Any, within: tuple[str, ...] = ()) -> Any:
        """The same without `$ref` and `allOf`. Raises `BadManifest` for what grows too large, or is none of ours."""
        self._left -= 1
        if self._left < 0:
            raise BadManifest([f"with its references the file holds more than {_LARGEST} values"])
        if isinstance(written, list):
            return [self.of(item, within) for item in written]
        if not isinstance(written, dict):
            return written
        if reference := written.get("$ref"):
            own = {key: value for key, value in written.items() if key != "$ref"}
            return {**self._referred(str(reference), within), **own}
        parts = [_object(self.of(part, within), "allOf") for part in _list(written.get("allOf", []), "allOf")]
        own = {key: self.of(value, within) for key, value in written.items() if key != "allOf"}
        return _merged([*parts, own]) if parts else own

    def _referred(self, reference: str, within: tuple[str, ...]) -> dict[str, Any]:
        name = reference.removeprefix(_REFERENCE)
        if len(within) >= _DEEPEST:
            raise BadManifest([f"references lead more than {_DEEPEST} deep"])
        if name not in self._definitions or name in within:
            raise BadManifest([f"{reference} refers to nothing, or to itself"])
        return _object(self.of(self._definitions[name], (*within, name)), reference)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadManifest([f"{name} stands for an object, and holds something else"])
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadManifest([f"{name} is a list"])
    return value


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            before = whole.get(key)
            if isinstance(before, dict) and isinstance(value, dict):
                whole[key] = {**before, **value}
            elif isinstance(before, list) and isinstance(value, list):
                whole[key] = [*before, *value]
            else:
                whole[key] = value
    return whole


def _faults(manifest: Manifest) -> Iterator[str]:
    """What is well formed and still cannot be meant. Raises `BadManifest` when the properties are no schema."""
    properties = manifest.schema.properties
    for name in (manifest.type, *manifest.aliases):
        if not _TYPE.fullmatch(name):
            yield f"{name} is not a type name"
    if manifest.body and (manifest.kind not in _CARRIED_OUT or manifest.role is not Role.RUNNABLE):
        yield f"{manifest.type}: only a runnable task or a trigger that polls has a body"
    if manifest.body and Capability.RUNS_CODE in manifest.capabilities:
        yield f"{manifest.type}: a type that runs code of its own has no body"
    for branch in manifest.branches:
        if branch not in properties or not _holds_tasks(properties[branch]):
            yield f"{manifest.type}: the branch {branch} is not a property that holds tasks"


def _holds_tasks(schema: Schema) -> bool:
    inside = [schema.items, schema.values, *schema.properties.values()]
    return schema.holds is Holds.TASK or any(_holds_tasks(each) for each in inside if each)
