"""The scheduler: looks at the records of triggers once a second, and starts what is due (spec/engine 9.5).

A date and the execution that it starts are written in one transaction, under the version of the record: whatever
crashes, each date starts one execution. What a crash keeps from being looked at is found in the rows by `start`.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Task
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

import structlog

from casemate.errors import CasemateError, Refused
from casemate.executions import Execution
from casemate.expressions import ExpressionError
from casemate.identifiers import ExecutionId
from casemate.orchestrator import firing
from casemate.orchestrator.dating import Dating, Found
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.polls import Polls
from casemate.orchestrator.step import Surroundings
from casemate.orchestrator.tasks import Tasks
from casemate.store import Conflict, Database, StoreUnavailable, triggers
from casemate.triggers import TriggerKey, TriggerState, caught_up, fired, passed, planned, recovered

log = structlog.get_logger()

_AT_ONCE = 8
"""How many triggers are evaluated together."""

_LATE = 0.002
"""Seconds after the full one at which a round begins: dates are full seconds, and timers may ring early."""


_PAUSE = 0.02
"""Seconds between two rounds at least, however quickly executions end."""


_Work: TypeAlias = Callable[[TriggerState], Awaitable[None]]


class Scheduler:
    """Only one may run at a time. `dating` finds out what triggers say."""

    def __init__(
        self,
        db: Database,
        lives: Lives,
        dating: Dating,
        polls: Polls,
        around: Callable[[], Surroundings],
        tasks: Tasks,
    ) -> None:
        self._db = db
        self._polls = polls
        self._lives = lives
        self._dating = dating
        self._around = around
        self._tasks = tasks
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._awaited: set[ExecutionId] = set()
        self._news = asyncio.Event()
        self._busy: set[TriggerKey] = set()
        self._recovered = False

    def start(self) -> None:
        """From now on until the orchestrator is stopped: take up what an earlier start left, then look every second."""
        self._tasks.start(self.run())

    async def recover(self) -> None:
        """Evaluations that never ended are forgotten; missed dates are made up for as each trigger says.

        What rests is looked at once more: an older version may not have understood its flow.
        """
        await self._db.transact(firing.abandon)
        overdue = await self._db.read(triggers.overdue, self._now())
        await _all([self._begin(self._recover, state) for state in overdue])
        self._recovered = True

    async def run(self) -> None:
        """Recover, then look again and again until cancelled; nothing waits for what takes long."""
        while True:
            try:
                if not self._recovered:
                    await self.recover()
                await self._look()
            except StoreUnavailable as error:
                log.warning("scheduler.waits_for_store", error=str(error))
            except Exception:  # the top of the loop: without it no flow would ever start by itself again
                log.exception("scheduler.round_failed")
            await self._rest_a_second()

    async def _rest_a_second(self) -> None:
        await asyncio.sleep(_PAUSE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LATE + 1 - self._now().microsecond / 1_000_000):
                await self._news.wait()
        self._news.clear()

    async def round(self) -> None:
        """Look, and wait for what comes of it, until there is nothing to do but for dates that are evaluated."""
        while True:
            self._news.clear()
            await _all(await self._look())
            if not self._news.is_set():
                return

    async def _look(self) -> list[Task[None]]:
        """What is over lets its trigger go on, what is new gets its first date, what is due is evaluated."""
        around = self._around()
        found = await self._db.read(triggers.work, around.now, around.rules.triggers_at_once)
        await self._polls.sweep()
        wanted = ((self._release, found.over), (self._plan, found.unplanned), (self._evaluate, found.due))
        return [self._begin(work, state) for work, states in wanted for state in states if state.key not in self._busy]

    def _begin(self, work: _Work, state: TriggerState) -> Task[None]:
        self._busy.add(state.key)
        return self._tasks.start(self._one(work, state))

    async def _one(self, work: _Work, state: TriggerState) -> None:
        try:
            async with self._room:
                await self._surely(work, state)
        finally:
            self._busy.discard(state.key)

    def ended(self, execution: Execution) -> None:
        """An execution is over; if it was one of ours, its trigger need not wait for the next second."""
        if execution.id in self._awaited:
            self._awaited.discard(execution.id)
            self._news.set()

    def _now(self) -> datetime:
        return self._around().now

    async def _surely(self, work: _Work, state: TriggerState) -> None:
        """One trigger must not keep the others from being looked at."""
        try:
            await work(state)
        except Conflict:
            log.debug("trigger.changed_meanwhile", flow=state.flow_id, trigger=state.trigger_id)
        except (NotFound, Refused, ExpressionError) as error:
            # Its flow is gone, or not valid any more, or its dates are none: it rests until the flow is saved again.
            log.warning("trigger.unreadable", flow=state.flow_id, trigger=state.trigger_id, error=str(error))
            await self._surely(partial(self._rest, reason=str(error)), state)
        except StoreUnavailable as error:
            log.warning("trigger.waits_for_store", trigger=state.trigger_id, error=str(error))
        except Exception:  # the top of a task: one broken trigger must not keep its round from ending
            log.exception("trigger.not_evaluated", flow=state.flow_id, trigger=state.trigger_id)

    async def _rest(self, state: TriggerState, reason: str | None = None) -> None:
        await self._db.transact(firing.rest, state, reason, self._now())

    async def _release(self, state: TriggerState) -> None:
        await self._db.transact(firing.release, state)
        self._news.set()

    async def _plan(self, state: TriggerState) -> None:
        found = await self._dating.find(state)
        if not found.active:
            await self._rest(state)
            return
        if found.schedule is None:
            after = replace(state, planned=True, next_date=self._now())
        else:
            # Looking for dates takes a while where conditions forbid most of them: not for the event loop.
            after = await asyncio.to_thread(planned, state, found.schedule, self._now())
        await self._save(state, after)
        self._news.set()

    async def _recover(self, state: TriggerState) -> None:
        found = await self._dating.find(state)
        if found.schedule is not None:
            await self._save(state, await asyncio.to_thread(recovered, state, found.schedule, self._now()))

    async def _evaluate(self, state: TriggerState) -> None:
        found = await self._dating.find(state)
        if not found.active:
            await self._rest(state)
        elif found.schedule is None:
            await self._polls.begin(state, found)
        else:
            await self._evaluate_date(state, found)

    async def _evaluate_date(self, state: TriggerState, found: Found) -> None:
        assert found.schedule is not None, "it goes by dates"
        now = self._now()
        timely = await asyncio.to_thread(caught_up, state, found.schedule, now)
        if timely != state:
            await self._save(state, timely)
            return
        after = await asyncio.to_thread(passed, state, found.schedule, now)
        try:
            execution = await self._dating.execution(state, found)
        except StoreUnavailable:
            raise
        except CasemateError as error:
            await self._fail(state, after, found, str(error))
            return
        if execution is None:
            await self._save(state, after)
            return
        after = fired(after, execution.id, now)
        written = await self._db.transact(firing.fire, found.flow, execution, state, after, self._around())
        self._awaited.add(execution.id)
        self._lives.adopt(found.flow, written)
        log.info("trigger.fired", flow=state.flow_id, trigger=state.trigger_id, execution=execution.id)

    async def _fail(self, state: TriggerState, after: TriggerState, found: Found, reason: str) -> None:
        """The date is spent on an execution that has failed already, so that someone sees it."""
        log.warning("trigger.failed", flow=state.flow_id, trigger=state.trigger_id, reason=reason)
        bare = self._dating.bare(state, found)
        written = await self._db.transact(firing.fail, found.flow, bare, reason, state, after, self._around())
        self._lives.adopt(found.flow, written)

    async def _save(self, before: TriggerState, after: TriggerState) -> None:
        if after != before:
            await self._db.transact(triggers.save, before, after)


async def _all(tasks: Sequence[Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
