"""A flow as a picture: nodes, edges, and the clusters in which the children of a task stand together.

The shape is Kestra's `FlowGraph`, which its interface draws. `drawing` makes one from a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from casemate.flows.model import Task, Trigger
from casemate.flows.shown import task_to_json, trigger_to_json

_HIERARCHIES: Final = "io.kestra.core.models.hierarchies."
_CLUSTER: Final = "cluster_"


class Mark(StrEnum):
    """What a node stands for."""

    START = "GraphClusterRoot"
    END = "GraphClusterEnd"
    FINALLY = "GraphClusterFinally"
    AFTER_EXECUTION = "GraphClusterAfterExecution"
    TASK = "GraphTask"
    SUBFLOW = "SubflowGraphTask"
    TRIGGER = "GraphTrigger"


class Relation(StrEnum):
    """How what stands at the end of an edge comes after what stands at its beginning."""

    SEQUENTIAL = "SEQUENTIAL"
    CHOICE = "CHOICE"
    ERROR = "ERROR"
    FINALLY = "FINALLY"
    AFTER_EXECUTION = "AFTER_EXECUTION"
    PARALLEL = "PARALLEL"
    DYNAMIC = "DYNAMIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `uid` is the way to it, `root.parent.child`; `branch` says beside which road it stands, if beside."""

    uid: str
    mark: Mark
    relation: Relation | None = None
    branch: Relation | None = None
    task: Task | None = None
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another; `value` names the case or branch that leads along it."""

    source: str
    target: str
    relation: Relation | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The children of a task, of an expanded subflow, or the triggers of a flow.

    `nodes` are the uids of what stands directly in it, inner clusters included; `parents` those of the clusters around
    it, the outermost first; `node` is the task that it is of.
    """

    uid: str
    nodes: tuple[str, ...]
    parents: tuple[str, ...]
    start: str
    end: str
    node: Node | None = None
    relation: Relation | None = None
    branch: Relation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The whole picture. Parents stand before their children."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]

    def foreign(self) -> frozenset[str]:
        """The uids of what belongs to expanded subflows; the tasks that start them are not among them."""
        expanded = [one for one in self.clusters if one.node is not None and one.node.mark is Mark.SUBFLOW]
        names, own = {one.uid for one in expanded}, {one.node.uid for one in expanded if one.node is not None}
        inner = {uid for one in self.clusters if names & set(one.parents) for uid in one.nodes}
        return frozenset(inner | ({uid for one in expanded for uid in one.nodes} - own))


def cluster_uid(uid: str) -> str:
    """The uid of the cluster of a node."""
    return _CLUSTER + uid


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """Kestra's JSON form."""
    flowables = [one.node.task.id for one in graph.clusters if one.node is not None and one.node.task is not None]
    return {
        "nodes": [_node(each) for each in graph.nodes],
        "edges": [_edge(each) for each in graph.edges],
        "clusters": [_cluster(each) for each in graph.clusters],
        "flowables": flowables,
    }


def _node(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"uid": node.uid, "type": _HIERARCHIES + node.mark}
    if node.branch is not None:
        shown["branchType"] = node.branch
    if node.task is not None:
        shown["task"] = task_to_json(node.task)
    if node.relation is not None:
        shown["relationType"] = node.relation
    if node.trigger is not None:
        shown["triggerDeclaration"] = trigger_to_json(node.trigger)
    return shown


def _edge(edge: Edge) -> dict[str, Any]:
    relation = {"relationType": edge.relation, "value": edge.value}
    given = {name: value for name, value in relation.items() if value is not None}
    return {"source": edge.source, "target": edge.target, "relation": given}


def _cluster(cluster: Cluster) -> dict[str, Any]:
    kind = "SubflowGraphCluster" if cluster.node is not None and cluster.node.mark is Mark.SUBFLOW else "GraphCluster"
    own: dict[str, Any] = {"uid": cluster.uid, "type": _HIERARCHIES + kind}
    if cluster.branch is not None:
        own["branchType"] = cluster.branch
    if cluster.relation is not None:
        own["relationType"] = cluster.relation
    if cluster.node is not None:
        own["taskNode"] = _node(cluster.node)
    return {
        "cluster": own,
        "nodes": list(cluster.nodes),
        "parents": list(cluster.parents),
        "start": cluster.start,
        "end": cluster.end,
    }
