"""What operators decide for the whole instance: kill switches and maintenance (spec/isolation 9.2, 9.3).

A decision is durable before it is carried out: what runs meanwhile finds it in its next transaction, and a start after
a crash looks at everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from casemate.executions import KillSwitch
from casemate.orchestrator.tasks import Tasks
from casemate.orchestrator.tending import Tender
from casemate.store import Database, Tx, jobs, kill_switches, maintenance, workers

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceStatus:
    """Is the instance in maintenance, how many workers are there, and how many of them have nothing at work."""

    on: bool
    workers: int
    still: int

    @property
    def ready(self) -> bool:
        """Is nothing at work any more?"""
        return self.on and self.still == self.workers


class Controls:
    """Carries such decisions out."""

    def __init__(self, db: Database, tender: Tender, tasks: Tasks, now: Callable[[], datetime]) -> None:
        self._db = db
        self._tender = tender
        self._tasks = tasks
        self._now = now

    async def add(self, switch: KillSwitch) -> None:
        """A new kill switch; what it is for obeys at once."""
        await self._db.transact(kill_switches.add, switch)
        log.warning("switch.added", switch=switch.id, evaluation=switch.evaluation, enabled=switch.enabled)
        self._soon(self._tender.look_again())

    async def replace(self, switch: KillSwitch) -> bool:
        """Change a kill switch; was it there? What it ignored and no longer means goes on."""
        there = await self._db.transact(kill_switches.replace, switch)
        if there:
            log.warning("switch.changed", switch=switch.id, evaluation=switch.evaluation, enabled=switch.enabled)
            self._soon(self._tender.look_again())
        return there

    async def delete(self, switch: str) -> bool:
        """Take a kill switch away; was it there? What it ignored goes on."""
        there = await self._db.transact(kill_switches.delete, switch)
        if there:
            log.warning("switch.deleted", switch=switch)
            self._soon(self._tender.look_again())
        return there

    async def enter_maintenance(self) -> None:
        """Let nothing new begin, until `leave_maintenance`; a restart of the service changes nothing about it."""
        await self._db.transact(maintenance.enter, self._now())
        log.warning("maintenance.entered")

    async def leave_maintenance(self) -> None:
        """Let what waits begin."""
        await self._db.transact(maintenance.leave)
        log.warning("maintenance.left")
        self._soon(self._tender.go_on())

    async def maintenance(self) -> MaintenanceStatus:
        """How far it is."""
        return await self._db.read(_status)

    def _soon(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.start(work)


def _status(tx: Tx) -> MaintenanceStatus:
    there = frozenset(workers.running(tx))
    busy = there & jobs.holders(tx)
    return MaintenanceStatus(on=maintenance.on(tx), workers=len(there), still=len(there - busy))
