"""Taking up a task run that was just created: does it run at all, and who carries it out (spec/engine 5.3, step 7)?"""

from __future__ import annotations

from casemate.catalog import Role
from casemate.executions.deadlines import offer
from casemate.executions.flowables import shape_of
from casemate.executions.folders import folder_of, for_worker
from casemate.executions.model import State, TaskRun
from casemate.executions.pausing import pause
from casemate.executions.subflows import begin_executable
from casemate.executions.turn import Turn
from casemate.executions.updating import apply
from casemate.expressions import ExpressionError, NeedsWorld, truthy
from casemate.flows import Task

_NOBODY = "No part of this installation can carry out a task of type"


def take_up(turn: Turn, run: TaskRun) -> None:
    """Skip it, offer it to a worker, or begin it here. May be repeated as long as the task run is CREATED."""
    task = turn.task(run)
    try:
        wanted = task.run_if == "true" or truthy(turn.render(f"runIf:{run.id}", task.run_if, run))
    except NeedsWorld:
        return
    except ExpressionError as error:
        turn.write("ERROR", f"Unable to evaluate the runIf condition for task {task.id}", run)
        turn.write("ERROR", str(error), run)
        turn.move(run, State.FAILED)
        return
    if wanted:
        _carry_out(turn, run, task)
    else:
        turn.move(run, State.SKIPPED)


def go_on(turn: Turn, run: TaskRun) -> None:
    """Continue a task run that the engine itself carries out."""
    if not turn.waits_for(run):
        turn.look(run.id)
    elif turn.task(run).role is Role.FLOWABLE:
        begin_flowable(turn, run)
    else:
        apply(turn, run)


def begin_flowable(turn: Turn, run: TaskRun) -> None:
    """Render what decides about its children, then look at them."""
    task = turn.task(run)
    shape = shape_of(task)
    assert shape is not None, f"{task.canonical} was begun although the engine does not know it"
    try:
        run = turn.put(shape.begin(turn, run, task))
    except NeedsWorld:
        return
    except ExpressionError as error:
        turn.write("ERROR", f"Unable to resolve state from the Flowable task: {error}", run)
        turn.move(run, State.FAILED)
        return
    if shape.pauses:
        pause(turn, run)
    else:
        turn.look(run.id)


def _carry_out(turn: Turn, run: TaskRun, task: Task) -> None:
    if for_worker(task):
        folder = folder_of(turn.flow, turn.runs, run)
        offer(turn, run, task, folder)
    elif task.role is Role.FLOWABLE and shape_of(task) is not None:
        begin_flowable(turn, turn.move(run, State.RUNNING))
    elif task.role is Role.EXECUTABLE:
        begin_executable(turn, run)
    elif task.role is Role.UPDATING:
        apply(turn, turn.move(run, State.RUNNING))
    else:
        # Failing is the only honest end: what nobody carries out would stay CREATED for ever.
        turn.write("ERROR", f"{_NOBODY} '{task.canonical}'", run)
        turn.move(run, State.FAILED)
