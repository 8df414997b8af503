"""How a task run's outcome is judged: some tasks may fail (spec/engine 5.5)."""

from __future__ import annotations

from casemate.executions.model import State
from casemate.flows import Task


def forgiven(task: Task, state: State, *, forgiving: bool = False) -> State:
    """The state after `allowFailure` and `allowWarning`."""
    if state is State.FAILED and (task.allow_failure or forgiving):
        state = State.WARNING
    if state is State.WARNING and task.allow_warning:
        state = State.SUCCESS
    return state
