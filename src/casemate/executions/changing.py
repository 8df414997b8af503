"""What people decide about an execution by hand: the state of a task run, or its own (spec/engine 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casemate.executions.commands import Decision
from casemate.executions.errors import WrongChoice, WrongState
from casemate.executions.folders import folder_of
from casemate.executions.model import Execution, State, TaskRun
from casemate.executions.restarting import NOTHING_TO_RESTART, epilogue, reopened, without_epilogue
from casemate.executions.runs import Draft, TaskRuns, changed
from casemate.flows import Flow
from casemate.identifiers import TaskRunId

_IN_FOLDER = (
    "The working directory in which the task ran is gone, so the tasks after it could not follow: "
    "change the state of the WorkingDirectory instead, or restart the execution."
)


def with_run_state(flow: Flow, execution: Execution, task_run: TaskRunId, state: State, now: datetime) -> Decision:
    """The execution with another state of one task run; it goes on unless another one is still PAUSED.

    Raises `WrongChoice` for a task run or a state that cannot be meant, `WrongState` while a worker may be at it.
    """
    run = execution.task_runs.get(task_run)
    if run is None:
        raise WrongChoice(NOTHING_TO_RESTART)
    if not state.terminated and not (state is State.RUNNING and run.state is State.PAUSED):
        raise WrongChoice(f"You can only change the state of a task run to a terminal state, '{state}' is none.")
    if not execution.state.terminated and run.state is not State.PAUSED:
        raise WrongState(f"The task run can't be changed while the execution is in state '{execution.state}'")
    runs = TaskRuns.of(execution.task_runs).draft()
    if folder_of(flow, runs, run) is not None:
        raise WrongChoice(_IN_FOLDER)
    _mark(flow, runs, run, state, now)
    if any(other.state is State.PAUSED for other in runs.values()):
        return Decision(execution=replace(execution, task_runs=runs), changed=changed(execution.task_runs, runs))
    return reopened(execution, runs, now)


def _mark(flow: Flow, runs: Draft, run: TaskRun, state: State, now: datetime) -> None:
    if state is not State.FAILED and run.task_id not in epilogue(flow):
        # What ran because of the failure would otherwise stand in the way of the tasks that can follow now.
        without_epilogue(flow, runs)
    for ancestor in tuple(runs.ancestors(run)):
        runs.put(replace(ancestor, history=ancestor.history.to(State.RUNNING, now)))
    runs.put(_marked(run, state, now))


def _marked(run: TaskRun, state: State, now: datetime) -> TaskRun:
    attempts = run.attempts
    if attempts:
        last = attempts[-1]
        attempts = (*attempts[:-1], replace(last, history=last.history.to(state, now)))
    return replace(run, history=run.history.to(state, now), attempts=attempts, due=None)


def with_status(execution: Execution, state: State, now: datetime) -> Decision:
    """An ended execution with another end. Raises `WrongChoice` if one of the two is none."""
    if not execution.state.terminated:
        raise WrongChoice("You can only change the status of a terminated execution.")
    if not state.terminated:
        raise WrongChoice("You can only change the status of an execution to a terminal state.")
    return Decision(execution=replace(execution, history=execution.history.to(state, now)))
