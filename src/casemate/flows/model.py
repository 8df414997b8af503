"""A flow as a value: read once from a document, never changed, understood by every room above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from casemate import durations
from casemate.catalog import Role
from casemate.errors import Problem
from casemate.identifiers import FlowId, Namespace, TaskId, TenantId


@dataclass(frozen=True, slots=True)
class Label:
    """A key and a value that users search by."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a failed task run is tried again (spec/engine 3.2)."""

    kind: Literal["constant", "exponential", "random"]
    max_attempt: int | None = None
    max_duration: timedelta | None = None
    warning_on_retry: bool = False
    behavior: Literal["RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"] = "RETRY_FAILED_TASK"
    interval: timedelta | None = None
    max_interval: timedelta | None = None
    min_interval: timedelta | None = None
    delay_factor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a flow (spec/engine 2). `properties` holds its type's own ones: `values`, `min`, `validator`..."""

    id: str
    type: str
    description: str | None = None
    required: bool = True
    defaults: object = None
    display_name: str | None = None
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a flow, rendered at its end (spec/engine 2.6)."""

    id: str
    type: str
    value: object
    description: str | None = None
    display_name: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


MADE = "made"
"""The branch of children that a task has by its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. `type` is as written, `canonical` after aliases; `properties` are unrendered and special to the type.

    `branches` holds the children of a flowable by the name of the branch (`tasks`, `then`, `else`, `defaults`,
    `case:‹key›`, and `made` for children that no author wrote) in the order written; `errors` stands apart.
    `depends_on` is Dag's: child id to the ids it waits for. Defaults are filled in; `defaulted` names the properties
    that hold theirs. `version` is that of the plugin its type comes from; None for a type of the server. `policy_refs`
    names the policies that it refers to itself, for what is in it too (spec/isolation 4.1).
    """

    id: TaskId
    type: str
    canonical: str
    role: Role
    properties: Mapping[str, object] = field(default_factory=dict)
    description: str | None = None
    retry: Retry | None = None
    timeout: str | None = None
    disabled: bool = False
    run_if: str = "true"
    allow_failure: bool = False
    allow_warning: bool = False
    log_level: str | None = None
    log_to_file: bool = False
    branches: Mapping[str, tuple[Task, ...]] = field(default_factory=dict)
    errors: tuple[Task, ...] | None = None
    depends_on: Mapping[TaskId, tuple[TaskId, ...]] = field(default_factory=dict)
    defaulted: frozenset[str] = frozenset()
    version: str | None = None
    policy_refs: frozenset[str] = frozenset()

    def children(self) -> Iterator[Task]:
        """Direct children, those of `errors` last."""
        for branch in self.branches.values():
            yield from branch
        yield from self.errors or ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition (spec/engine 9.4); `conditions` are those it is made of. `written` is all as the flow says it."""

    canonical: str
    properties: Mapping[str, object] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    written: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One trigger (spec/engine 9). Labels and what is special to its type are among the `properties`.

    So are its conditions as they were written; `conditions` are the same as values, those of a Schedule's deprecated
    `scheduleConditions` with them.
    """

    id: str
    type: str
    canonical: str
    properties: Mapping[str, object] = field(default_factory=dict)
    description: str | None = None
    disabled: bool = False
    conditions: tuple[Condition, ...] = ()
    defaulted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Tasks that run after an execution has ended, if every condition holds (spec/engine 5.9)."""

    tasks: tuple[Task, ...]
    conditions: tuple[Condition, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """How many executions of a flow may run at once (spec/engine 5.7)."""

    limit: int
    behavior: Literal["QUEUE", "CANCEL", "FAIL"] = "QUEUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many executions may be created in a stretch of time, and what becomes of more (spec/isolation 9.1)."""

    duration: timedelta
    limit: int
    behavior: Literal["CANCEL", "FAIL"]

    @property
    def id(self) -> str:
        """The name of the quota among those of the same place: its length."""
        return durations.printed(self.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """What a flow promises about each execution (spec/engine 5.8). `written` is all of it as the flow says it."""

    id: str
    kind: Literal["MAX_DURATION", "EXECUTION_ASSERTION"]
    behavior: Literal["FAIL", "CANCEL", "NONE"]
    labels: tuple[Label, ...] = ()
    duration: timedelta | None = None
    assertion: str | None = None
    written: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow that passed every check. `source` is the text it was read from, `document` the same as ordinary values."""

    tenant: TenantId
    namespace: Namespace
    id: FlowId
    tasks: tuple[Task, ...]
    source: str
    document: Mapping[str, object]
    revision: int = 1
    description: str | None = None
    labels: tuple[Label, ...] = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    errors: tuple[Task, ...] | None = None
    finally_: tuple[Task, ...] = ()
    after_execution: tuple[Task, ...] = ()
    listeners: tuple[Listener, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    plugin_defaults: tuple[Mapping[str, object], ...] = ()
    concurrency: Concurrency | None = None
    quotas: tuple[Quota, ...] = ()
    policy_refs: frozenset[str] = frozenset()
    retry: Retry | None = None
    sla: tuple[Sla, ...] = ()
    disabled: bool = False
    deleted: bool = False
    unused: tuple[str, ...] = ()
    """What of it has no effect here, and why: a sentence for each property."""
    advised: tuple[Problem, ...] = ()
    """What policies only warn of, which stands in nobody's way."""

    def all_tasks(self) -> Iterator[Task]:
        """Every task of the flow with all its children, parents first; those of listeners last."""
        yield from all_tasks(self.outermost_tasks())

    def outermost_tasks(self) -> Iterator[Task]:
        """Every task that stands in no other one; those of listeners last."""
        yield from (*self.tasks, *(self.errors or ()), *self.finally_, *self.after_execution)
        for listener in self.listeners:
            yield from listener.tasks


def all_tasks(tasks: Iterable[Task]) -> Iterator[Task]:
    """These tasks with all their children, parents first."""
    for task in tasks:
        yield task
        yield from all_tasks(task.children())


FlowKey: TypeAlias = tuple[TenantId, Namespace, FlowId]
