"""The worker's end of a zygote: starting one, ordering sandboxes from it, hearing of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.sandbox.errors import ZygoteLost
from casemate.sandbox.model import Level
from casemate.sandbox.orders import MESSAGE_LIMIT, Order, Template, encoded, ordered
from casemate.sandbox.waiting import readable, writable

FIRST_CODE = Path(__file__).parent / "zygote" / "start.py"
_LAST_WORDS = 2000
_PATIENCE = 30


class RootRefused(Exception):
    """The kernel did not let a zygote build its private root; `errno` is its number for why."""

    def __init__(self, text: str, errno: int) -> None:
        super().__init__(text)
        self.errno = errno


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How process 1 of a sandbox ended: a status as of wait(2), and what its processes used.

    `refused` says why it never lived, if it did not.
    """

    status: int = 0
    cpu: float = 0.0
    memory: int = 0
    refused: str = ""


class Zygote:
    """One zygote process. When its socket is closed, or this process dies, it goes and takes its sandboxes along."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, level: Level) -> None:
        self.level = level
        self._process = process
        self._control = control
        self._ends: dict[int, asyncio.Future[Ended]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._mounts: _Mounts | None = None
        self.lost = False
        self.asked = 0.0
        """When it was last wanted, on the event loop's clock."""

    @property
    def uncovered(self) -> bool:
        """Whether a mount of its root may be gone: the kernel takes it away with the file that it lies over.

        Another link to that file may be put there next, and nothing but this tells it from the one that was covered.
        """
        return self._mounts is not None and self._mounts.have_changed()

    @property
    def idle(self) -> bool:
        """Whether no sandbox of it lives."""
        return not self._ends

    @classmethod
    async def start(cls, template: Template) -> Zygote:
        """Start a zygote and wait for its private root.

        RootRefused: the kernel forbids it; ZygoteLost: it did not start; TimeoutError: it is stuck.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            zygote = cls(_executed(theirs), ours, Level.CONTAINER if template.contained else Level.FULL)
        ours.setblocking(False)
        try:
            await zygote._send(encoded(template))
            async with asyncio.timeout(_PATIENCE):
                await zygote._ready()
        except BaseException:
            await zygote.close()
            raise
        if zygote.level is Level.FULL:  # else its mounts are those of the machine
            with contextlib.suppress(OSError):  # it has ended, or procfs hides it from us (hidepid)
                zygote._mounts = _Mounts(zygote._process.pid)
        zygote._listening = asyncio.create_task(zygote._listen(), name="zygote notices")
        return zygote

    async def order(self, order: Order, channel: int, stdout: int, stderr: int, *doors: int) -> asyncio.Future[Ended]:
        """Have one sandbox started on these descriptors, of which it gets copies; the future tells its end.

        `doors` lead into the control groups that it enters.
        """
        ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._ends[order.id] = ended
        try:
            await self._send(ordered(order), channel, stdout, stderr, *doors)
        except BaseException:
            del self._ends[order.id]
            raise
        return ended

    async def kill(self, order: int) -> None:
        """Kill a sandbox at once, all of it. One that has ended, or has died with its zygote, needs no killing."""
        if order in self._ends:
            await self._send(json.dumps({"kill": order}).encode())

    async def close(self) -> None:
        """End the zygote and all its sandboxes; afterwards none of their processes exists."""
        with contextlib.suppress(OSError):  # it has ended by itself already
            self._control.shutdown(socket.SHUT_RDWR)
        if self._listening is not None:
            await self._listening
        await self._buried()

    async def _ready(self) -> None:
        answer = await self._notice()
        if answer is None:
            raise ZygoteLost("The process that starts sandboxes could not start: " + await self._buried())
        if "refused" in answer:
            raise RootRefused(str(answer["refused"]), int(answer["errno"]))

    async def _listen(self) -> None:
        """Pass notices on until the zygote is gone, then fail whatever still waits for one."""
        while (notice := await self._notice()) is not None:
            ended = self._ends.pop(notice.pop("ended"))
            if not ended.done():
                ended.set_result(Ended(**notice))
        self.lost = True
        for ended in self._ends.values():
            if not ended.done():
                ended.set_exception(ZygoteLost())
        self._ends.clear()

    async def _notice(self) -> dict[str, Any] | None:
        while True:
            try:
                message = self._control.recv(MESSAGE_LIMIT)
            except BlockingIOError:
                await readable(self._control.fileno())
                continue
            except ConnectionError:
                return None
            return json.loads(message) if message else None

    async def _send(self, message: bytes, *descriptors: int) -> None:
        while True:
            try:
                socket.send_fds(self._control, [message], descriptors)
            except BlockingIOError:
                await writable(self._control.fileno())
                continue
            except OSError as error:
                raise ZygoteLost from error
            return

    async def _buried(self) -> str:
        """Wait for the process to be gone; what it said on standard error, if it crashed."""
        self._control.close()
        if self._mounts is not None:
            self._mounts.close()
        errors = await asyncio.to_thread(self._ended)
        return errors.decode(errors="replace")[-_LAST_WORDS:]

    def _ended(self) -> bytes:
        """Wait for the process, which goes by itself when its socket is closed; one that is stuck is killed."""
        try:
            _, errors = self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, errors = self._process.communicate()
        return errors


class _Mounts:
    """Those that a process sees, see proc_pid_mountinfo(5): it can be asked whether they are others than at first."""

    def __init__(self, process: int) -> None:
        """OSError: there is no such process that we may see."""
        self._file = open(f"/proc/{process}/mountinfo", "rb", buffering=0)  # noqa: SIM115 - `close` closes it
        self._poller = select.poll()
        self._poller.register(self._file, select.POLLPRI)
        self._changed = False

    def have_changed(self) -> bool:
        """Whether any has come or gone since; the kernel says so once."""
        self._changed = self._changed or bool(self._poller.poll(0))
        return self._changed

    def close(self) -> None:
        """To be asked no more."""
        self._file.close()


def _executed(control: socket.socket) -> subprocess.Popen[bytes]:
    """A clean interpreter: nothing in its environment, no descriptor but the socket, deaf to the terminal's Ctrl-C.

    It is started by this thread and dies with it, so this must be the one that runs the event loop.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", str(FIRST_CODE), str(control.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd="/",
        env={},
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )
