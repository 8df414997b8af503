"""Who may run: the concurrency limit of a flow (spec/engine 5.7).

The places are counted in the transaction in which one is taken, from the rows of the executions themselves: nothing is
kept that could differ from them.
"""

from __future__ import annotations

from typing import Literal

from casemate.executions.commands import CountSlots, Write
from casemate.executions.endings import close
from casemate.executions.events import SlotsCounted
from casemate.executions.model import State
from casemate.executions.survey import survey
from casemate.executions.turn import Turn

SLOT_KEY = "slot"
"""The timer key of a queued execution for which there may be a place."""

_WAITING = (State.CREATED, State.QUEUED, State.RESTARTED)


def enter(turn: Turn) -> None:
    """Let it run, or have the places counted first. A resumed execution has kept its place."""
    limited = turn.flow.concurrency is not None or turn.execution.state is State.QUEUED
    # One that was never saved is a copy: what it copied may have had a place, it has none.
    copied = turn.execution.version == 0
    if limited and (copied or not turn.execution.holds_slot):
        turn.say(CountSlots())
    else:
        let_in(turn)


def counted(turn: Turn, event: SlotsCounted) -> None:
    """Let it run if there is a place that nobody who waits longer will take."""
    state, date, limit = turn.execution.state, turn.execution.schedule_date, event.concurrency
    if state not in _WAITING or (state is State.CREATED and date is not None and date > turn.now):
        return
    if limit is None or event.running + event.waiting < limit.limit:
        let_in(turn)
    elif state is not State.QUEUED:
        _turn_away(turn, limit.behavior, event.running)


def let_in(turn: Turn) -> None:
    """It runs from now on."""
    turn.move_execution(State.RUNNING)
    turn.say(Write("INFO", "Flow started"))
    for remark in turn.flow.unused:
        turn.say(Write("WARN", remark, kept=True))
    survey(turn)


def unqueue(turn: Turn, state: Literal[State.RUNNING, State.CANCELLED, State.FAILED]) -> None:
    """Someone decides on a queued execution by hand."""
    if turn.execution.state is not State.QUEUED:
        return
    if state is State.RUNNING:
        let_in(turn)
    else:
        close(turn, state)


def _turn_away(turn: Turn, behavior: Literal["QUEUE", "CANCEL", "FAIL"], running: int) -> None:
    match behavior:
        case "QUEUE":
            turn.move_execution(State.QUEUED)
            turn.say(Write("INFO", f"Flow is queued due to concurrency limit exceeded, {running} running(s)"))
        case "CANCEL":
            turn.say(Write("WARN", "Flow is CANCELLED due to concurrency limit exceeded", kept=True))
            close(turn, State.CANCELLED)
        case "FAIL":
            turn.say(Write("ERROR", "Flow is FAILED due to concurrency limit exceeded", kept=True))
            close(turn, State.FAILED)
