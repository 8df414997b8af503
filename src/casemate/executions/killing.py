"""Stopping an execution (spec/engine 7). It is KILLED once all its task runs have ended, those at work included."""

from __future__ import annotations

from dataclasses import replace

from casemate.catalog import Role
from casemate.executions.commands import KillJob
from casemate.executions.model import State, TaskRun
from casemate.executions.turn import Turn


def kill(turn: Turn) -> None:
    """Start nothing any more; end what waits, and have stopped what runs."""
    if turn.killing:
        return
    turn.move_execution(State.KILLING)
    turn.execution = replace(turn.execution, asked=frozenset(), answers={})
    for run in tuple(turn.runs.values()):
        if not run.state.terminated:
            _kill_run(turn, run)
    turn.look(None)


def _kill_run(turn: Turn, run: TaskRun) -> None:
    """What waits is KILLED at once; what a worker may hold is stopped, and what runs there is waited for."""
    runnable = turn.task(run).role is Role.RUNNABLE
    if runnable and (run.state.created or run.state is State.RUNNING):
        turn.say(KillJob(run.id))
    if run.state is not State.RUNNING:
        turn.move(replace(run, due=None), State.KILLED)
    elif not runnable:
        turn.look(run.id)
