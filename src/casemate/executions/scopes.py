"""What happens in a scope once something in it has changed: who starts next, and is it over (spec/engine 5.3 to 5.6)?

A scope is over when all that may start has started and nothing is open any more. Kestra ends a parent as soon as its
outcome is known; here it waits for what still runs below it, because nothing may run behind the back of an execution
that has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.executions.after import follow
from casemate.executions.endings import end_execution
from casemate.executions.flowables import shape_of
from casemate.executions.folders import is_open, keeps_folder
from casemate.executions.forgiving import forgiven
from casemate.executions.lanes import Lanes, Step, due_steps, sequence
from casemate.executions.model import State, TaskRun
from casemate.executions.taking import take_up
from casemate.executions.turn import Look, Turn
from casemate.expressions import ExpressionError, NeedsWorld
from casemate.flows import Task
from casemate.identifiers import TaskRunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The lists of tasks that may run below one parent: `errors` once a main task failed, `last` before the end."""

    parent: TaskRunId | None
    main: Lanes
    errors: Lanes
    last: Lanes


def settle(turn: Turn) -> None:
    """Look at every scope that asks for it, until none does."""
    while turn.looks and not turn.execution.over:
        _look_at(turn, turn.looks.popleft())


def _look_at(turn: Turn, look: Look) -> None:
    if turn.execution.state.frozen:
        return
    if look.parent is None and turn.execution.state.terminated:
        follow(turn)
        return
    if look.parent is None:
        flow = turn.flow
        _advance(turn, _scope(None, sequence(flow.tasks), flow.errors, flow.finally_), look)
        return
    run = turn.runs.get(look.parent)
    if run is not None and run.state is State.RUNNING and (turn.killing or not turn.waits_for(run)):
        _look_below(turn, run, look)


def _look_below(turn: Turn, run: TaskRun, look: Look) -> None:
    task = turn.task(run)
    shape = shape_of(task)
    # What is being killed may not even have rendered what decides about its children.
    main = sequence(()) if shape is None or turn.killing else shape.lanes(task, run)
    if main is None:
        place = f"'{turn.flow.namespace}.{turn.flow.id}', task '{task.id}', execution '{turn.execution.id}'"
        turn.write("WARN", f"No task found on flow {place}", run)
        turn.move(run, forgiven(task, State.FAILED))
        return
    _advance(turn, _scope(run.id, main, task.errors, ()), look)


def _scope(parent: TaskRunId | None, main: Lanes, errors: tuple[Task, ...] | None, last: tuple[Task, ...]) -> Scope:
    return Scope(parent=parent, main=main, errors=sequence(errors or ()), last=sequence(last))


def _advance(turn: Turn, scope: Scope, look: Look) -> None:
    steps = [] if _frozen(turn, scope) else _due(turn, scope, look)
    if steps:
        # Whoever of them ends at once has this scope looked at again.
        _start(turn, scope, steps)
    elif not turn.runs.open(scope.parent):
        _end(turn, scope)


def _due(turn: Turn, scope: Scope, look: Look) -> list[Step]:
    ended = None if look.ended is None else turn.runs.get(look.ended)
    current = _current(turn, scope)
    steps = due_steps(current, turn.runs, scope.parent, ended)
    if not steps and not turn.runs.open(scope.parent):
        # Before the end every lane is looked at: a replay leaves some half done that no child's end leads to.
        steps = due_steps(current, turn.runs, scope.parent, None)
    if not steps and not turn.runs.open(scope.parent):
        steps = due_steps(scope.last, turn.runs, scope.parent, ended)
    return steps


def _frozen(turn: Turn, scope: Scope) -> bool:
    """Is nothing to be started here any more, because of a kill or because another execution takes over?"""
    tasks = (*scope.main.ids, *scope.errors.ids, *scope.last.ids)
    return turn.killing or turn.runs.any(scope.parent, tasks, State.RETRIED)


def _current(turn: Turn, scope: Scope) -> Lanes:
    """The list that goes on. A failed task run that will be tried again is RETRYING, thus no failure yet."""
    failed = turn.runs.any(scope.parent, scope.main.ids, State.FAILED)
    if scope.parent is not None and keeps_folder(turn.task(turn.runs[scope.parent])):
        return _around_folder(turn, turn.runs[scope.parent], scope, failed=failed)
    handled = any(turn.runs.begun(scope.parent, task) for task in scope.errors.ids)
    return scope.errors if failed or handled else scope.main


def _around_folder(turn: Turn, run: TaskRun, scope: Scope, *, failed: bool) -> Lanes:
    """The main tasks as long as the folder is there; when it was given up, the errors if anything went wrong."""
    if is_open(run):
        stopped = failed or turn.runs.any(run.id, scope.main.ids, State.KILLED)
        return sequence(()) if stopped else scope.main
    gave_up = bool(run.attempts) and run.attempts[-1].history.current in (State.FAILED, State.KILLED)
    return scope.errors if failed or gave_up else sequence(())


def _start(turn: Turn, scope: Scope, steps: list[Step]) -> None:
    """Create all of them before the first is taken up, so that they stand together in the list of task runs."""
    for run in [turn.create(scope.parent, step, scope.main.iteration) for step in steps]:
        take_up(turn, run)


def _end(turn: Turn, scope: Scope) -> None:
    if scope.parent is None:
        end_execution(turn, scope.main)
        return
    run = turn.runs[scope.parent]
    if is_open(run) and keeps_folder(turn.task(run)):
        return  # its worker asks what comes next, hears that nothing does, and reports
    if turn.killing:
        turn.move(run, turn.stopped(run))
    elif _frozen(turn, scope):
        turn.move(run, State.RETRIED)
    else:
        _judge(turn, run, scope.main)


def _judge(turn: Turn, run: TaskRun, main: Lanes) -> None:
    """End a flowable by what its children came to, unless its type wants to go on."""
    task = turn.task(run)
    shape = shape_of(task)
    assert shape is not None, "what the engine does not know never begins"
    try:
        state = shape.judge(turn, run, task, main)
    except NeedsWorld:
        return
    except ExpressionError as error:
        turn.write("ERROR", f"Unable to resolve state from the Flowable task: {error}", run)
        state = State.FAILED
    if state is not None:
        turn.move(turn.runs[run.id], forgiven(task, state, forgiving=shape.forgiving))
