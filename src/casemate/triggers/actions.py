"""What people do with triggers: switch them, unlock them, make up for dates of the past (spec/engine 9.5).

Each of these functions gives the record as it is to be, or raises `Refused` where it makes no sense.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from casemate.errors import Problem, Refused
from casemate.flows import Label
from casemate.triggers.model import Backfill, TriggerState
from casemate.triggers.schedule import Schedule, aimed


def backfilled(
    state: TriggerState,
    schedule: Schedule,
    start: datetime,
    end: datetime,
    inputs: Mapping[str, object],
    labels: Sequence[Label],
) -> TriggerState:
    """Every date from start to end, both included, starts an execution, one after the other.

    Where there is no such date the backfill is over at once. Refused while another one is there.
    """
    if state.backfill is not None:
        raise _refused("the trigger has a backfill already", "delete it first")
    if end < start:
        raise _refused("a backfill must start before it ends")
    new = Backfill(start=start, end=end, current=start, inputs=inputs, labels=tuple(labels))
    return aimed(replace(state, backfill=new), schedule, state.next_date)


def paused(state: TriggerState) -> TriggerState:
    """The backfill waits, and the ordinary dates go on."""
    backfill = _backfill(state)
    if backfill.paused:
        return state
    waiting = replace(backfill, paused=True, previous_next=None)
    return replace(state, backfill=waiting, next_date=backfill.previous_next)


def unpaused(state: TriggerState) -> TriggerState:
    """The backfill goes on where it was paused, and the ordinary dates wait for its end."""
    backfill = _backfill(state)
    if not backfill.paused:
        return state
    working = replace(backfill, paused=False, previous_next=state.next_date)
    return replace(state, backfill=working, next_date=backfill.current)


def without_backfill(state: TriggerState) -> TriggerState:
    """The rest of the backfill is given up."""
    return replace(paused(state), backfill=None)


def _backfill(state: TriggerState) -> Backfill:
    if state.backfill is None:
        raise _refused("the trigger has no backfill")
    return state.backfill


def switched(state: TriggerState, *, disabled: bool, recover: bool = False) -> TriggerState:
    """Off or on.

    Switched on again it goes on with the next date from then on; `recover`: with the first that it has missed.
    """
    if state.disabled == disabled:
        return state
    return replace(state, disabled=disabled, planned=state.planned and (disabled or recover))


def unlocked(state: TriggerState) -> TriggerState:
    """It may be evaluated though its last execution is not over, or an evaluation seems to run."""
    return replace(state, execution_id=None, evaluating_since=None)


def restarted(state: TriggerState) -> TriggerState:
    """Unlocked, switched on, and planned anew."""
    return replace(unlocked(state), disabled=False, planned=False)


def _refused(message: str, remedy: str = "") -> Refused:
    return Refused([Problem(code="trigger-state", message=message, path="backfill", remedy=remedy)])
