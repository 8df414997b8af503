"""Graphs: the tasks of a flow, and flows that start flows."""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict

from casemate.api.shapes.triggers import TriggerState


class GraphNode(TypedDict):
    """A node of a graph; a task has `task`, a trigger `triggerDeclaration`."""

    uid: str
    type: str
    branchType: NotRequired[str]
    relationType: NotRequired[str]
    task: NotRequired[dict[str, Any]]
    triggerDeclaration: NotRequired[dict[str, Any]]
    trigger: NotRequired[TriggerState]
    taskRun: NotRequired[dict[str, Any]]


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
