"""A ForEachItem's three children, which its type makes: split the file, start executions, join their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from casemate.catalog import Role
from casemate.flows.model import Task
from casemate.identifiers import TaskId

FOR_EACH_ITEM: Final = "io.kestra.plugin.core.flow.ForEachItem"
SPLIT: Final = f"{FOR_EACH_ITEM}$ForEachItemSplit"
ITEMS: Final = f"{FOR_EACH_ITEM}$ForEachItemExecutable"
MERGE: Final = f"{FOR_EACH_ITEM}$ForEachItemMergeOutputs"

_PARTS: Final = ("_split", "_items", "_merge")
_SPLITTING: Final = ("items", "batch")


def made_ids(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the children of a ForEachItem with these values."""
    return tuple(f"{values['id']}{part}" for part in _PARTS)


def made_tasks(values: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[Task, ...]:
    """The children; `own` are the properties that are special to the type."""
    split, items, merge = (TaskId(each) for each in made_ids(values))
    splitting = {name: value for name, value in own.items() if name in _SPLITTING}
    calling = {name: value for name, value in own.items() if name not in _SPLITTING}
    return (
        Task(id=split, type=SPLIT, canonical=SPLIT, role=Role.RUNNABLE, properties=splitting),
        Task(id=items, type=ITEMS, canonical=ITEMS, role=Role.EXECUTABLE, properties=calling),
        Task(id=merge, type=MERGE, canonical=MERGE, role=Role.EXECUTABLE),
    )


def sibling(task: TaskId, part: str) -> TaskId:
    """The id of another child of the same ForEachItem: `split`, `items` or `merge`."""
    return TaskId(f"{task.rpartition('_')[0]}_{part}")
