"""Tasks that follow the end of an execution: `afterExecution`, then those of listeners (spec/engine 5.9).

They are carried out one after the other, whatever becomes of each, and never change the state of the execution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.executions.chart import task_of
from casemate.executions.commands import Write
from casemate.executions.conditions import Grounds, all_hold
from casemate.executions.lanes import Step
from casemate.executions.taking import take_up
from casemate.executions.turn import Turn
from casemate.expressions import NeedsWorld
from casemate.flows import Condition
from casemate.identifiers import TaskId

LISTENER_KEY = "listener"
"""`Resolve` keys of the conditions of listeners begin with it."""


def follow(turn: Turn) -> None:
    """Start the next one, once the one before it has ended."""
    while turn.execution.after:
        first = turn.execution.after[0]
        run = turn.runs.child(None, first, None)
        if run is not None and not run.state.terminated:
            return
        if run is not None:
            _leave_out(turn, frozenset((first,)))
        elif turn.killing:
            _leave_out(turn, frozenset(turn.execution.after))
        elif not _start(turn, first):
            return
    turn.execution = replace(turn.execution, verdict=None, asked=frozenset(), answers={})


def _start(turn: Turn, task: TaskId) -> bool:
    """Start a task, or leave out the listener it begins; False if that has to wait for a reply."""
    for number, listener in enumerate(turn.flow.listeners):
        ids = [each.id for each in listener.tasks if not each.disabled]
        if not ids or ids[0] != task:
            continue
        try:
            wanted = _hold(turn, f"{LISTENER_KEY}:{number}", listener.conditions)
        except NeedsWorld:
            return False
        if not wanted:
            _leave_out(turn, frozenset(ids))
            return True
    take_up(turn, turn.create(None, Step(task_of(turn.flow, task)), None))
    return True


def _hold(turn: Turn, key: str, conditions: Sequence[Condition]) -> bool:
    """Do all conditions hold for the execution as it ended? What stands in the way is logged with it."""
    grounds = Grounds(
        render=lambda asked, template, more: turn.render(asked, template, None, more),
        execution=turn.execution,
        zone=turn.context.zone,
    )
    return all_hold(grounds, key, conditions, lambda message: turn.say(Write("WARN", message, kept=True)))


def _leave_out(turn: Turn, tasks: frozenset[TaskId]) -> None:
    turn.execution = replace(turn.execution, after=tuple(each for each in turn.execution.after if each not in tasks))
