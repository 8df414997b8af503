"""Drawing a flow: from its tasks and triggers to a graph.

A cluster begins and ends at a node of its own. Their names begin with `_`, which no id of a task does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from casemate.catalog import Role
from casemate.flows.graph import Cluster, Edge, Graph, Mark, Node, Relation, cluster_uid
from casemate.flows.model import Flow, Task, Trigger
from casemate.identifiers import TaskId

Expand: TypeAlias = Callable[[str, Task], Flow | None]
"""The flow to draw in place of a task that starts one, given the uid of its node; None leaves the task closed."""

_FLOW: Final = "io.kestra.plugin.core.flow."
_RELATIONS: Final = {
    f"{_FLOW}Parallel": Relation.PARALLEL,
    f"{_FLOW}If": Relation.CHOICE,
    f"{_FLOW}Switch": Relation.CHOICE,
    f"{_FLOW}ForEach": Relation.DYNAMIC,
    f"{_FLOW}ForEachItem": Relation.DYNAMIC,
    f"{_FLOW}EachSequential": Relation.DYNAMIC,
    f"{_FLOW}EachParallel": Relation.DYNAMIC,
    f"{_FLOW}Dag": Relation.DYNAMIC,
}
"""How the children of a task come after it; of all other types one after the other."""

_DAG: Final = f"{_FLOW}Dag"
_CASE: Final = "case:"
_ASIDE: Final = (Relation.ERROR, Relation.FINALLY, Relation.AFTER_EXECUTION)


def drawn(flow: Flow, expand: Expand | None = None) -> Graph:
    """The graph of a flow, with the flows in it that `expand` gives for its subflow tasks."""
    sheet = _Sheet(expand or (lambda _uid, _task: None))
    root = sheet.open(_Frame("root"))
    sheet.flow(root, flow)
    clusters = tuple(frame.cluster() for frame in sheet.frames if frame is not root)
    return Graph(nodes=tuple(sheet.nodes), edges=tuple(sheet.edges), clusters=clusters)


@dataclass(slots=True)
class _Frame:
    """A cluster that is being drawn; `node` is the task that it is of."""

    uid: str
    parents: tuple[str, ...] = ()
    node: Node | None = None
    relation: Relation | None = None
    branch: Relation | None = None
    inside: list[str] = field(default_factory=list)

    @property
    def start(self) -> str:
        return f"{self.uid}._root"

    @property
    def end(self) -> str:
        return f"{self.uid}._end"

    @property
    def first(self) -> str:
        """Where the ways to the children begin."""
        return self.node.uid if self.node else self.start

    def within(self) -> tuple[str, ...]:
        """The parents of what stands in it. The flow itself is no cluster."""
        return () if self.uid == "root" else (*self.parents, cluster_uid(self.uid))

    def cluster(self) -> Cluster:
        return Cluster(
            uid=cluster_uid(self.uid),
            nodes=tuple(self.inside),
            parents=self.parents,
            start=self.start,
            end=self.end,
            node=self.node,
            relation=self.relation,
            branch=self.branch,
        )


@dataclass(slots=True)
class _Sheet:
    """What has been drawn so far."""

    expand: Expand
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)

    def open(self, frame: _Frame) -> _Frame:
        """Begins a cluster."""
        self.frames.append(frame)
        self._put(frame, Node(uid=frame.start, mark=Mark.START, branch=frame.branch))
        self._put(frame, Node(uid=frame.end, mark=Mark.END, branch=frame.branch))
        if frame.node is not None:
            self._put(frame, frame.node)
            self.edges.append(Edge(frame.start, frame.node.uid))
        return frame

    def flow(self, frame: _Frame, flow: Flow) -> None:
        """All that a flow consists of."""
        if flow.triggers:
            self._triggers(frame, flow.triggers)
        after = self._stage(frame, flow.after_execution, Mark.AFTER_EXECUTION, frame.end)
        last = self._stage(frame, flow.finally_, Mark.FINALLY, after)
        self._lane(frame, flow.tasks, Relation.SEQUENTIAL, frame.first, last)
        self._lane(frame, flow.errors or (), Relation.ERROR, frame.start, last)

    def _stage(self, frame: _Frame, tasks: Sequence[Task], mark: Mark, onward: str) -> str:
        """What comes behind all other tasks, from a node of its own on; where the ways before it lead to."""
        if not tasks:
            return onward
        gate = Node(uid=f"{frame.uid}._{mark.name.lower().replace('_', '-')}", mark=mark, branch=frame.branch)
        self._put(frame, gate)
        self._lane(frame, tasks, Relation[mark.name], gate.uid, onward)
        return gate.uid

    def _triggers(self, frame: _Frame, triggers: Sequence[Trigger]) -> None:
        inner = self._inner(frame, _Frame(f"{frame.uid}.Triggers", parents=frame.within()))
        for trigger in triggers:
            node = Node(uid=f"{inner.uid}.{trigger.id}", mark=Mark.TRIGGER, trigger=trigger)
            self._put(inner, node)
            self.edges += (Edge(inner.start, node.uid), Edge(node.uid, inner.end))
        self.edges.append(Edge(inner.end, frame.start))

    def _lane(
        self,
        frame: _Frame,
        tasks: Sequence[Task],
        relation: Relation,
        start: str,
        onward: str,
        value: str | None = None,
    ) -> None:
        """Tasks one after the other, or all side by side, on their way from `start` onward."""
        before = start
        for number, task in enumerate(tasks):
            entry, leave = self._task(frame, task, relation)
            self.edges.append(Edge(before, entry, _relation(frame, relation, first=number == 0), value))
            if relation is Relation.PARALLEL:
                self.edges.append(Edge(leave, onward))
            else:
                before = leave
        if tasks and relation is not Relation.PARALLEL:
            self.edges.append(Edge(before, onward))

    def _task(self, frame: _Frame, task: Task, relation: Relation) -> tuple[str, str]:
        """One task, with its children; the uids by which one comes in and goes out."""
        uid = f"{frame.uid}.{task.id}"
        branch = relation if relation in _ASIDE else frame.branch
        mark = Mark.SUBFLOW if task.role is Role.EXECUTABLE else Mark.TASK
        node = Node(uid=uid, mark=mark, relation=relation, branch=branch, task=task)
        called = self.expand(uid, task) if task.role is Role.EXECUTABLE else None
        if called is None and not any(task.children()):
            self._put(frame, node)
            return uid, uid
        inner = _Frame(uid, frame.within(), node, None, branch)
        if called is not None:
            self.flow(self._inner(frame, inner), called)
        else:
            self._children(frame, inner, task)
        return inner.start, inner.end

    def _children(self, frame: _Frame, inner: _Frame, task: Task) -> None:
        inner.relation = _RELATIONS.get(task.canonical, Relation.SEQUENTIAL)
        assert inner.node is not None
        inner.node = Node(uid=inner.uid, mark=inner.node.mark, relation=inner.relation, branch=inner.branch, task=task)
        self._inner(frame, inner)
        if task.canonical == _DAG:
            self._dag(inner, task)
        else:
            self._branches(inner, task)
        self._lane(inner, task.errors or (), Relation.ERROR, inner.start, inner.end)

    def _branches(self, frame: _Frame, task: Task) -> None:
        relation = Relation.PARALLEL if frame.relation is Relation.PARALLEL else Relation.SEQUENTIAL
        for name, tasks in task.branches.items():
            value = name.removeprefix(_CASE) if frame.relation is Relation.CHOICE else None
            self._lane(frame, tasks, relation, frame.first, frame.end, value)

    def _dag(self, frame: _Frame, dag: Task) -> None:
        """Each task behind those that it waits for; what nothing waits for leads to the end."""
        ends: dict[TaskId, tuple[str, str]] = {}
        for task in dag.branches.get("tasks", ()):
            ends[task.id] = self._task(frame, task, Relation.SEQUENTIAL)
        waited = {name for names in dag.depends_on.values() for name in names}
        for name, (entry, leave) in ends.items():
            before = [ends[each][1] for each in dag.depends_on.get(name, ()) if each in ends]
            self.edges += (Edge(each, entry, Relation.PARALLEL) for each in before or [frame.first])
            if name not in waited:
                self.edges.append(Edge(leave, frame.end))

    def _inner(self, frame: _Frame, inner: _Frame) -> _Frame:
        frame.inside.append(cluster_uid(inner.uid))
        return self.open(inner)

    def _put(self, frame: _Frame, node: Node) -> None:
        self.nodes.append(node)
        frame.inside.append(node.uid)


def _relation(frame: _Frame, relation: Relation, *, first: bool) -> Relation | None:
    """The first task of a cluster comes after its parent in the parent's own way, the others after one another."""
    if relation is Relation.ERROR:
        return relation
    if first or relation is Relation.PARALLEL or frame.relation is Relation.DYNAMIC:
        return frame.relation
    return relation
