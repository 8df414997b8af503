"""Alarms: the timers of executions, rung when their dates come. The rows are the truth; these are only the bells."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from casemate.identifiers import ExecutionId, TenantId
from casemate.store import Timer

_Name: TypeAlias = tuple[TenantId, ExecutionId, str]


class Alarms:
    """One bell for each timer. `ring` is called once its date has come."""

    def __init__(self, now: Callable[[], datetime], ring: Callable[[Timer], None]) -> None:
        self._now = now
        self._ring = ring
        self._bells: dict[_Name, TimerHandle] = {}

    def set(self, timer: Timer) -> None:
        """Ring at this date; replaces the date of the same execution and key."""
        name = (timer.tenant, timer.execution, timer.key)
        self._silence(name)
        wait = (timer.at - self._now()).total_seconds()
        if wait > 0:
            self._bells[name] = asyncio.get_running_loop().call_later(wait, self.set, timer)
        else:
            self._ring(timer)

    def forget(self, tenant: TenantId, execution: ExecutionId, key: str) -> None:
        """Do not ring."""
        self._silence((tenant, execution, key))

    def stop(self) -> None:
        """Ring no more."""
        for name in tuple(self._bells):
            self._silence(name)

    def _silence(self, name: _Name) -> None:
        bell = self._bells.pop(name, None)
        if bell is not None:
            bell.cancel()
