"""Quotas: how many executions may be created in a stretch of time (spec/isolation 9.1). Counting is the store's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from casemate.executions.commands import Write
from casemate.executions.endings import close
from casemate.executions.events import QuotaExceeded
from casemate.executions.killing import stop
from casemate.executions.model import State, Verdict
from casemate.executions.turn import Turn

_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def window_start(now: datetime, duration: timedelta) -> datetime:
    """When the stretch began that this date lies in: each day is divided anew, and its last part may be short.

    Stretches longer than a day are counted from 1970.
    """
    utc = now.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    origin = midnight if duration <= _DAY else _EPOCH
    return origin + (utc - origin) // duration * duration


def turn_away(turn: Turn, event: QuotaExceeded) -> None:
    """It ends before it has begun."""
    state: Literal[State.CANCELLED, State.FAILED] = State.CANCELLED if event.behavior == "CANCEL" else State.FAILED
    level: Literal["WARN", "ERROR"] = "WARN" if state is State.CANCELLED else "ERROR"
    message = f"Flow is {state} due to quota exceeded: {event.limit} execution(s) in {event.duration} for {event.place}"
    turn.say(Write(level, message, kept=True))
    if turn.execution.state is State.CREATED:
        close(turn, state)
    else:  # a copy that begins in the middle of what it repeats
        stop(turn, Verdict(state), cascade=False)
