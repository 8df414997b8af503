"""How long a job may wait for a worker: a task's timeout counts from the moment its job is offered.

A worker counts as well, but of what no worker ever takes it knows nothing (spec/isolation 14, U5).
"""

from __future__ import annotations

from dataclasses import replace

from casemate.executions.commands import ForgetTimer, KillJob, OfferJob, WakeAt
from casemate.executions.dates import after
from casemate.executions.events import TaskFinished
from casemate.executions.model import State, TaskRun
from casemate.executions.pausing import duration
from casemate.executions.reports import finished
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, printed, render
from casemate.flows import Task

TIMEOUT_KEY = "timeout"
"""Timer keys of jobs that wait for a worker begin with it."""


def offer(turn: Turn, run: TaskRun, task: Task, folder: TaskRun | None) -> None:
    """Offer the next attempt. Offered once more after a crash it keeps its deadline, in `due`."""
    if task.timeout is not None and run.due is None:
        run = _with_deadline(turn, run, task)
    turn.say(OfferJob(run.id, len(run.attempts) + 1, None if folder is None else folder.id))
    if run.due is not None:
        turn.say(WakeAt(_key(run), run.due))


def taken(turn: Turn, run: TaskRun) -> None:
    """A worker has it and counts from now on."""
    if run.due is not None:
        turn.say(ForgetTimer(_key(run)))


def overdue(turn: Turn, run: TaskRun, key: str) -> None:
    """Nobody took it in time: the attempt has failed, and may be tried again like any other."""
    if not run.state.created or run.due is None or key != _key(run):
        return
    if run.due > turn.now:
        turn.say(WakeAt(key, run.due))
        return
    turn.write("ERROR", f"Timeout: no worker took up the task within {turn.task(run).timeout}", run)
    turn.say(KillJob(run.id))
    finished(turn, TaskFinished(task_run=run.id, attempt=len(run.attempts) + 1, state=State.FAILED))


def _with_deadline(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
    """Without one if the timeout needs the world or cannot be rendered: the worker will find out."""
    try:
        limit = duration(printed(render(task.timeout, turn.variables(run), turn.unanswerable())))
    except ExpressionError:
        return run
    return turn.put(replace(run, due=after(turn.now, limit)))


def _key(run: TaskRun) -> str:
    return f"{TIMEOUT_KEY}:{run.id}:{len(run.attempts)}"
