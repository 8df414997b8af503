"""The JSON of Kestra's 2.0 API as types: documentation is made from them, and request bodies are checked with them."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


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
    """One run of a task."""

    state: State
    logFile: NotRequired[str]


class TaskRun(TypedDict):
    """One task at work in an execution. `isolation` is ours: the walls that stood around it."""

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


class LabelOf(TypedDict):
    """A label."""

    key: str
    value: str


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


class LatestExecution(TypedDict):
    """The newest execution of a flow."""

    id: str
    namespace: str
    flowId: str
    startDate: str
    status: str


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


class SourceMatch(TypedDict):
    """A place in a source that matches; line and column count from 1."""

    line: int
    column: int
    snippet: str


class SourceFound(TypedDict):
    """A flow whose source matches."""

    namespace: str
    id: str
    editable: bool
    matches: list[SourceMatch]


class SourcesFound(TypedDict):
    """A page of matching sources."""

    results: list[SourceFound]
    total: int


class Placed(TypedDict):
    """A problem with its place; line and column count from 1."""

    code: str
    message: str
    path: NotRequired[str]
    line: NotRequired[int]
    column: NotRequired[int]
    remedy: NotRequired[str]


class Validation(TypedDict):
    """What a check of one document found. `constraints` is absent when it is valid; `problems` is ours."""

    index: int
    namespace: NotRequired[str]
    flow: NotRequired[str]
    constraints: NotRequired[str]
    outdated: NotRequired[bool]
    deprecationPaths: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    infos: NotRequired[list[str]]
    problems: NotRequired[list[Placed]]


class LogEntry(TypedDict):
    """One log entry."""

    namespace: str
    flowId: str
    executionId: NotRequired[str]
    taskId: NotRequired[str]
    taskRunId: NotRequired[str]
    triggerId: NotRequired[str]
    attemptNumber: NotRequired[int]
    timestamp: str
    level: str
    thread: str
    message: str


class LogEntries(TypedDict):
    """A page of log entries."""

    results: list[LogEntry]
    total: int
    type: str


class Metrics(TypedDict):
    """A page of measurements."""

    results: list[dict[str, Any]]
    total: int


@with_config(ConfigDict(extra="ignore"))
class StateAsked(TypedDict):
    """Which task run is to have which state."""

    taskRunId: str
    state: str


class ConcurrencyLimit(TypedDict):
    """A flow that has a limit, and how many of its executions run."""

    tenantId: str
    namespace: str
    flowId: str
    running: int


class ConcurrencyLimits(TypedDict):
    """All of them."""

    results: list[ConcurrencyLimit]
    total: int


class Count(TypedDict):
    """How many things were changed."""

    count: int


class KeyValue(TypedDict):
    """A value of the KV store."""

    type: str
    value: Any
    revision: int
    updated: str


class Key(TypedDict):
    """A key of the KV store without its value."""

    namespace: str
    key: str
    revision: int
    description: NotRequired[str]
    creationDate: NotRequired[str]
    updateDate: str
    expirationDate: NotRequired[str]


class Keys(TypedDict):
    """A page of keys."""

    results: list[Key]
    total: int


@with_config(ConfigDict(extra="ignore"))
class KeysAsked(TypedDict):
    """Several keys."""

    keys: NotRequired[list[str] | None]


class FileAttributes(TypedDict):
    """A file or folder of a namespace; dates are in milliseconds since 1970."""

    type: str
    fileName: str
    size: int
    lastModifiedTime: int
    creationTime: int


class FileRevision(TypedDict):
    """A revision of a file."""

    revision: int


class FilePreview(TypedDict):
    """The beginning of a file: rows of a `LIST`, text, or an image in base 64."""

    extension: str
    type: str
    content: Any
    truncated: bool


class Measured(TypedDict):
    """A measurement over one span of time."""

    name: str
    value: float
    date: str


class Measurements(TypedDict):
    """Measurements over time, the spans named by `groupBy`."""

    groupBy: str
    aggregations: list[Measured]


class FileSize(TypedDict):
    """What is known of a file."""

    size: int


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


@with_config(ConfigDict(extra="ignore"))
class FlowName(TypedDict):
    """Which flow."""

    namespace: str
    id: str


class ErrorBody(TypedDict):
    """Every refusal."""

    message: str
    problems: NotRequired[list[Placed]]
