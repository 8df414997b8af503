"""Task types as data: a manifest says all that any service may know of a type; the body is only ever loaded inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict

from casemate.catalog.allowed import EVERYTHING, Allowed
from casemate.catalog.errors import BadManifest
from casemate.catalog.schema import Schema, read_schema
from casemate.documents import Plain
from casemate.governance import Rulebook


class Kind(StrEnum):
    """Where in a flow a type may stand."""

    TASK = "task"
    TRIGGER = "trigger"
    CONDITION = "condition"
    TASK_RUNNER = "task-runner"


class Role(StrEnum):
    """Who carries a task out."""

    RUNNABLE = "runnable"  #: a worker, inside a sandbox
    FLOWABLE = "flowable"  #: the engine: it only schedules children
    EXECUTABLE = "executable"  #: the engine: it starts other executions
    UPDATING = "updating"  #: the engine: it changes the execution itself


class Capability(StrEnum):
    """What a type must be allowed for its work; the isolation policy decides what it gets."""

    RUNS_CODE = "runs-code"
    STARTS_PROCESSES = "starts-processes"
    STARTS_THREADS = "starts-threads"
    NETWORK = "network"
    STORAGE = "storage"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One type. `properties` is a JSON Schema object for what is special to the type; the common ones are in flows.

    `branches` lists the properties that hold child tasks, in order (`tasks`, `then`, `else`, `cases`, `defaults`).
    `body` is the dotted name of the function inside the walls. A flowable has none; a runnable without one either runs
    code of its own (`runs-code`) or cannot be run here yet; that of a trigger is what it polls with. `asks` names what
    the body may ask of the control plane while it runs, or a task that takes its place; everything else is refused
    there. `shared`: in a WorkingDirectory the body works on the files that all tasks there share, as scripts do; others
    get a folder of their own. An `internal`
    type stands for a part of another task; no flow may name it. `replaced_by` is what to use instead of a
    deprecated type.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    type: str
    kind: Kind
    title: str
    properties: Mapping[str, object]
    aliases: tuple[str, ...] = ()
    role: Role = Role.RUNNABLE
    description: str = ""
    outputs: Mapping[str, object] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    capabilities: frozenset[Capability] = frozenset()
    body: str | None = None
    asks: frozenset[str] = frozenset()
    shared: bool = False
    deprecated: bool = False
    replaced_by: str | None = None
    internal: bool = False

    @cached_property
    def schema(self) -> Schema:
        """`properties` as a value. Raises `BadManifest` when it is not a schema we understand."""
        return read_schema(self.properties, self.type)

    @property
    def names(self) -> tuple[str, ...]:
        """The true name, then the older ones."""
        return (self.type, *self.aliases)

    @cached_property
    def facts(self) -> Mapping[str, Plain]:
        """What conditions of policies may ask for."""
        return {
            "manifest.kind": self.kind.value,
            "manifest.capabilities": [each.value for each in sorted(self.capabilities)],
            "manifest.properties": list(self.schema.properties),
        }

    @cached_property
    def implied(self) -> Mapping[str, Plain]:
        """The objects with a type of their own that are there where nothing is said: the task runner of a script."""
        own = self.schema.properties.items()
        return {name: schema.default for name, schema in own if schema.holds and isinstance(schema.default, dict)}


class Catalog:
    """The types that exist here, found by their name or by any alias. Raises `BadManifest` when two share a name.

    `rules` are the policies and plugin defaults of the installation: whoever reads a flow has a catalog, so that
    nothing is read without them. A type that is not among the `allowed` ones is found by nobody.
    """

    def __init__(
        self, manifests: Iterable[Manifest], rules: Rulebook | None = None, allowed: Allowed = EVERYTHING
    ) -> None:
        given = tuple(manifests)
        names = Counter(name for manifest in given for name in manifest.names)
        # An alias that shadows another plugin's type would run its body under a name that policies trust.
        if shared := [f"{name} is described more than once" for name, count in names.items() if count > 1]:
            raise BadManifest(shared)
        self._by_type = {manifest.type: manifest for manifest in given}
        self._canonical = {name: manifest.type for manifest in given for name in manifest.names}
        self._restricted = frozenset(manifest.type for manifest in given if not allowed.allows(_judged_by(manifest)))
        self.rules = rules or Rulebook()
        self.allowed = allowed

    def find(self, name: str) -> Manifest | None:
        """The manifest of a type, by name or alias; none of one that must not be used."""
        return None if self.is_restricted(name) else self._by_type.get(self._canonical.get(name, name))

    def is_restricted(self, name: str) -> bool:
        """Does the type exist, by this name or alias, and must not be used here?"""
        return self._canonical.get(name, name) in self._restricted

    def canonical(self, name: str) -> str:
        """The one true name behind an alias; an unknown name stays as it is."""
        return self._canonical.get(name, name)

    def names(self, name: str) -> tuple[str, ...]:
        """Every name of a type, this one first; an unknown one has no other."""
        manifest = self.find(name)
        others = manifest.names if manifest is not None else ()
        return tuple(dict.fromkeys((name, *others)))

    def facts(self, name: str) -> Mapping[str, Plain] | None:
        """What conditions of policies may ask for; None for an unknown type."""
        manifest = self.find(name)
        return manifest.facts if manifest is not None else None

    def implied(self, name: str) -> Mapping[str, Plain]:
        """The objects that are there where nothing is said; none for an unknown type."""
        manifest = self.find(name)
        return manifest.implied if manifest is not None else {}

    def enforce(self, rules: Rulebook) -> None:
        """From now on these rules hold: whoever reads a flow next reads it by them."""
        self.rules = rules

    def with_rules(self, rules: Rulebook) -> Catalog:
        """The same types under these policies and plugin defaults."""
        return Catalog(self._by_type.values(), rules, self.allowed)

    def restricted_to(self, allowed: Allowed) -> Catalog:
        """The same types, of which only these may be used."""
        return Catalog(self._by_type.values(), self.rules, allowed)

    def joined(self, further: Iterable[Manifest]) -> Catalog:
        """The same types and these."""
        return Catalog((*self._by_type.values(), *further), self.rules, self.allowed)

    def all(self) -> tuple[Manifest, ...]:
        """Every type that flows may name, in the order given."""
        named = (manifest for manifest in self._by_type.values() if not manifest.internal)
        return tuple(manifest for manifest in named if manifest.type not in self._restricted)

    def every_name(self) -> frozenset[str]:
        """Every name of every type there is, whether it may be used or not."""
        return frozenset(self._canonical)


def _judged_by(manifest: Manifest) -> tuple[str, ...]:
    """The names that decide whether it may be used: a part of another type may wherever that one may."""
    return (manifest.type.partition("$")[0],) if manifest.internal else manifest.names
