"""Which properties an object has, given its place in the flow and its own `type`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Final

from casemate.catalog import Catalog, Holds, Kind, Manifest, Schema, read_schema
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


@dataclass(frozen=True, slots=True)
class Kin:
    """What a `type` stands for at one kind of place; only a plugin has a manifest."""

    schema: Schema
    manifest: Manifest | None = None


class Grammar:
    """The vocabulary of flows together with the types of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._known: dict[tuple[Holds, str], Kin | None] = {}

    def find(self, place: Holds, name: str) -> Kin | None:
        """What this `type` means at this kind of place, if it means anything."""
        key = (place, name)
        if key not in self._known:
            self._known[key] = self._plugin(place, name) if place in PLUGINS else _built_in(place, name)
        return self._known[key]

    def kin(self, place: Holds) -> Mapping[str, tuple[Kin, tuple[str, ...]]]:
        """Every type at this kind of place by its true name, each with all the names that it has."""
        if place not in PLUGINS:
            return {name: (kin, (name,)) for name in _BUILT_IN[place] if (kin := self.find(place, name))}
        here = [manifest for manifest in self.catalog.all() if manifest.kind is PLUGINS[place]]
        known = ((each, self.find(place, each.type)) for each in here)
        return {each.type: (kin, (each.type, *each.aliases)) for each, kin in known if kin is not None}

    def nearest(self, place: Holds, name: str) -> str | None:
        """The known type that was probably meant."""
        return nearest(name, self.names(place))

    def names(self, place: Holds) -> Iterable[str]:
        """The known types of that kind."""
        if place not in PLUGINS:
            return _BUILT_IN[place]
        return [manifest.type for manifest in self.catalog.all() if manifest.kind is PLUGINS[place]]

    def _plugin(self, place: Holds, name: str) -> Kin | None:
        manifest = self.catalog.find(name)
        if manifest is None or manifest.internal or manifest.kind is not PLUGINS[place]:
            return None
        return Kin(_joined(common(place), manifest.schema, manifest.type), manifest)


@lru_cache(maxsize=8)
def grammar_of(catalog: Catalog) -> Grammar:
    """The grammar of a catalog; catalogs are few and live long, so each is worked out once."""
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
