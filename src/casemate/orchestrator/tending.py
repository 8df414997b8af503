"""Tending: after a start, and every few seconds, what was lost is found in the rows and made good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import structlog

from casemate.dispatch import Dispatch
from casemate.executions import KillSwitch
from casemate.jobs import Hint
from casemate.orchestrator.alarms import Alarms
from casemate.orchestrator.items import Item, Key, Look, Lost
from casemate.orchestrator.relay import Relay
from casemate.orchestrator.rules import Rules
from casemate.store import Database, Job, StoreUnavailable, executions, jobs, kill_switches, timers, workers

log = structlog.get_logger()

_AT_ONCE = 32
"""How many executions are looked at together at a start."""


class Tender:
    """Finds lost workers, unheard hints, unsent messages. `insist` brings an item however long it takes."""

    def __init__(
        self,
        *,
        db: Database,
        dispatch: Dispatch,
        relay: Relay,
        alarms: Alarms,
        insist: Callable[[Key, Item], Awaitable[object]],
        rules: Rules,
        boot: str,
        now: Callable[[], datetime],
        hears: Callable[[], bool],
    ) -> None:
        self._db = db
        self._dispatch = dispatch
        self._relay = relay
        self._alarms = alarms
        self._insist = insist
        self._rules = rules
        self._boot = boot
        self._now = now
        self._hears = hears
        self._ruling: frozenset[KillSwitch] = frozenset()

    async def recover(self) -> None:
        """Take up everything where an earlier start of the service left it.

        Its workers lived in its process, and sandboxes die with their worker: what they held is free at once.
        """
        await self._db.transact(workers.retire, self._boot, self._now())
        alive = await self._db.read(workers.running)
        lost = await self._db.read(jobs.held_by_others, alive)
        await self._all((_key(job), Lost(job.id, job.fence, dead=True)) for job in lost)
        for timer in await self._db.read(timers.all_of_service):
            self._alarms.set(timer)
        unfinished = await self.look_again()
        await self._hint(await self._db.read(jobs.queued))
        if unfinished:
            log.info("executions.resumed", executions=unfinished, jobs_freed=len(lost))

    async def look_again(self) -> int:
        """Let every execution that has more to do obey the kill switches of now, and go on; how many there are."""
        self._ruling = await self._rulings()
        unfinished = await self._db.read(executions.unfinished)
        await self._all((key, Look()) for key in unfinished)
        return len(unfinished)

    async def go_on(self) -> None:
        """Maintenance is over: what waits may begin, and its jobs are hinted at once."""
        await self.look_again()
        await self._hint(await self._db.read(jobs.queued))

    async def _rulings(self) -> frozenset[KillSwitch]:
        now = self._now()
        return frozenset(switch for switch in await self._db.read(kill_switches.active) if switch.holds(now))

    async def tend(self, *, leases: bool = True) -> None:
        """One round.

        Without `leases` where the calendar has leapt: the machine slept, or its clock was set. Workers that live as
        well as we do get the time to say so, as they do when nobody `hears` them; whoever is gone is missed later.
        """
        if leases and self._hears():
            overdue = await self._db.read(jobs.overdue, self._now())
            await self._all((_key(job), Lost(job.id, job.fence)) for job in overdue)
        before = self._now() - self._rules.hint_again
        await self._hint(await self._db.read(jobs.unheard, before, self._rules.hints_at_once))
        for timer in await self._db.read(timers.due, self._now()):
            # Its bell goes by another clock than the calendar's, and that one may have been set.
            self._alarms.set(timer)
        await self._relay.sweep()
        if await self._rulings() != self._ruling:
            # The time of a switch has come, or is over.
            await self.look_again()

    async def run(self) -> None:
        """Rounds until cancelled."""
        before = self._now()
        while True:
            await asyncio.sleep(self._rules.tending.total_seconds())
            before, leap = self._now(), self._now() - before - self._rules.tending
            leapt = leap > self._rules.lease / 2
            if leapt:
                log.warning("clock.leapt", seconds=leap.total_seconds())
            try:
                await self.tend(leases=not leapt)
            except StoreUnavailable as error:
                log.warning("orchestrator.not_tended", error=str(error))
            except Exception:  # the top of the loop: without it no lost worker would ever be missed
                log.exception("orchestrator.not_tended")

    async def _hint(self, waiting: Sequence[Job]) -> None:
        if waiting:
            taken = await self._dispatch.offer([Hint(job.id, job.queue) for job in waiting])
            await self._db.transact(jobs.hinted, waiting[:taken], self._now())

    async def _all(self, brought: Iterable[tuple[Key, Item]]) -> None:
        room = asyncio.Semaphore(_AT_ONCE)

        async def bring(key: Key, item: Item) -> None:
            async with room:
                try:
                    await self._insist(key, item)
                except Exception:  # the top of the loop: one execution must not keep the others from being tended
                    log.exception("execution.not_tended", execution=key[1])

        async with asyncio.TaskGroup() as group:
            for key, item in brought:
                group.create_task(bring(key, item))


def _key(job: Job) -> Key:
    return job.tenant, job.execution
