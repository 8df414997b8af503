"""The end of an execution that cannot be decided on: better FAILED with a reason than RUNNING for ever.

Spec/engine 5.3: an exception in a turn fails the last task run that is not terminated. Here the rest ends with it, as
the same exception would only come again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casemate.executions.commands import Command, Decision, KillJob, KillSubflows, Write
from casemate.executions.model import Execution, State, TaskRun
from casemate.executions.runs import TaskRuns


def broken(execution: Execution, reason: str, *, now: datetime) -> Decision:
    """End everything at once, whatever state it is in; jobs that workers hold are stopped.

    Looks at nothing but states: the flow, or what stands in a task run, may be what broke the decision.
    """
    if execution.over:
        return Decision(execution=execution)
    unfinished = [run for run in execution.task_runs.values() if not run.state.terminated]
    runs = TaskRuns.of(execution.task_runs).draft()
    for run in unfinished:
        runs.put(_ended(run, State.FAILED if run is unfinished[-1] else State.KILLED, now))
    return Decision(
        execution=replace(
            execution,
            history=execution.history.to(_end(execution), now),
            task_runs=runs,
            asked=frozenset(),
            answers={},
            verdict=None,
            after=(),
        ),
        commands=(_note(unfinished, reason), KillSubflows(), *(KillJob(run.id) for run in unfinished)),
        changed=tuple(run.id for run in unfinished),
    )


def _end(execution: Execution) -> State:
    if execution.state.terminated:
        return execution.state
    killed = State.KILLED if execution.verdict is None else execution.verdict.state
    return killed if execution.state is State.KILLING else State.FAILED


def _ended(run: TaskRun, state: State, now: datetime) -> TaskRun:
    attempts = run.attempts
    if attempts and not attempts[-1].history.current.terminated:
        last = attempts[-1]
        attempts = (*attempts[:-1], replace(last, history=last.history.to(state, now)))
    return replace(run, history=run.history.to(state, now), attempts=attempts, due=None)


def _note(unfinished: list[TaskRun], reason: str) -> Command:
    message = f"The execution can't go on: {reason}"
    if not unfinished:
        return Write("ERROR", message, kept=True)
    last = unfinished[-1]
    return Write("ERROR", message, last.id, len(last.attempts) or None)
