"""The engines that a worker's tasks run in. Each is spoken to from its first task on, and by the worker alone.

What speaks HTTP is loaded then, too: most workers never need it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import structlog

from casemate.containers.errors import ContainerError
from casemate.containers.order import Order

if TYPE_CHECKING:
    from casemate.containers.contained import Contained
    from casemate.containers.engine import Engine

_MARK: Final = ".containers"
PATIENCE: Final = 150.0
"""Seconds in which the job of a container that may be resumed has to be granted again; well above any lease."""
EVERY: Final = 60.0

_LAST_RESORT: Final = "/dind/docker.sock"

Say = Callable[[str, str], None]
"""Writes an entry of this level into the task's log."""


def sockets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where engines have their sockets on a machine like this one; no task is ever shown one of them."""
    own = environ.get("DOCKER_HOST", "").removeprefix("unix://")
    run = environ.get("XDG_RUNTIME_DIR", "")
    users = (f"{run}/docker.sock", f"{run}/podman/podman.sock") if run else ()
    usual = ("/var/run/docker.sock", "/run/docker.sock", *users, "/run/podman/podman.sock", _LAST_RESORT)
    return (*((own,) if own.startswith("/") else ()), *usual)


def own_host(environ: Mapping[str, str], exists: Callable[[str], bool] = os.path.exists) -> str:
    """The worker's own engine: `DOCKER_HOST`, else the first socket that is there (spec/isolation 7.3)."""
    if named := environ.get("DOCKER_HOST"):
        return named
    return f"unix://{next(filter(exists, sockets(environ)), _LAST_RESORT)}"


log = structlog.get_logger(__name__)


class Engines:
    """`folder` is the worker's own and lasts: what containers are marked with is kept there, so that a later worker
    finds those of an earlier one. `delays` are seconds between the tries of a pull.
    """

    def __init__(self, folder: Path, own: str, delays: tuple[float, ...] | None = None) -> None:
        self.own: Final = own
        self.life: Final = str(uuid4())
        """Tells containers of this process from those of an earlier one."""
        self._mark = folder / _MARK
        self._delays = delays
        self._known: dict[str, Engine] = {}

    def home(self) -> str:
        """What the containers of this folder are marked with; made with the first of them."""
        # A worker that was killed while it wrote has left nothing, and no container either.
        if not (self._mark.exists() and self._mark.read_text()):
            self._mark.write_text(str(uuid4()))
        return self._mark.read_text()

    async def resumed(self, order: Order, say: Say) -> Contained | None:
        """The container that runs for this attempt already, if there is one. Raises `ContainerError`."""
        from casemate.containers import launching

        return await launching.resumed(await self._at(order), order, say)

    async def have_image(self, order: Order, say: Say) -> None:
        """Have the image fetched where it is missing. Raises `ContainerError`."""
        from casemate.containers import launching

        delays = launching.DELAYS if self._delays is None else self._delays
        await launching.have_image(await self._at(order), order, say, delays)

    async def start(self, order: Order, say: Say) -> Contained:
        """A new container at work. Nothing of it is left when this is cancelled. Raises `ContainerError`."""
        from casemate.containers import launching

        return await launching.start(await self._at(order), order, say)

    async def keep_clearing(self) -> None:
        """Remove what nobody watches any more, until cancelled."""
        await self.clear(resumable=False)
        await asyncio.sleep(PATIENCE)
        while True:
            await self.clear(resumable=True)
            await asyncio.sleep(EVERY)

    async def clear(self, *, resumable: bool) -> None:
        """Remove them once. Those that may be resumed go only when `resumable` says that their time is over.

        No engine is asked where there was no container so far; of others than the worker's own those that it has used.
        """
        from casemate.containers import orphans

        if not self._mark.exists():
            return
        for host in (self.own, *(known for known in tuple(self._known) if known != self.own)):
            try:
                engine = await self._engine(host)
            except ContainerError as error:
                log.warning("containers.not_cleared", reason=str(error))
                continue
            await orphans.clear(engine, self.home(), self.life, resumable=resumable)

    async def close(self) -> None:
        """Let go of all connections."""
        for engine in self._known.values():
            await engine.close()

    async def _at(self, order: Order) -> Engine:
        return await self._engine(order.options.host or self.own)

    async def _engine(self, host: str) -> Engine:
        if host not in self._known:
            made = await asyncio.to_thread(_engine_at, host)
            self._known.setdefault(host, made)
        return self._known[host]


def _engine_at(host: str) -> Engine:
    from casemate.containers.engine import Engine

    return Engine(host)
