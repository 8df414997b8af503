"""Running an execution again: from what failed, or from a task run of someone's choice (spec/engine 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from casemate.catalog import Role
from casemate.executions.chart import place_of, task_of
from casemate.executions.commands import Decision, WakeAt
from casemate.executions.errors import WrongChoice, WrongState
from casemate.executions.folders import keeps_folder
from casemate.executions.following import after, below
from casemate.executions.model import Execution, State, TaskRun
from casemate.executions.pausing import GO_ON_KEY
from casemate.executions.runs import Draft, TaskRuns, changed
from casemate.flows import Flow, Task
from casemate.identifiers import ExecutionId, TaskId, TaskRunId

NOTHING_TO_RESTART = "No task found to restart execution from!"


def restarted(flow: Flow, execution: Execution, now: datetime) -> Decision:
    """The same execution once more from its failed and paused task runs.

    Raises `WrongState` for one that still runs, `WrongChoice` if nothing in it failed.
    """
    runs = _from_failed(flow, execution, now)
    return reopened(replace(execution, attempt_number=execution.attempt_number + 1), runs, now)


def restarted_as(
    flow: Flow,
    execution: Execution,
    *,
    id: ExecutionId,  # noqa: A002 - the word for what it is
    now: datetime,
    new_id: Callable[[], TaskRunId],
) -> Execution:
    """The same as a new execution of another revision, the one of `flow`. Raises as `restarted` does."""
    runs = _from_failed(flow, execution, now)
    return _copied(flow, execution, runs, id, now, new_id)


def replayed_from(
    flow: Flow,
    execution: Execution,
    chosen: TaskRunId,
    *,
    id: ExecutionId,  # noqa: A002 - the word for what it is
    now: datetime,
    new_id: Callable[[], TaskRunId],
) -> Execution:
    """A new execution that begins where a task run of another stands; what came before it is copied.

    Raises `WrongChoice` for a task run that is not there, or not in this revision of the flow.
    """
    runs = _fitting(flow, execution.task_runs)
    run = runs.get(chosen)
    if run is None:
        raise WrongChoice(NOTHING_TO_RESTART)
    for later in tuple(after(flow, runs, run)):
        _remove(runs, later)
    _select(flow, runs, TaskRuns.of(execution.task_runs), [chosen], now)
    return _copied(flow, execution, runs, id, now, new_id)


def reopened(execution: Execution, runs: TaskRuns, now: datetime) -> Decision:
    """An execution that goes on, in a turn of its own, with these task runs instead of those it had.

    Raises `WrongState` while tasks that follow its end are at work.
    """
    if execution.state.terminated and not execution.over:
        raise WrongState("The tasks that follow the end of the execution have not ended yet")
    again = _again(execution, runs, now)
    changes = changed(execution.task_runs, runs)
    return Decision(execution=again, commands=(WakeAt(GO_ON_KEY, now),), changed=changes)


def without_epilogue(flow: Flow, runs: Draft) -> None:
    """Forget the task runs of every `errors` branch, and of all that runs at the end of the flow."""
    over = epilogue(flow)
    for run in tuple(runs.values()):
        if run.task_id in over and run.id in runs:
            _remove(runs, run)


def epilogue(flow: Flow) -> frozenset[TaskId]:
    """The tasks of every `errors` branch, and those that run at the end of the flow or after it."""
    branches = [task.errors or () for task in flow.all_tasks()] + [flow.errors or (), flow.finally_]
    branches += [flow.after_execution, *(listener.tasks for listener in flow.listeners)]
    return frozenset(inner.id for tasks in branches for task in tasks for inner in _family(task))


def _from_failed(flow: Flow, execution: Execution, now: datetime) -> Draft:
    state = execution.state
    if not state.terminated and state is not State.PAUSED:
        raise WrongState(f"Execution must be terminated to be restarted, current state is '{state}' !")
    runs = _fitting(flow, execution.task_runs)
    without_epilogue(flow, runs)
    stopped = [run.id for run in runs.values() if run.state in (State.FAILED, State.PAUSED)]
    _select(flow, runs, TaskRuns.of(execution.task_runs), stopped, now)
    return runs


def _fitting(flow: Flow, task_runs: Mapping[TaskRunId, TaskRun]) -> Draft:
    """The task runs whose tasks stand at the same place in this revision of the flow."""
    runs = TaskRuns.of(task_runs).draft()
    for run in task_runs.values():
        if run.id in runs and not _fits(flow, runs, run):
            _remove(runs, run)
    return runs


def _fits(flow: Flow, runs: TaskRuns, run: TaskRun) -> bool:
    if run.dynamic:
        return True
    try:
        place = place_of(flow, run.task_id)
    except KeyError:
        return False
    return place == (None if run.parent is None else runs[run.parent].task_id)


def _select(flow: Flow, runs: Draft, before: TaskRuns, chosen: Iterable[TaskRunId], now: datetime) -> None:
    """Let the chosen task runs and all their ancestors begin again or go on."""
    selected = dict.fromkeys(one.id for key in chosen for one in (runs[key], *runs.ancestors(runs[key])))
    if not selected:
        raise WrongChoice(NOTHING_TO_RESTART)
    for key in selected:
        if key in runs:
            _reset(flow, runs, before, runs[key], now)


def _reset(flow: Flow, runs: Draft, before: TaskRuns, run: TaskRun, now: datetime) -> None:
    task = None if run.dynamic else task_of(flow, run.task_id)
    if task is not None and keeps_folder(task):
        for child in tuple(below(runs, run.id)):
            runs.remove(child)
    elif task is not None and task.role is Role.FLOWABLE and _has_begun(before, run):
        runs.put(replace(run, history=run.history.to(State.RUNNING, now), due=None))
        return
    history = run.history.to(State.RESTARTED, now)
    runs.put(replace(run, history=history, due=None, outputs=None))


def _has_begun(runs: TaskRuns, run: TaskRun) -> bool:
    """Has a flowable found out what decides about its children? Otherwise that is what it begins again with."""
    known = run.outputs is not None or run.values is not None
    return known or run.state is State.PAUSED or bool(runs.children(run.id))


def _copied(
    flow: Flow,
    execution: Execution,
    runs: TaskRuns,
    key: ExecutionId,
    now: datetime,
    new_id: Callable[[], TaskRunId],
) -> Execution:
    """A new execution with copies of these task runs."""
    runs = _without_folders(flow, runs, now)
    keys = {run: new_id() for run in runs}
    copies = TaskRuns().draft()
    for run in runs.values():
        parent = None if run.parent is None else keys[run.parent]
        copies.put(replace(_taken_over(flow, run, now), id=keys[run.id], parent=parent))
    return replace(
        _again(execution, copies, now),
        id=key,
        flow_revision=flow.revision,
        parent_id=execution.id,
        original_id=execution.original_id or execution.id,
        attempt_number=execution.attempt_number + 1,
        schedule_date=None,
        caller=None,
        version=0,
    )


def _without_folders(flow: Flow, runs: TaskRuns, now: datetime) -> TaskRuns:
    """Working directories at work stay with the old execution: the new one begins them again."""
    draft = runs.draft()
    for run in runs.values():
        if run.state is State.RUNNING and not run.dynamic and keeps_folder(task_of(flow, run.task_id)):
            _reset(flow, draft, runs, run, now)
    return draft


def _taken_over(flow: Flow, run: TaskRun, now: datetime) -> TaskRun:
    """What was at work in the old execution has no worker in the new one: it begins again."""
    running = run.state is State.RUNNING and not run.dynamic and task_of(flow, run.task_id).role is Role.FLOWABLE
    if run.state.terminated or run.state.created or running:
        return run
    return replace(run, history=run.history.to(State.RESTARTED, now), due=None)


def _again(execution: Execution, runs: TaskRuns, now: datetime) -> Execution:
    return replace(
        execution,
        history=execution.history.to(State.RESTARTED, now),
        task_runs=runs,
        outputs=None,
        asked=frozenset(),
        answers={},
        replay_at=None,
        verdict=None,
        after=(),
        checked=frozenset(),
    )


def _remove(runs: Draft, run: TaskRun) -> None:
    for child in tuple(below(runs, run.id)):
        runs.remove(child)
    runs.remove(run)


def _family(task: Task) -> Iterable[Task]:
    yield task
    for child in task.children():
        yield from _family(child)
