"""One launched sandbox as the worker sees it: what it says while it runs, how it ends, and how to end it early."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from casemate.sandbox import limits, shares
from casemate.sandbox.cells import Cell, Used
from casemate.sandbox.errors import ZygoteLost
from casemate.sandbox.hearing import Hearing
from casemate.sandbox.model import Body, Command, End, Event, Launch, Limits, Places
from casemate.sandbox.recording import Touched
from casemate.sandbox.report import Traffic, isolation
from casemate.sandbox.zygotes import Ended, Zygote

_AT_ONCE = timedelta()
_GRACE = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True, eq=False)
class Box:
    """The worker's hold on a sandbox that has reported its walls: where it listens and speaks, and who can kill it.

    What belongs to its broker is put in when there is one.
    """

    id: int
    zygote: Zygote
    channel: socket.socket
    stdout: int
    stderr: int
    ended: asyncio.Future[Ended]
    walls: Mapping[str, str]
    for_broker: tuple[int, ...] = ()
    """The listener and the name stub, for a sandbox with a way out; whoever makes the broker owns them."""
    traffic: Traffic = field(default_factory=Traffic)
    touched: Touched | None = None
    cell: Cell | None = None
    watched: int = 0
    """Its process 1, where no control group counts its memory."""

    async def say(self, message: Mapping[str, object]) -> None:
        """Send one message; one that nobody is left to hear is forgotten. TypeError or ValueError: it is not JSON."""
        line = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(ConnectionError):
            sent = 0
            with contextlib.suppress(BlockingIOError):
                sent = self.channel.send(line)
            if sent < len(line):
                await asyncio.get_running_loop().sock_sendall(self.channel, line[sent:])

    def close(self) -> None:
        """Stop listening. A command ends when it notices, a body when it is killed or done."""
        self.channel.close()
        os.close(self.stdout)
        os.close(self.stderr)


class Running:
    """A sandbox at work. Read `events()` to their end, then ask for `end()`; `kill()` may come at any time."""

    def __init__(self, launch: Launch, box: Box, tidy: Callable[[Running], Awaitable[None]] | None = None) -> None:
        """`tidy` is called when no process of the sandbox exists any more, before anyone hears of the end."""
        self._launch = launch
        self._box = box
        self._tidy = tidy
        self._started = datetime.now(UTC)
        self._all_read = False
        self._gone = asyncio.Event()
        self._killed: str | None = None
        self._limits_hit: list[str] = []
        self._hearing = Hearing(launch, box.stdout, box.stderr, box.channel.fileno(), self._condemn_soon)
        self._condemning: set[asyncio.Task[None]] = set()
        self._clock = self._wound_up()
        self._life = asyncio.create_task(self._live(), name=f"sandbox {launch.name}")

    async def events(self) -> AsyncIterator[Event]:
        """What the sandbox says, until all its streams have ended; in order within each. Every event is given once."""
        while not self._all_read:
            batch = await self._hearing.batch()
            if batch is None:
                self._all_read = True
                return
            for event in batch:
                yield event

    async def end(self) -> End:
        """How it ended. Events that were not read by now are thrown away. No process of the sandbox is left."""
        async for _ in self.events():
            pass
        return await asyncio.shield(self._life)

    async def kill(self, reason: str, grace: timedelta = _AT_ONCE) -> None:
        """End it: a command gets SIGTERM and `grace` to comply, then everything is killed. Returns when all is gone.

        The reason of the first call is kept. A sandbox that has ended already is left as it is.
        """
        if self._gone.is_set():
            return
        self._killed = self._killed or reason
        if grace and isinstance(self._launch.what, Command):
            await self._asked_to_end(grace)
        await self._condemn(reason)
        await self._gone.wait()

    async def stop_for(self, limit: str, reason: str = "", grace: timedelta = _AT_ONCE) -> None:
        """End it because it reached a limit, by its name in `Limits`, which its report will name.

        Does not wait for the end, but for `grace`, which a command gets to comply with SIGTERM.
        """
        if self._hit(limit):
            reason = reason or limits.words(limit, self.limits)
            if grace:
                await self.kill(reason, grace)
            await self._condemn(reason)

    @property
    def work(self) -> Path:
        """The launch folder."""
        return self._launch.work

    @property
    def watched(self) -> int:
        """Its process 1 if its memory is to be watched, else 0."""
        return self._box.watched

    @property
    def limits(self) -> Limits:
        """What it may use."""
        return self._launch.policy.limits

    async def answer(self, value: object) -> None:
        """The answer to what a body asked. TypeError or ValueError: it is not JSON."""
        await self._box.say({"answer": value})

    async def refuse(self, reason: str) -> None:
        """There is no answer to what a body asked."""
        await self._box.say({"refused": reason})

    async def _condemn(self, reason: str) -> None:
        self._killed = self._killed or reason
        with contextlib.suppress(ZygoteLost):  # then it is dead already
            await self._box.zygote.kill(self._box.id)

    def _condemn_soon(self, limit: str, reason: str, grace: timedelta = _AT_ONCE) -> None:
        """The same from where nothing can be awaited."""
        task = asyncio.create_task(self.stop_for(limit, reason, grace) if limit else self._condemn(reason))
        self._condemning.add(task)
        task.add_done_callback(self._condemning.discard)

    def _wound_up(self) -> asyncio.TimerHandle | None:
        """Its time is over one day, whatever its task's own timeout is."""
        if (seconds := self.limits.duration) is None:
            return None
        return asyncio.get_running_loop().call_later(seconds, self._condemn_soon, "duration", "", _GRACE)

    async def _asked_to_end(self, grace: timedelta) -> None:
        await self._box.say({"terminate": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace.total_seconds()):
                await self._gone.wait()

    async def _live(self) -> End:
        """From the walls to the end: whatever goes wrong on our side, the sandbox does not outlive it."""
        try:
            self._hearing.begin()
            ended = await self._ended()
            await self._hearing.until_silent()
            used = self._box.cell.used() if self._box.cell else Used()
            await self._look_back(used)
        finally:
            await self._clear_up()
        return self._end(ended, used)

    async def _look_back(self, used: Used) -> None:
        """Note the limits that were met, also by taking too much of the disk between two looks."""
        for limit in (*limits.met(used), *self._hearing.full):
            self._hit(limit)
        if not self._killed and (over := await shares.exceeded(self.work, self.limits)):
            await self.stop_for(over)

    def _hit(self, limit: str) -> bool:
        """Note that a limit was reached; False if that is known."""
        if limit in self._limits_hit:
            return False
        self._limits_hit.append(limit)
        return True

    async def _clear_up(self) -> None:
        try:
            if self._clock is not None:
                self._clock.cancel()
            if not self._gone.is_set():
                await self._condemn("broken off")
            self._hearing.close()
            self._box.close()
            if self._tidy is not None:
                await self._tidy(self)
        finally:
            self._hearing.finish()

    async def _ended(self) -> Ended:
        try:
            return await self._box.ended
        except ZygoteLost as error:
            self._killed = self._killed or str(error)
            return Ended(status=signal.SIGKILL)
        finally:
            self._gone.set()

    def _end(self, ended: Ended, used: Used) -> End:
        status = ended.status if self._hearing.exited is None else self._hearing.exited
        code = os.waitstatus_to_exitcode(status)
        if (limit := limits.ended_by(code, used, self.limits)) and not self._killed:
            self._hit(limit)
            self._killed = limits.words(limit, self.limits)
        return End(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            killed=self._killed,
            met=tuple(limits.met_in_words(limit, self.limits, used) for limit in self._limits_hit),
            isolation=isolation(
                self._launch.policy,
                level=self._box.zygote.level,
                walls=self._box.walls,
                traffic=self._box.traffic,
                limits_hit=tuple(map(limits.named, self._limits_hit)),
                resources=self._resources(ended, used),
                touched=self._box.touched.report() if self._box.touched else None,
            ),
        )

    def _resources(self, ended: Ended, used: Used) -> dict[str, float]:
        """What its control groups counted; without them what the kernel kept of its processes one by one."""
        return {
            "wallSeconds": (datetime.now(UTC) - self._started).total_seconds(),
            "cpuSeconds": ended.cpu if used.cpu is None else used.cpu,
            "peakMemoryBytes": float(ended.memory if used.peak is None else used.peak),
        }


def job_message(what: Body | Command, places: Places) -> dict[str, object]:
    """What to run, as the first message of the worker says it."""
    known: dict[str, object] = {"places": {"work": places.work, "temporary": places.temporary}}
    match what:
        case Body():
            return known | {"module": what.module, "job": what.job} | ({"wheel": what.wheel} if what.wheel else {})
        case Command():
            return known | {"argv": what.argv, "env": dict(what.env)}
