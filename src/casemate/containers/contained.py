"""A container at work as the worker sees it: what it says while it runs, how it ends, and how to end it early."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from casemate.containers import transfer
from casemate.containers.engine import Engine
from casemate.containers.errors import ContainerError, EngineAway, EngineRefused
from casemate.containers.frames import Frames, FramesBroken
from casemate.containers.order import WORK, Order
from casemate.containers.report import isolation
from casemate.sandbox import End, Line, OutputRefused, limit_words

_KILLED: Final = 137

log = structlog.get_logger(__name__)


class Contained:
    """One container. Read `events()` to their end, then ask for `end()`; `kill()` may come at any time."""

    def __init__(self, engine: Engine, order: Order, container: str, started: datetime) -> None:
        self.id = container
        self._engine = engine
        self._order = order
        self._started = started
        self._killed: str | None = None
        self._hit: list[str] = []
        self._ending: asyncio.Task[None] | None = None
        self._removing: asyncio.Task[None] | None = None
        engine.held.add(container)

    async def events(self) -> AsyncIterator[Line]:
        """What it says, until it has ended. Raises `ContainerError` when the engine says nothing any more."""
        frames = Frames(self._order.policy.limits)
        clock = self._wound_up()
        try:
            async with contextlib.aclosing(self._engine.output(self.id)) as output:
                async for chunk in output:
                    for line in frames.take(chunk, datetime.now(UTC)):
                        yield line
                    if frames.full:
                        await self._over("output")
                        break
            for line in frames.end(datetime.now(UTC)):
                yield line
        except FramesBroken as error:
            raise ContainerError(f"The output of the container cannot be read: {error}") from error
        except (EngineRefused, EngineAway):
            if self._killed is None:
                raise
        finally:
            if clock is not None:
                clock.cancel()

    async def end(self) -> End:
        """How it ended, its files brought back and the container removed. Raises `ContainerError`."""
        try:
            state = await self._ended()
            if self._killed is None:
                await self._bring_back()
            about = await self._engine.about()
        finally:
            await self.dispose()
        return self._told(state, about)

    async def left(self) -> End:
        """What is told of one that its task does not wait for; from now on it is nobody's but its engine's."""
        self._engine.held.discard(self.id)
        return self._told({"ExitCode": 0}, await self._engine.about())

    async def kill(self, reason: str, grace: timedelta | None = None) -> None:
        """End it: SIGTERM and the time that the task gives it, then SIGKILL. The reason of the first call is kept."""
        self._killed = self._killed or reason
        patience = self._order.options.grace if grace is None else grace
        with contextlib.suppress(ContainerError):
            if patience:
                await self._engine.stop(self.id, max(round(patience.total_seconds()), 1))
        await self.dispose()

    async def dispose(self) -> None:
        """Remove it, unless its flow wants it left; whoever asks while that is under way waits for its end.

        An engine that is away now is asked again later (`orphans`).
        """
        if self._removing is None:
            if self._order.left and self._killed is None:
                self._engine.held.discard(self.id)
                return
            self._removing = asyncio.create_task(self._remove())
        await asyncio.shield(self._removing)

    async def _remove(self) -> None:
        try:
            await self._engine.remove(self.id)
        except ContainerError as error:
            self._engine.stuck.add(self.id)
            log.warning("container.not_removed", container=self.id, reason=str(error))
        self._engine.held.discard(self.id)

    def _wound_up(self) -> asyncio.TimerHandle | None:
        """Its time is over one day, whatever its task's own timeout is."""
        if (seconds := self._order.policy.limits.duration) is None:
            return None
        loop = asyncio.get_running_loop()
        return loop.call_later(seconds, self._over_soon, loop)

    def _over_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        # A task that nobody keeps may be collected before it has run.
        self._ending = loop.create_task(self._over("duration"))

    async def _over(self, limit: str) -> None:
        self._hit.append(limit)
        await self.kill(limit_words(limit, self._order.policy.limits))

    async def _ended(self) -> Mapping[str, Any]:
        try:
            await self._engine.wait(self.id)
            state: Mapping[str, Any] = (await self._engine.inspect(self.id))["State"]
        except ContainerError:
            if self._killed is None:
                raise
            return {}
        if state.get("OOMKilled"):
            self._hit.append("memory")
            if state.get("ExitCode") == _KILLED:
                self._killed = limit_words("memory", self._order.policy.limits)
        return state

    async def _bring_back(self) -> None:
        if not self._order.wants_files or self._order.options.files == "MOUNT":
            return
        folder, limits = self._order.folder, self._order.policy.limits
        try:
            with await transfer.received(self._engine.take(self.id, WORK), folder, limits) as file:
                await asyncio.to_thread(transfer.unpack, file, folder, limits)
        except (OSError, OutputRefused) as error:
            raise ContainerError(f"The files of the container cannot be kept: {error}") from error

    def _told(self, state: Mapping[str, Any], about: Mapping[str, Any]) -> End:
        seconds = (datetime.now(UTC) - self._started).total_seconds()
        limits = self._order.policy.limits
        return End(
            exit_code=int(state.get("ExitCode", _KILLED)),
            signal=None,
            killed=self._killed,
            met=tuple(limit_words(limit, limits) for limit in self._hit),
            isolation=isolation(self._order, about, limits_hit=tuple(self._hit), seconds=seconds),
        )
