"""Stopping an execution (spec/engine 7). It is KILLED once all its task runs have ended, those at work included."""

from __future__ import annotations

from dataclasses import replace

from casemate.catalog import Role
from casemate.executions.commands import KillJob, KillSubflows
from casemate.executions.folders import at_work, for_worker
from casemate.executions.model import State, TaskRun, Verdict
from casemate.executions.reports import end_attempt
from casemate.executions.turn import Turn


def kill(turn: Turn, *, cascade: bool) -> None:
    """Start nothing any more; end what waits, and have stopped what runs, with `cascade` also what it has started.

    What follows an end can be stopped too, which does not change that end.
    """
    if not turn.killing or turn.gentle:
        stop(turn, Verdict(State.KILLED) if turn.execution.state.terminated else None, cascade=cascade)


def stop(turn: Turn, verdict: Verdict | None, *, cascade: bool) -> None:
    """Stop everything; once all is still the execution ends as the verdict says, without one KILLED."""
    if not turn.execution.state.terminated and not turn.killing:
        turn.move_execution(State.KILLING)
    turn.execution = replace(turn.execution, verdict=verdict, asked=frozenset(), answers={})
    if cascade:
        turn.say(KillSubflows())
    for run in tuple(turn.runs.values()):
        if not run.state.terminated:
            _kill_run(turn, run, cascade)
    turn.look(None)


def _kill_run(turn: Turn, run: TaskRun, cascade: bool) -> None:
    """What waits is KILLED at once; what a worker may hold is stopped, and what runs there is waited for.

    So is the end of what it has started, if that is killed as well.
    """
    task = turn.task(run)
    working = at_work(task, run)
    if working and turn.gentle:
        return
    if working or (for_worker(task) and run.state.created):
        turn.say(KillJob(run.id))
    if run.state is not State.RUNNING:
        turn.move(replace(run, due=None), turn.stopped(run))
    elif task.role is Role.EXECUTABLE and not cascade:
        end_attempt(turn, run, State.KILLED)
    elif task.role is not Role.EXECUTABLE and not working:
        turn.look(run.id)
