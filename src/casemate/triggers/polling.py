"""What becomes of the record of a trigger that polls (spec/engine 9.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from casemate import durations
from casemate.flows import Trigger
from casemate.triggers.model import TriggerState

_INTERVAL: Final = timedelta(minutes=1)


def interval_of(trigger: Trigger) -> timedelta:
    """The time between the end of one evaluation and the next."""
    written = trigger.properties.get("interval")
    return durations.parse(str(written)) if written else _INTERVAL


def asked(state: TriggerState, now: datetime) -> TriggerState:
    """An evaluation begins."""
    return replace(state, evaluating_since=now, date=state.next_date)


def polled(state: TriggerState, interval: timedelta, now: datetime) -> TriggerState:
    """An evaluation is over, whatever it came to."""
    return replace(state, evaluating_since=None, evaluated=now, next_date=now + interval)
