"""Executions that are under way, in memory, so that an event does not read thousands of rows.

The rows stay the truth: every change compares the version and is made again on a fresh copy if someone was faster.
Items for one execution wait in line and are taken together: what comes during one commit shares the next.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog

from casemate.errors import CasemateError, Refused
from casemate.executions import Execution, State
from casemate.flows import Flow
from casemate.orchestrator import applying
from casemate.orchestrator.errors import NotFound, Stopped, Undecidable
from casemate.orchestrator.items import Item, Key
from casemate.orchestrator.patience import afresh
from casemate.orchestrator.step import Surroundings, Written
from casemate.orchestrator.tasks import Tasks
from casemate.store import Database, executions

log = structlog.get_logger()

_TOGETHER = 64
"""How many items one transaction takes."""

_RESTING = frozenset((State.PAUSED, State.QUEUED, State.CREATED))
"""One that is still CREATED after its first step waits for its date."""

_Waiting: TypeAlias = tuple[Item, "Future[Any]"]


@dataclass(slots=True)
class Live:
    """One execution with its flow, and the items that wait for it."""

    flow: Flow
    execution: Execution
    line: deque[_Waiting] = field(default_factory=deque)
    working: bool = False

    @property
    def idle(self) -> bool:
        """Nothing is expected to be brought soon."""
        return not self.line and (self.execution.over or self.execution.state in _RESTING)


class Lives:
    """All of them. `after` is called with every step once it is committed."""

    def __init__(
        self,
        db: Database,
        flow_of: Callable[[Execution], Awaitable[Flow]],
        around: Callable[[], Surroundings],
        after: Callable[[Written], None],
        tasks: Tasks,
    ) -> None:
        self._db = db
        self._flow_of = flow_of
        self._around = around
        self._after = after
        self._tasks = tasks
        self._lives: dict[Key, Live] = {}
        self._deleted = 0
        self._stopped = False

    async def begin(self, flow: Flow, execution: Execution) -> Execution:
        """Write a new execution and take it in."""
        written = await self._db.transact(applying.begin, flow, execution, self._around())
        self.adopt(flow, written)
        return written.execution

    def adopt(self, flow: Flow, written: Written) -> None:
        """Take in an execution that was just begun."""
        live = Live(flow, written.execution)
        self._lives[key_of(written.execution)] = live
        self._committed(live, written)

    async def bring(self, key: Key, item: Item) -> Any:
        """Apply an item; its outcome, once that is durable.

        Raises `NotFound`, `Stopped`, the store's errors, and `Undecidable` once that has ended the execution.
        """
        live = await self._hold(key)
        if self._stopped:
            raise Stopped
        future: Future[Any] = asyncio.get_running_loop().create_future()
        live.line.append((item, future))
        if not live.working:
            live.working = True
            self._tasks.start(self._work(key, live))
        return await future

    async def current(self, key: Key) -> Live:
        """The execution as it is now, with its flow. Raises `NotFound`, `Refused` if the flow is valid no more."""
        return self._lives.get(key) or await self._read(key)

    async def execution(self, key: Key) -> Execution:
        """The execution as it is now, whatever has become of its flow. Raises `NotFound`."""
        live = self._lives.get(key)
        return live.execution if live is not None else await self._stored(key)

    def stop(self) -> None:
        """Take nothing more, once the tasks are stopped; whoever still waits is told."""
        self._stopped = True
        for live in self._lives.values():
            _tell_stopped(live.line)

    def forget(self, key: Key) -> None:
        """It was deleted."""
        self._deleted += 1
        self._lives.pop(key, None)

    async def _hold(self, key: Key) -> Live:
        while (live := self._lives.get(key)) is None:
            deleted = self._deleted
            read = await self._read_whole(key)
            # What was deleted meanwhile must not live on here. Someone else may have read it: one line for it, not two.
            if deleted == self._deleted:
                live = self._lives.setdefault(key, read)
                break
        return live

    async def _read_whole(self, key: Key) -> Live:
        """The same as `_read`; without its flow an execution can't go on, and nobody would ever come to cure that."""
        execution = await self._stored(key)
        try:
            return Live(await self._flow_of(execution), execution)
        except (Refused, NotFound) as error:
            await self._give_up(execution, str(error))
            raise Undecidable(str(error)) from error

    async def _read(self, key: Key) -> Live:
        execution = await self._stored(key)
        return Live(await self._flow_of(execution), execution)

    async def _stored(self, key: Key) -> Execution:
        execution = await self._db.read(executions.get, *key)
        if execution is None:
            raise NotFound(f"Execution '{key[1]}' not found")
        return execution

    async def _work(self, key: Key, live: Live) -> None:
        batch: list[_Waiting] = []
        try:
            while live.line:
                batch = [live.line.popleft() for _ in range(min(len(live.line), _TOGETHER))]
                await self._apply(live, batch)
        finally:
            live.working = False
            _tell_stopped((*batch, *live.line))
        self._rest(key, live)

    async def _apply(self, live: Live, batch: Sequence[_Waiting]) -> None:
        try:
            written, outcomes = await self._transact(live, [item for item, _ in batch])
        except Exception as error:  # the top of the execution's loop: whoever brought the item is told
            await self._fail(live, batch, error)
            return
        live.execution = written.execution
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)
        self._committed(live, written)

    async def _fail(self, live: Live, batch: Sequence[_Waiting], error: Exception) -> None:
        """One item failed the whole batch: bring them one by one, so that only the culprit fails."""
        if len(batch) > 1:
            for one in batch:
                await self._apply(live, [one])
            return
        if isinstance(error, Undecidable):
            await self._end(live, error)
        if not batch[0][1].done():
            batch[0][1].set_exception(error)

    async def _end(self, live: Live, error: Undecidable) -> None:
        log.error("execution.undecidable", execution=live.execution.id, exc_info=error)
        try:
            live.execution = (await self._give_up(live.execution, str(error))).execution
        except CasemateError as failure:
            # The database is away, or someone else changed it: the next event comes to the same end.
            log.warning("execution.not_ended", execution=live.execution.id, error=str(failure))

    async def _give_up(self, execution: Execution, reason: str) -> Written:
        written = await self._db.transact(applying.give_up, execution, reason, self._around())
        self._after(written)
        return written

    async def _transact(self, live: Live, items: Sequence[Item]) -> tuple[Written, tuple[object, ...]]:
        async def look() -> None:
            live.execution = await self._stored(key_of(live.execution))

        return await afresh(
            lambda: self._db.transact(applying.bring, live.flow, live.execution, items, self._around()), look
        )

    def _committed(self, live: Live, written: Written) -> None:
        self._after(written)
        self._rest(key_of(live.execution), live)

    def _rest(self, key: Key, live: Live) -> None:
        """What has nothing to do need not stay in memory."""
        if live.idle and not live.working and self._lives.get(key) is live:
            del self._lives[key]


def _tell_stopped(waiting: Iterable[_Waiting]) -> None:
    for _, future in waiting:
        if not future.done():
            future.set_exception(Stopped())


def key_of(execution: Execution) -> Key:
    """The name of an execution."""
    return execution.tenant, execution.id
