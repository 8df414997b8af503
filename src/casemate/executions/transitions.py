"""Which state may follow which (spec/engine 5.2). Whatever is not listed here never happens."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.executions.model import State

_ENDS = frozenset(
    (State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.CANCELLED, State.SKIPPED, State.RETRIED)
)

TASK_RUN: dict[State, frozenset[State]] = {
    State.CREATED: _ENDS - {State.RETRIED} | {State.RUNNING},
    State.RUNNING: _ENDS | {State.PAUSED},
    State.PAUSED: _ENDS - {State.RETRIED, State.SKIPPED} | {State.RUNNING},
    State.FAILED: frozenset((State.RETRYING, State.RETRIED)),
    State.RETRYING: frozenset((State.CREATED, State.KILLED, State.FAILED, State.CANCELLED)),
}
TASK_RUN |= {State.RESTARTED: TASK_RUN[State.CREATED]}
"""CREATED ends at once when `runIf` says no or cannot be rendered; the milder ends are those of an allowed failure.

What people do to executions that have ended (`restarting`, `changing`) follows rules of its own.
"""

EXECUTION: Mapping[State, frozenset[State]] = {
    State.CREATED: frozenset((State.RUNNING, State.QUEUED, State.FAILED, State.CANCELLED, State.KILLING)),
    State.QUEUED: frozenset((State.RUNNING, State.CANCELLED, State.FAILED, State.KILLING)),
    State.RUNNING: frozenset(
        (
            State.PAUSED,
            State.RETRYING,
            State.KILLING,
            State.SUCCESS,
            State.WARNING,
            State.FAILED,
            State.KILLED,
            State.CANCELLED,
            State.RETRIED,
        )
    ),
    State.PAUSED: frozenset((State.RESTARTED, State.RUNNING, State.KILLING)),
    State.RESTARTED: frozenset((State.RUNNING, State.QUEUED, State.CANCELLED, State.FAILED, State.KILLING)),
    State.RETRYING: frozenset((State.RUNNING, State.PAUSED, State.KILLING)),
    State.KILLING: frozenset((State.KILLED, State.FAILED, State.CANCELLED)),
}


def follows(table: Mapping[State, frozenset[State]], before: State, after: State) -> bool:
    """May `after` come right after `before`? Staying the same is no change, hence always allowed."""
    return before is after or after in table.get(before, frozenset())
