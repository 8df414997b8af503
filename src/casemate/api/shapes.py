"""The JSON of Kestra's 2.0 API as types: documentation is made from them, and request bodies are checked with them."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from casemate.api.sources import Scope


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


class Template(TypedDict):
    """A template: tasks that flows take in by its name."""

    id: str
    namespace: str
    tasks: list[dict[str, Any]]
    deleted: bool
    description: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]


class Templates(TypedDict):
    """A page of templates."""

    results: list[Template]
    total: int


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


class GraphNode(TypedDict):
    """A node of a graph; a task has `task`, a trigger `triggerDeclaration`."""

    uid: str
    type: str
    branchType: NotRequired[str]
    relationType: NotRequired[str]
    task: NotRequired[dict[str, Any]]
    triggerDeclaration: NotRequired[dict[str, Any]]


class GraphRelation(TypedDict):
    """How one node comes after another."""

    relationType: NotRequired[str]
    value: NotRequired[str]


class GraphEdge(TypedDict):
    """A way from one node to another, by their uids."""

    source: str
    target: str
    relation: GraphRelation


class ClusterItself(TypedDict):
    """What a cluster is of."""

    uid: str
    type: str
    branchType: NotRequired[str]
    relationType: NotRequired[str]
    taskNode: NotRequired[GraphNode]


class GraphCluster(TypedDict):
    """Nodes that stand together, by their uids."""

    cluster: ClusterItself
    nodes: list[str]
    parents: list[str]
    start: str
    end: str


class FlowGraph(TypedDict):
    """The tasks and triggers of a flow as a graph."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    clusters: list[GraphCluster]
    flowables: list[str]


class FlowNode(TypedDict):
    """A flow among others."""

    uid: str
    namespace: str
    id: str


class FlowEdge(TypedDict):
    """One flow starts another: by a task (`FLOW_TASK`) or a trigger (`FLOW_TRIGGER`)."""

    source: str
    target: str
    relation: str


class Topology(TypedDict):
    """Which flows start which."""

    nodes: list[FlowNode]
    edges: list[FlowEdge]


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


@with_config(ConfigDict(extra="ignore"))
class Replacing(TypedDict):
    """What is to be replaced in sources."""

    query: str
    replacement: str
    caseSensitive: NotRequired[bool | None]
    wholeWord: NotRequired[bool | None]
    regex: NotRequired[bool | None]


class ReplacePreview(Replacing):
    """In which flows it would be."""

    namespace: NotRequired[str | None]
    scope: NotRequired[Scope | None]


class ReplaceApply(Replacing):
    """In which flows it is to be."""

    flows: list[FlowName]
    scope: NotRequired[Scope | None]


class ReplaceLine(Replacing):
    """In which line; line and column count from 1."""

    namespace: str
    id: str
    line: NotRequired[int | None]
    column: NotRequired[int | None]


class ReplacedLine(TypedDict):
    """A line before and after."""

    line: int
    before: str
    after: str


class ReplacedFlow(TypedDict):
    """The lines of one flow that would change."""

    namespace: str
    id: str
    editable: bool
    matches: list[ReplacedLine]


class ReplacePreviewed(TypedDict):
    """What would change."""

    totalMatches: int
    totalFlows: int
    editableFlowCount: int
    flows: list[ReplacedFlow]


class NotReplaced(TypedDict):
    """A flow that stays as it is, and why."""

    namespace: str
    id: str
    reason: str
    message: NotRequired[str]


class ReplaceApplied(TypedDict):
    """What was changed, and what was not."""

    updated: list[Flow]
    skipped: list[NotReplaced]


class Namespace(TypedDict):
    """A namespace."""

    id: str
    deleted: bool


class Namespaces(TypedDict):
    """A page of namespaces."""

    results: list[Namespace]
    total: int


@with_config(ConfigDict(extra="ignore"))
class Autocomplete(TypedDict):
    """What has been typed so far."""

    q: NotRequired[str | None]
    ids: NotRequired[list[str] | None]
    existingOnly: NotRequired[bool | None]
