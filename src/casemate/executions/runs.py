"""Task runs found by their place. A decision asks about one scope at a time, so nothing here grows with the whole.

A *scope* is all children of one task run, or of the execution itself (`None`). What a decision changes it copies first,
once; everything else is shared with the execution it started from. Whatever may hold thousands is `Layered`, so that a
copy costs no more after ten thousand task runs than after ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from casemate.executions.layered import Layered
from casemate.executions.model import State, TaskRun
from casemate.executions.texts import json_size
from casemate.identifiers import TaskId, TaskRunId

Trie: TypeAlias = Layered[str, object]
"""Run ids by the values of their ancestors, outermost first; a leaf is a tuple of ids."""


class Siblings:
    """The children of one parent: who they are, how many are in which state."""

    __slots__ = ("_shared", "counts", "ids", "open", "totals")

    def __init__(self) -> None:
        self._shared = False
        self.ids: Layered[tuple[TaskId, str | None], TaskRunId] = Layered()
        self.counts: dict[tuple[TaskId, State], int] = {}
        self.totals: dict[TaskId, int] = {}
        self.open = 0

    def copy(self) -> Siblings:
        """The same, to be changed on its own. The ids, the one long table, are shared until one is added."""
        other = Siblings()
        other.ids, other._shared = self.ids, True
        other.counts, other.totals, other.open = self.counts.copy(), self.totals.copy(), self.open
        return other

    def own_ids(self) -> Layered[tuple[TaskId, str | None], TaskRunId]:
        """The ids, to be changed."""
        if self._shared:
            self.ids, self._shared = self.ids.copy(), False
        return self.ids

    def count(self, run: TaskRun, step: int) -> None:
        """Take a task run into account (+1) or no longer (-1)."""
        key = (run.task_id, run.state)
        self.counts[key] = self.counts.get(key, 0) + step
        self.totals[run.task_id] = self.totals.get(run.task_id, 0) + step
        if not run.state.terminated:
            self.open += step


_NOBODY = Siblings()


class TaskRuns(Mapping[TaskRunId, TaskRun]):
    """The task runs of an execution in the order of their creation. Read only; a `Draft` is the next version."""

    __slots__ = ("_outputs", "_runs", "_scopes", "_states", "_weight")

    def __init__(self) -> None:
        self._weight = 0
        self._runs: Layered[TaskRunId, TaskRun] = Layered()
        self._scopes: Layered[TaskRunId | None, Siblings] = Layered()
        self._outputs: Trie = Layered()
        self._states: dict[State, int] = {}

    @staticmethod
    def of(runs: Mapping[TaskRunId, TaskRun]) -> TaskRuns:
        """Those task runs, indexed; costs nothing if they already are."""
        return runs if isinstance(runs, TaskRuns) else Draft(TaskRuns(), runs.values())

    def __getitem__(self, key: TaskRunId) -> TaskRun:
        return self._runs[key]

    def __iter__(self) -> Iterator[TaskRunId]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def child(self, parent: TaskRunId | None, task: TaskId, value: str | None) -> TaskRun | None:
        """The task run of that task and value in a scope."""
        run_id = self._siblings(parent).ids.get((task, value))
        return None if run_id is None else self._runs[run_id]

    def children(self, parent: TaskRunId | None) -> tuple[TaskRun, ...]:
        """Everyone in a scope. The one question whose cost grows with the scope."""
        return tuple(self._runs[run_id] for run_id in self._siblings(parent).ids.values())

    def begun(self, parent: TaskRunId | None, task: TaskId) -> int:
        """How many task runs of that task a scope has."""
        return self._siblings(parent).totals.get(task, 0)

    def any(self, parent: TaskRunId | None, tasks: Iterable[TaskId], state: State) -> bool:
        """Is any task run of those tasks in that state?"""
        if not self.holds(state):
            return False
        counts = self._siblings(parent).counts
        return any(counts.get((task, state)) for task in tasks)

    def holds(self, state: State) -> bool:
        """Is any task run of the execution in that state?"""
        return bool(self._states.get(state))

    def open(self, parent: TaskRunId | None) -> int:
        """How many task runs of a scope are not terminated."""
        return self._siblings(parent).open

    def path(self, run: TaskRun) -> tuple[str, ...]:
        """The values that lead to a task run, outermost first, its own last (spec/engine 6.2)."""
        values = [ancestor.value for ancestor in (run, *self.ancestors(run)) if ancestor.value is not None]
        return tuple(reversed(values))

    def ancestors(self, run: TaskRun) -> Iterator[TaskRun]:
        """The parent, its parent and so on."""
        while run.parent is not None:
            run = self._runs[run.parent]
            yield run

    @property
    def outputs(self) -> Mapping[str, object]:
        """For every task that has outputs: a leaf or a `Trie` of the task runs that have them."""
        return self._outputs

    @property
    def weight(self) -> int:
        """How many bytes the outputs of all task runs have as JSON."""
        return self._weight

    def draft(self) -> Draft:
        """A copy that may be changed."""
        return Draft(self)

    def _siblings(self, parent: TaskRunId | None) -> Siblings:
        return self._scopes.get(parent, _NOBODY)


class Draft(TaskRuns):
    """Task runs while one decision is being made. Once the decision is out, nobody changes them any more."""

    __slots__ = ("_owned",)

    def __init__(self, before: TaskRuns, more: Iterable[TaskRun] = ()) -> None:
        self._runs = before._runs.copy()
        self._scopes = before._scopes.copy()
        self._outputs = before._outputs.copy()
        self._states = before._states.copy()
        self._weight = before._weight
        self._owned: set[int] = set()
        for run in more:
            self.put(run)

    def put(self, run: TaskRun) -> None:
        """Add a task run, or replace the one with its id."""
        before = self._runs.get(run.id)
        siblings = self._own_siblings(run.parent)
        if before is None:
            siblings.own_ids()[run.task_id, run.value] = run.id
        else:
            siblings.count(before, -1)
            self._states[before.state] -= 1
        siblings.count(run, +1)
        self._states[run.state] = self._states.get(run.state, 0) + 1
        self._runs[run.id] = run
        self._reindex(before, run)
        if before is None or before.outputs is not run.outputs:
            self._weight += _weight(run) - _weight(before)

    def remove(self, run: TaskRun) -> None:
        """Forget a task run that has no children."""
        siblings = self._own_siblings(run.parent)
        siblings.count(run, -1)
        self._states[run.state] -= 1
        del siblings.own_ids()[run.task_id, run.value]
        if run.outputs is not None:
            self._unindex(run)
        self._weight -= _weight(run)
        del self._runs[run.id]
        if run.id in self._scopes:
            del self._scopes[run.id]

    def _own_siblings(self, parent: TaskRunId | None) -> Siblings:
        siblings = self._scopes.get(parent)
        if siblings is None or id(siblings) not in self._owned:
            siblings = Siblings() if siblings is None else siblings.copy()
            self._scopes[parent] = siblings
            self._owned.add(id(siblings))
        return siblings

    def _reindex(self, before: TaskRun | None, run: TaskRun) -> None:
        had = before is not None and before.outputs is not None
        if had and run.outputs is None:
            self._unindex(run)
        elif not had and run.outputs is not None:
            self._index(run)

    def _index(self, run: TaskRun) -> None:
        node, key = self._leaf(run)
        ids = node.get(key, ())
        assert isinstance(ids, tuple)
        node[key] = (*ids, run.id)

    def _unindex(self, run: TaskRun) -> None:
        node, key = self._leaf(run)
        ids = node[key]
        assert isinstance(ids, tuple)
        left = tuple(run_id for run_id in ids if run_id != run.id)
        if left:
            node[key] = left
        else:
            del node[key]

    def _leaf(self, run: TaskRun) -> tuple[Trie, str]:
        """The node of the trie that holds a task run, owned by this draft, and the key within."""
        node, key = self._outputs, str(run.task_id)
        for value in self.path(run):
            below = node.get(key)
            if below is None or id(below) not in self._owned:
                below = below.copy() if isinstance(below, Layered) else Layered()
                node[key] = below
                self._owned.add(id(below))
            assert isinstance(below, Layered)
            node, key = below, value
        return node, key


def _weight(run: TaskRun | None) -> int:
    return 0 if run is None or run.outputs is None else json_size(run.outputs)


def changed(before: Mapping[TaskRunId, TaskRun], after: Mapping[TaskRunId, TaskRun]) -> tuple[TaskRunId, ...]:
    """Which task runs differ, those that are gone or new included."""
    return tuple(key for key in {**before, **after} if after.get(key) is not before.get(key))
