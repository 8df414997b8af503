"""One launched sandbox as the worker sees it: what it says while it runs, how it ends, and how to end it early."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from casemate.sandbox.errors import ZygoteLost
from casemate.sandbox.lines import Lines
from casemate.sandbox.model import Body, Command, End, Event, Launch, Line, Told
from casemate.sandbox.report import Traffic, isolation
from casemate.sandbox.waiting import chunks
from casemate.sandbox.zygotes import Ended, Zygote

_AT_ONCE = timedelta()
_BATCHES_AHEAD = 16
"""How many pieces of output may wait for their reader before the sandbox itself has to wait."""
_MESSAGE_LIMIT = 16 << 20

Stream: TypeAlias = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The worker's hold on a sandbox that has reported its walls: where it listens and speaks, and who can kill it."""

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

    def close(self) -> None:
        """Stop listening. A command ends when it notices, a body when it is killed or done."""
        self.channel.close()
        os.close(self.stdout)
        os.close(self.stderr)


class Running:
    """A sandbox at work. Read `events()` to their end, then ask for `end()`; `kill()` may come at any time."""

    def __init__(self, launch: Launch, box: Box, tidy: AsyncExitStack) -> None:
        """`tidy` is closed when no process of the sandbox exists any more, before anyone hears of the end."""
        self._launch = launch
        self._box = box
        self.tidy = tidy
        self._started = datetime.now(UTC)
        self._batches: asyncio.Queue[tuple[Event, ...] | None] = asyncio.Queue(_BATCHES_AHEAD)
        self._all_read = False
        self._gone = asyncio.Event()
        self._killed: str | None = None
        self._limits_hit: list[str] = []
        self._output = 0
        self._exited: int | None = None
        self._life = asyncio.create_task(self._live(), name=f"sandbox {launch.name}")

    async def events(self) -> AsyncIterator[Event]:
        """What the sandbox says, until all its streams have ended; in order within each. Every event is given once."""
        while not self._all_read:
            batch = await self._batches.get()
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

    async def stop_for(self, limit: str, reason: str) -> None:
        """End it at once because it reached a limit, which its report will name. Does not wait for the end."""
        if limit not in self._limits_hit:
            self._limits_hit.append(limit)
            await self._condemn(reason)

    @property
    def work(self) -> Path:
        """The launch folder."""
        return self._launch.work

    async def tell(self, what: Body | Command) -> None:
        """Say what to run; called once, by the launch. A sandbox that has died meanwhile is heard of by its end."""
        await self._say(_job(what))

    async def answer(self, value: object) -> None:
        """The answer to what a body asked. TypeError or ValueError: it is not JSON."""
        await self._say({"answer": value})

    async def refuse(self, reason: str) -> None:
        """There is no answer to what a body asked."""
        await self._say({"refused": reason})

    async def _condemn(self, reason: str) -> None:
        self._killed = self._killed or reason
        with contextlib.suppress(ZygoteLost):  # then it is dead already
            await self._box.zygote.kill(self._box.id)

    async def _asked_to_end(self, grace: timedelta) -> None:
        await self._say({"terminate": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace.total_seconds()):
                await self._gone.wait()

    async def _say(self, message: Mapping[str, object]) -> None:
        line = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self._box.channel, line)

    async def _live(self) -> End:
        """From the walls to the end: whatever goes wrong on our side, the sandbox does not outlive it."""
        try:
            async with asyncio.TaskGroup() as streams:
                streams.create_task(self._read_output("stdout", self._box.stdout))
                streams.create_task(self._read_output("stderr", self._box.stderr))
                streams.create_task(self._read_messages())
                ended = await self._ended()
        finally:
            await self._clear_up()
        return self._end(ended)

    async def _clear_up(self) -> None:
        try:
            if not self._gone.is_set():
                await self._condemn("broken off")
            self._box.close()
            await self.tidy.aclose()
        finally:
            await self._batches.put(None)

    async def _ended(self) -> Ended:
        try:
            return await self._box.ended
        except ZygoteLost as error:
            self._killed = self._killed or str(error)
            return Ended(status=signal.SIGKILL)
        finally:
            self._gone.set()

    async def _read_output(self, stream: Stream, descriptor: int) -> None:
        lines = Lines(self._launch.policy.limits.line)
        async for chunk in chunks(descriptor):
            if await self._within_limit(chunk):
                await self._offer_lines(stream, lines.feed(chunk))
        await self._offer_lines(stream, lines.rest())

    async def _offer_lines(self, stream: Stream, lines: list[bytes]) -> None:
        now = datetime.now(UTC)
        await self._offer(tuple(Line(stream, line.decode(errors="replace"), now) for line in lines))

    async def _read_messages(self) -> None:
        lines = Lines(_MESSAGE_LIMIT)
        async for chunk in chunks(self._box.channel.fileno()):
            if await self._within_limit(chunk):
                for line in lines.feed(chunk):
                    await self._take_message(line)

    async def _take_message(self, line: bytes) -> None:
        """A body's code shares a process with whatever it was fed: nothing it says is believed to be well-formed."""
        message = _message(line)
        if message is None:
            await self._condemn("broken message")
        elif isinstance(self._launch.what, Body):
            await self._offer((Told(message, datetime.now(UTC)),))
        elif isinstance(status := message.get("exited"), int):
            self._exited = status

    async def _offer(self, events: tuple[Event, ...]) -> None:
        if events:
            await self._batches.put(events)

    async def _within_limit(self, chunk: bytes) -> bool:
        """Count output; the piece that passes the limit, and all after it, is dropped and the sandbox killed."""
        self._output += len(chunk)
        limit = self._launch.policy.limits.output
        if self._output <= limit:
            return True
        await self.stop_for("output", f"output limit of {limit} bytes exceeded")
        return False

    def _end(self, ended: Ended) -> End:
        status = ended.status if self._exited is None else self._exited
        code = os.waitstatus_to_exitcode(status)
        seconds = (datetime.now(UTC) - self._started).total_seconds()
        if -code == signal.SIGXFSZ:
            self._limits_hit.append("file size")
        return End(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            killed=self._killed,
            isolation=isolation(
                self._launch.policy,
                walls=self._box.walls,
                traffic=self._box.traffic,
                limits_hit=tuple(self._limits_hit),
                resources={"wallSeconds": seconds, "cpuSeconds": ended.cpu, "peakMemoryBytes": float(ended.memory)},
            ),
        )


def _job(what: Body | Command) -> dict[str, object]:
    match what:
        case Body():
            return {"module": what.module, "job": what.job}
        case Command():
            return {"argv": what.argv, "env": dict(what.env)}


def _message(line: bytes) -> dict[str, object] | None:
    """The JSON object in a line; None if it is anything else."""
    try:
        message = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
