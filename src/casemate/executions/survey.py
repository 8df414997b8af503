"""Looking at everything again, after a pause or a crash. Whatever was asked of the world before may be asked twice."""

from __future__ import annotations

from dataclasses import replace

from casemate.catalog import Role
from casemate.executions.commands import KillJob, WakeAt
from casemate.executions.folders import at_work
from casemate.executions.model import State, TaskRun
from casemate.executions.reports import retry_key
from casemate.executions.taking import go_on, take_up
from casemate.executions.turn import Turn


def survey(turn: Turn) -> None:
    """Look at every task run that is not terminated, as if nothing had ever been asked of the world."""
    for run in tuple(turn.runs.values()):
        if not run.state.terminated:
            _revisit(turn, run)
    turn.look(None)


def _revisit(turn: Turn, run: TaskRun) -> None:
    task = turn.task(run)
    if run.state.created:
        take_up(turn, run)
    elif run.state is State.RETRYING:
        retry_or_wait(turn, run)
    elif turn.killing and at_work(task, run):
        if not turn.gentle:
            turn.say(KillJob(run.id))
    elif task.role not in (Role.RUNNABLE, Role.EXECUTABLE) and run.state is State.RUNNING:
        # An executable one is waited for: what it asked for stands in the outbox until it is done.
        go_on(turn, run)


def retry_or_wait(turn: Turn, run: TaskRun) -> None:
    """Begin the next attempt of a RETRYING task run, or be woken when it is due."""
    if run.due is not None and run.due > turn.now:
        turn.say(WakeAt(retry_key(run), run.due))
        return
    if turn.execution.state is State.RETRYING:
        turn.move_execution(State.RUNNING)
    take_up(turn, turn.move(replace(run, due=None), State.CREATED))
