"""When is a failed attempt tried again (spec/engine 3.2)?"""

from __future__ import annotations

from datetime import datetime, timedelta

from casemate.executions.dates import after, times
from casemate.flows import Retry


def next_attempt(retry: Retry, done: int, begun: datetime, now: datetime, chance: float) -> datetime | None:
    """The date of the attempt after attempt number `done` (from 1), or None when there is to be none.

    `begun` is when the first attempt started; `chance`, from 0 to 1, picks the place between the bounds of a random
    delay.
    """
    if retry.max_attempt is not None and done >= retry.max_attempt:
        return None
    date = after(now, _delay(retry, done, chance))
    if retry.max_duration is not None and date > after(begun, retry.max_duration):
        return None
    return date


def _delay(retry: Retry, done: int, chance: float) -> timedelta:
    match retry.kind:
        case "constant":
            return retry.interval or timedelta()
        case "exponential":
            # Kestra's first retry is immediate, and it cuts the factor to a whole number.
            delay = times(retry.interval or timedelta(), int(retry.delay_factor or 2) * (done - 1))
            return delay if retry.max_interval is None else min(delay, retry.max_interval)
        case "random":
            low, high = retry.min_interval or timedelta(), retry.max_interval or timedelta()
            return low + (high - low) * chance
