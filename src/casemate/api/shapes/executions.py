"""Executions, their task runs, outputs and inputs."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from casemate.api.shapes.common import LabelOf


class Moment(TypedDict):
    """One entry of a history."""

    state: str
    date: str


class State(TypedDict):
    """A state and how it came about; `duration` is ISO 8601."""

    current: str
    histories: list[Moment]
    duration: str
    startDate: str
    endDate: NotRequired[str]


class Attempt(TypedDict):
    """One run of a task. `isolation` is ours: the walls that stood around it."""

    state: State
    logFile: NotRequired[str]
    isolation: NotRequired[dict[str, Any]]


class TaskRun(TypedDict):
    """One task at work in an execution. `isolation` is ours: that of its last attempt."""

    id: str
    executionId: str
    namespace: str
    flowId: str
    taskId: str
    state: State
    parentTaskRunId: NotRequired[str]
    value: NotRequired[str]
    iteration: NotRequired[int]
    dynamic: NotRequired[bool]
    attempts: NotRequired[list[Attempt]]
    outputs: NotRequired[dict[str, Any]]
    isolation: NotRequired[dict[str, Any]]


class TriggeredBy(TypedDict):
    """What started an execution."""

    id: str
    type: str
    variables: NotRequired[dict[str, Any]]
    logFile: NotRequired[str]


class ExecutionMetadata(TypedDict):
    """How often an execution was tried."""

    attemptNumber: int
    originalCreatedDate: str


class Execution(TypedDict):
    """One run of a flow."""

    id: str
    namespace: str
    flowId: str
    flowRevision: int
    state: State
    originalId: str
    deleted: bool
    metadata: ExecutionMetadata
    taskRunList: NotRequired[list[TaskRun]]
    inputs: NotRequired[dict[str, Any]]
    outputs: NotRequired[dict[str, Any]]
    labels: NotRequired[list[LabelOf]]
    variables: NotRequired[dict[str, Any]]
    trigger: NotRequired[TriggeredBy]
    parentId: NotRequired[str]
    scheduleDate: NotRequired[str]
    url: NotRequired[str]


class Executions(TypedDict):
    """A page of executions."""

    results: list[Execution]
    total: int


class AverageDuration(TypedDict):
    """How long executions took on average, in milliseconds, and how many they were."""

    avgDurationMs: NotRequired[int]
    count: int


class LatestExecution(TypedDict):
    """The newest execution of a flow."""

    id: str
    namespace: str
    flowId: str
    startDate: str
    status: str


@with_config(ConfigDict(extra="ignore"))
class StateAsked(TypedDict):
    """Which task run is to have which state."""

    taskRunId: str
    state: str


class LabelsAsked(TypedDict):
    """Which executions are to have which labels."""

    executionsId: list[str]
    executionLabels: list[LabelOf]


class Evaluated(TypedDict):
    """The value of an expression, or why it has none."""

    result: NotRequired[str]
    error: NotRequired[str]


class TaskOutputs(TypedDict):
    """A task run that has outputs."""

    taskId: str
    taskRunId: str
    value: NotRequired[str]
    iteration: NotRequired[int]
    inline: bool


class InputResolved(TypedDict):
    """What became of one input, or what is wrong with it."""

    input: dict[str, Any]
    value: Any
    enabled: bool
    isDefault: bool
    errors: NotRequired[list[dict[str, str]]]


class InputsResolved(TypedDict):
    """What would become of the inputs of a new execution."""

    id: str
    namespace: str
    inputs: list[InputResolved]


class Webhook(TypedDict):
    """The execution that a webhook started."""

    tenantId: str
    id: str
    namespace: str
    flowId: str
    flowRevision: int
    trigger: TriggeredBy
    labels: list[LabelOf]
    state: State
    url: str
