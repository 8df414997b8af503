"""Flows, their checks and limits."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from casemate.api.shapes.common import LabelOf, Placed


class Flow(TypedDict):
    """A flow; its other properties are those of the flow language."""

    id: str
    namespace: str
    revision: int
    updated: str
    disabled: bool
    draft: bool
    deleted: bool
    tasks: list[dict[str, Any]]
    description: NotRequired[str]
    labels: NotRequired[list[LabelOf]]
    inputs: NotRequired[list[dict[str, Any]]]
    outputs: NotRequired[list[dict[str, Any]]]
    triggers: NotRequired[list[dict[str, Any]]]
    source: NotRequired[str]


class Flows(TypedDict):
    """A page of flows."""

    results: list[Flow]
    total: int


@with_config(ConfigDict(extra="ignore"))
class FlowName(TypedDict):
    """Which flow."""

    namespace: str
    id: str


class Validation(TypedDict):
    """What a check of one document found. `constraints` is absent when it is valid.

    `problems` and `advised` are ours: the places of what is wrong, and of what policies warn of.
    """

    index: int
    namespace: NotRequired[str]
    flow: NotRequired[str]
    constraints: NotRequired[str]
    outdated: NotRequired[bool]
    deprecationPaths: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    infos: NotRequired[list[str]]
    problems: NotRequired[list[Placed]]
    advised: NotRequired[list[Placed]]


class ConcurrencyLimit(TypedDict):
    """A flow that has a limit, and how many of its executions run."""

    tenantId: str
    namespace: str
    flowId: str
    running: int


@with_config(ConfigDict(extra="ignore"))
class RunningAsked(TypedDict):
    """How many executions of a flow are said to run."""

    running: int


class ConcurrencyLimits(TypedDict):
    """All of them."""

    results: list[ConcurrencyLimit]
    total: int


class FlowHash(TypedDict):
    """The SHA-256 of a flow's source in hexadecimal digits; null where there is no such flow."""

    namespace: str
    id: str
    hash: str | None
    revision: int | None


class Hashes(TypedDict):
    """One for each flow that was named."""

    hashes: list[FlowHash]


class DeprecatedTask(TypedDict):
    """A task of a type that is deprecated or has another name now."""

    taskId: str
    taskType: str
    replacement: str | None


class WithDeprecated(TypedDict):
    """A flow that has such tasks."""

    namespace: str
    flowId: str
    revision: int
    deprecatedTasks: list[DeprecatedTask]


class ExpressionCategories(TypedDict):
    """What templates may use."""

    taskOutputs: list[str]
    executionContext: list[str]
    inputs: list[str]
    variables: list[str]
    filters: list[str]
    functions: list[str]


class Expressions(TypedDict):
    """The same by category."""

    categories: ExpressionCategories
