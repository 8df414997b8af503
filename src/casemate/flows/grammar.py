"""Which properties an object has, given its place in the flow and its own `type`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Final

from casemate.catalog import Catalog, Holds, Installed, Kind, Manifest, Schema, Unresolved, read_schema
from casemate.flows import vocabulary

PLUGINS: Final = {
    Holds.TASK: Kind.TASK,
    Holds.TRIGGER: Kind.TRIGGER,
    Holds.CONDITION: Kind.CONDITION,
    Holds.TASK_RUNNER: Kind.TASK_RUNNER,
}
_COMMON: Final = {
    Holds.TASK: vocabulary.TASK,
    Holds.TRIGGER: vocabulary.TRIGGER,
    Holds.CONDITION: vocabulary.CONDITION,
    Holds.TASK_RUNNER: vocabulary.TASK_RUNNER,
    Holds.INPUT: vocabulary.INPUT,
    Holds.RETRY: vocabulary.RETRY,
    Holds.SLA: vocabulary.SLA,
}
_BUILT_IN: Final[Mapping[Holds, Mapping[str, vocabulary.Written]]] = {
    Holds.INPUT: vocabulary.INPUTS,
    Holds.RETRY: vocabulary.RETRIES,
    Holds.SLA: vocabulary.SLAS,
}


_MOST_KNOWN: Final = 10_000
"""Names and versions that are kept; people write them, and may write any."""


@dataclass(frozen=True, slots=True)
class Kin:
    """What a `type` stands for at one kind of place; only a plugin has a manifest."""

    schema: Schema
    manifest: Manifest | None = None


class Grammar:
    """The vocabulary of flows together with the types of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._known: dict[tuple[Holds, str, str | None], Kin | None] = {}

    def find(self, place: Holds, name: str, version: str | None = None) -> Kin | None:
        """What this `type` means at this kind of place, if it means anything; `version` is what stands beside it."""
        key = (place, name, version)
        if key not in self._known:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._plugin(place, name, version) if place in PLUGINS else _built_in(place, name)
        return self._known[key]

    def unresolved(self, place: Holds, name: str, version: str | None) -> Unresolved | None:
        """Why a type that there is means nothing in this version."""
        there = self.catalog.find(name)
        if there is None or place not in PLUGINS or there.kind is not PLUGINS[place]:
            return None
        found = self.catalog.resolve(name, version)
        return found if isinstance(found, Unresolved) else None

    def kin(self, place: Holds) -> Mapping[str, tuple[Kin, tuple[str, ...]]]:
        """Every type at this kind of place by its true name, each with all the names that it has."""
        if place not in PLUGINS:
            return {name: (kin, (name,)) for name in _BUILT_IN[place] if (kin := self.find(place, name))}
        here = [manifest for manifest in self.catalog.all() if manifest.kind is PLUGINS[place]]
        known = ((each, self.kin_of(place, each)) for each in here)
        return {each.type: (kin, each.names) for each, kin in known}

    def nearest(self, place: Holds, name: str) -> str | None:
        """The known type that was probably meant."""
        return nearest(name, self.names(place))

    def names(self, place: Holds) -> Iterable[str]:
        """The known types of that kind."""
        if place not in PLUGINS:
            return _BUILT_IN[place]
        return [manifest.type for manifest in self.catalog.all() if manifest.kind is PLUGINS[place]]

    def _plugin(self, place: Holds, name: str, version: str | None) -> Kin | None:
        manifest = self.catalog.resolve(name, version)
        if not isinstance(manifest, Manifest) or manifest.internal or manifest.kind is not PLUGINS[place]:
            return None
        return self.kin_of(place, manifest)

    def kin_of(self, place: Holds, manifest: Manifest) -> Kin:
        """The properties of this type, with those that all types at such a place have."""
        shared = _versioned(common(place)) if isinstance(manifest, Installed) else common(place)
        return Kin(_joined(shared, manifest.schema, manifest.type), manifest)


def grammar_of(catalog: Catalog) -> Grammar:
    """The grammar of a catalog; catalogs are few and live long, so each is worked out once for its plugins."""
    return _grammar_of(catalog, catalog.edition)


@lru_cache(maxsize=8)
def _grammar_of(catalog: Catalog, _edition: int) -> Grammar:
    return Grammar(catalog)


@cache
def flow_schema() -> Schema:
    """The properties of a flow."""
    return read_schema(vocabulary.FLOW)


@cache
def common(place: Holds) -> Schema:
    """The properties that every object at such a place has."""
    return read_schema(_COMMON[place])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like this one. Of dotted names the last part decides: the rest is alike anyway."""
    last_parts = {each.rpartition(".")[2].lower(): each for each in known}
    found = get_close_matches(name.rpartition(".")[2].lower(), last_parts, n=1, cutoff=0.7)
    return last_parts[found[0]] if found else None


def _versioned(shared: Schema) -> Schema:
    """The same, for a type of which there may be several versions: what `version` says has an effect."""
    own = shared.properties.get("version")
    return (
        shared if own is None else replace(shared, properties={**shared.properties, "version": replace(own, unused="")})
    )


@cache
def _built_in(place: Holds, name: str) -> Kin | None:
    written = _BUILT_IN[place].get(name)
    own = written and read_schema(written)
    return Kin(_joined(common(place), own, own.java)) if own else None


def _joined(shared: Schema, own: Schema, java: str) -> Schema:
    """The common properties and the type's own, which win where both have one."""
    return replace(
        own,
        java=java,
        properties={**shared.properties, **own.properties},
        required=shared.required | own.required,
        checks=(*shared.checks, *own.checks),
    )
