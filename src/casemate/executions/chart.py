"""The tasks of a flow by id, and where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from casemate.flows import Flow, Task
from casemate.identifiers import TaskId


def task_of(flow: Flow, task: TaskId) -> Task:
    """The task of that id, at any depth."""
    return _tasks(_Same(flow))[task]


def place_of(flow: Flow, task: TaskId) -> TaskId | None:
    """The task right around a task, None for one of the flow's own. Raises KeyError for a task that is not there."""
    return _places(_Same(flow))[task]


class _Same:
    """A flow as a key: the same object, not an equal one. Comparing whole flows would cost more than it saves."""

    __slots__ = ("flow",)

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def __hash__(self) -> int:
        return id(self.flow)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.flow is self.flow


@lru_cache(maxsize=128)
def _tasks(same: _Same) -> Mapping[TaskId, Task]:
    return {task.id: task for task in same.flow.all_tasks()}


@lru_cache(maxsize=128)
def _places(same: _Same) -> Mapping[TaskId, TaskId | None]:
    tasks = tuple(same.flow.all_tasks())
    inner = {child.id: task.id for task in tasks for child in task.children()}
    return {task.id: inner.get(task.id) for task in tasks}
