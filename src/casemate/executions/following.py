"""Which task runs come after which, for whoever runs an execution again from one of them (spec/engine 7, 15.5)."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.executions.chart import task_of
from casemate.executions.flowables import shape_of
from casemate.executions.lanes import Lanes, sequence
from casemate.executions.model import TaskRun
from casemate.executions.runs import TaskRuns
from casemate.flows import Flow, Task
from casemate.identifiers import TaskId, TaskRunId


def after(flow: Flow, runs: TaskRuns, chosen: TaskRun) -> Iterator[TaskRun]:
    """The task runs right below a chosen one, then those that follow it or one of its ancestors, nearest first.

    What stands below one of these comes after as well, and is not named.
    """
    yield from runs.children(chosen.id)
    for run in (chosen, *runs.ancestors(chosen)):
        lists = _lists_around(flow, runs, run)
        yield from (other for other in runs.children(run.parent) if other.id != run.id and _follows(lists, run, other))


def _lists_around(flow: Flow, runs: TaskRuns, run: TaskRun) -> tuple[Lanes, ...]:
    """The lists of tasks in the scope of a task run, in the order in which one comes after the other."""
    if run.parent is None:
        last = tuple(task for listener in flow.listeners for task in listener.tasks)
        lists = (flow.tasks, flow.errors or (), flow.finally_, (*flow.after_execution, *last))
        return tuple(sequence(tasks) for tasks in lists)
    parent = runs[run.parent]
    task = task_of(flow, parent.task_id)
    return _main(task, parent), sequence(task.errors or ())


def _main(task: Task, run: TaskRun) -> Lanes:
    shape = shape_of(task)
    lanes = None if shape is None else shape.lanes(task, run)
    return sequence(()) if lanes is None else lanes


def _follows(lists: tuple[Lanes, ...], run: TaskRun, other: TaskRun) -> bool:
    for number, lanes in enumerate(lists):
        if run.task_id in lanes.ids:
            later = any(other.task_id in following.ids for following in lists[number + 1 :])
            return later or (other.task_id in lanes.ids and _follows_within(lanes, run, other))
    return False


def _follows_within(lanes: Lanes, run: TaskRun, other: TaskRun) -> bool:
    if lanes.waits_for:
        return run.task_id in _awaited(lanes, other.task_id)
    if not lanes.whole:
        return False
    task, its = lanes.ids.index(run.task_id), lanes.ids.index(other.task_id)
    if lanes.limit == 1:
        # Kestra's graph goes through all values of one task before the next task.
        return (its, _number(lanes, other)) > (task, _number(lanes, run))
    return other.value == run.value and its > task


def _number(lanes: Lanes, run: TaskRun) -> int:
    return lanes.values.index(run.value) if run.value in lanes.values else -1


def _awaited(lanes: Lanes, task: TaskId) -> set[TaskId]:
    """Everything that a Dag's task waits for, however far."""
    found: set[TaskId] = set()
    waiting = [task]
    while waiting:
        more = set(lanes.waits_for.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return found


def below(runs: TaskRuns, run: TaskRunId) -> Iterator[TaskRun]:
    """Everyone below a task run, children after their own children."""
    for child in runs.children(run):
        yield from below(runs, child.id)
        yield child
