"""Task types as data: a manifest says all that any service may know of a type; the body is only ever loaded inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict

from casemate.catalog.origin import Origin
from casemate.catalog.schema import Schema, read_schema
from casemate.documents import Plain


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
    def implied(self) -> Mapping[str, Plain]:
        """The objects with a type of their own that are there where nothing is said: the task runner of a script."""
        own = self.schema.properties.items()
        return {name: schema.default for name, schema in own if schema.holds and isinstance(schema.default, dict)}


@dataclass(frozen=True, kw_only=True)
class Installed(Manifest):
    """A type of one version of a plugin that was installed. `body` is a module of its wheel."""

    origin: Origin


def joint_facts(versions: Sequence[Manifest]) -> Mapping[str, Plain]:
    """What conditions of policies may ask for: all that any version can do, and the properties that every one has."""
    capabilities = sorted({each.value for version in versions for each in version.capabilities})
    shared: list[Plain] = [
        name for name in versions[0].schema.properties if all(name in v.schema.properties for v in versions)
    ]
    return {
        "manifest.kind": versions[0].kind.value,
        "manifest.capabilities": list(capabilities),
        "manifest.properties": shared,
    }
