"""Task types as data: a manifest says all that any service may know of a type; the body is only ever loaded inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One type. `properties` is a JSON Schema object for what is special to the type; the common ones are in flows.

    `branches` lists the properties that hold child tasks, in order (`tasks`, `then`, `else`, `cases`, `defaults`, `errors`).
    `body` is the dotted name of the function inside the walls; flowables have none.
    """

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
    deprecated: bool = False


class Catalog:
    """The types that exist here, found by their name or by any alias."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._by_type = {manifest.type: manifest for manifest in manifests}
        self._canonical = {alias: m.type for m in self._by_type.values() for alias in (m.type, *m.aliases)}

    def find(self, name: str) -> Manifest | None:
        """The manifest of a type, by name or alias."""
        return self._by_type.get(self._canonical.get(name, name))

    def canonical(self, name: str) -> str:
        """The one true name behind an alias; an unknown name stays as it is."""
        return self._canonical.get(name, name)

    def all(self) -> tuple[Manifest, ...]:
        """Every type, in the order given."""
        return tuple(self._by_type.values())
