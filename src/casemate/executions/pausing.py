"""Pausing and resuming: by a task, by a person, by the clock (spec/engine 4.4, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from casemate import durations
from casemate.executions.chart import task_of
from casemate.executions.commands import WakeAt
from casemate.executions.dates import after
from casemate.executions.errors import WrongState
from casemate.executions.forgiving import forgiven
from casemate.executions.killing import stop
from casemate.executions.model import Execution, State, TaskRun, Verdict
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, printed
from casemate.flows import Flow, Input, Task, build_input
from casemate.identifiers import TaskRunId

PAUSE_KEY = "pause"
"""Timer keys of paused task runs begin with it."""

GO_ON_KEY = "go-on"
"""The timer key of an execution that someone resumed and that is to be taken up again."""


def begin_pause(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
    """Find out when a Pause ends by itself, if ever."""
    for written in (_delay(task), task.properties.get("timeout", task.timeout)):
        if written is not None:
            rendered = turn.render(f"begin:{run.id}", written, run)
            return replace(run, due=after(turn.now, duration(printed(rendered))))
    return run


def end_pause(turn: Turn, run: TaskRun, task: Task) -> None:
    """The delay is over, and it ends as its `behavior` says; or (without a delay) the patience, which ends badly."""
    behavior = "FAIL" if _delay(task) is None else task.properties.get("behavior")
    if behavior == "CANCEL" and not turn.execution.state.terminated:
        stop(turn, Verdict(State.CANCELLED, run.id), cascade=True)
        return
    ends = {"WARN": State.WARNING, "FAIL": State.FAILED, "CANCEL": State.FAILED}
    end = ends.get(str(behavior))
    turn.move(replace(run, due=None), State.RUNNING if end is None else forgiven(task, end))


def _delay(task: Task) -> object:
    """`pauseDuration` is its newer name."""
    return task.properties.get("pauseDuration", task.properties.get("delay"))


def duration(text: str) -> timedelta:
    """A rendered duration. Raises ExpressionError."""
    try:
        return durations.parse(text)
    except durations.NotADuration as error:
        raise ExpressionError(f"{error}: {text}") from error


def pause(turn: Turn, run: TaskRun) -> None:
    """A task run pauses, and the execution with it, unless that has ended."""
    if turn.execution.state.terminated and run.due is None:
        turn.write("ERROR", "It follows the end of the execution, thus nobody could ever resume it", run)
        turn.move(run, State.FAILED)
        return
    run = turn.move(run, State.PAUSED)
    if not turn.execution.state.terminated:
        turn.move_execution(State.PAUSED)
    set_timer(turn, run)


def set_timer(turn: Turn, run: TaskRun) -> None:
    """Wake up when a paused task run is due."""
    if run.due is not None:
        turn.say(WakeAt(pause_key(run), run.due))


def pause_key(run: TaskRun) -> str:
    """The timer key of a paused task run; another pause of the same has another one."""
    return f"{PAUSE_KEY}:{run.id}:{len(run.history.moments)}"


def resume(turn: Turn, run: TaskRun, inputs: Mapping[str, object]) -> None:
    """Someone lets a paused task run go on, with the values that its `onResume` asks for."""
    asked = turn.task(run).properties.get("onResume")
    turn.move(replace(run, due=None, outputs={"onResume": dict(inputs)} if asked else run.outputs), State.RUNNING)
    if not turn.runs.holds(State.PAUSED):
        # Kestra's users see RESTARTED before RUNNING, hence a turn of its own.
        turn.move_execution(State.RESTARTED)
        turn.say(WakeAt(GO_ON_KEY, turn.now))


def first_paused(turn: Turn) -> TaskRun | None:
    """The oldest paused task run."""
    return oldest_paused(turn.runs)


def oldest_paused(runs: Mapping[TaskRunId, TaskRun]) -> TaskRun | None:
    """The first of these task runs that is paused."""
    return next((run for run in runs.values() if run.state is State.PAUSED), None)


def asked_on_resume(flow: Flow, execution: Execution) -> tuple[TaskRunId | None, tuple[Input, ...]]:
    """Which task run a resume lets go on, and the inputs that it asks for (spec/engine 4.4).

    Raises `WrongState` for an execution that is not paused; one that a person paused has no paused task run.
    """
    if execution.state is not State.PAUSED:
        raise WrongState(f"Execution '{execution.id}' is not paused, can't resume it")
    run = oldest_paused(execution.task_runs)
    if run is None:
        return None, ()
    written = task_of(flow, run.task_id).properties.get("onResume")
    return run.id, tuple(build_input(each) for each in written) if isinstance(written, list) else ()
