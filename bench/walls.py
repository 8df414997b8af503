"""What the walls cost: tasks in sandboxes against bare processes, in one run.

Every latency is measured twice, with tasks begun 20 ms after each other and back to back, and has two ends: the first
word of the task, and the moment when nothing of it is left.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from boxes import HERE, NOTHING, PACE, SCRIPT, Boxes, milliseconds, opened
from curve import Line
from egress import connections
from floor import floors
from slowdown import compared
from starts import starts

from casemate.sandbox import Body, Command, Policy

TASKS = 200
RUSH = 800
CROWD = 8

PLUGINS = {"plugin, no network": Policy(), "plugin, own network": Policy(egress=HERE)}
"""What may start neither threads nor processes: without sockets, and with a network namespace and a broker."""
TRUE = (Command(argv=("/bin/true",), env={}), SCRIPT)


def walls() -> Iterable[Line | str]:
    """Everything, in one set of sandboxes."""
    return asyncio.run(_found())


async def _found() -> list[Line | str]:
    async with opened() as boxes:
        parts = (_plugins, _rates, _floors, starts, connections, _memory, compared)
        return [line for part in parts async for line in part(boxes)]


async def _plugins(boxes: Boxes) -> AsyncIterator[Line]:
    """A plugin task with nothing to do, and one that talks to a server that it may reach."""
    for name, policy in PLUGINS.items():
        for pace, rhythm in ((PACE, "50/s"), (0.0, "back to back")):
            spells = await boxes.in_turn(NOTHING, policy, TASKS, pace)
            for line in milliseconds(f"{name}, {rhythm}: answer", (each.answer for each in spells)):
                yield line
            for line in milliseconds(f"{name}, {rhythm}: gone", (each.gone for each in spells)):
                yield line
    with _server() as port:
        request = Body(module="casemate.inside.core_http_request", job=_get(port))
        spells = await boxes.in_turn(request, Policy(egress=HERE), TASKS // 2, PACE)
        for line in milliseconds("plugin that makes a request: gone", (each.gone for each in spells)):
            yield line


async def _rates(boxes: Boxes) -> AsyncIterator[Line]:
    for name, policy in PLUGINS.items():
        for at_once in (1, CROWD):
            yield f"{name}, {at_once} at once", await boxes.rate(NOTHING, policy, RUSH, at_once), "/s"


async def _floors(_: Boxes) -> AsyncIterator[Line]:
    """In a thread of their own, so that what waits for a sandbox ends meanwhile as it always does."""
    for line in await asyncio.to_thread(list, floors()):
        yield line


async def _memory(boxes: Boxes) -> AsyncIterator[Line]:
    """What a sandbox weighs that waits for its job: some are there after a crowd of tasks has gone."""
    for name, (what, policy) in {
        **{name: (NOTHING, policy) for name, policy in PLUGINS.items()},
        "script": TRUE,
    }.items():
        await boxes.rate(what, policy, 4 * CROWD, CROWD)
        await asyncio.sleep(0.5)
        shares = list(_waiting())
        if shares:
            yield f"{name}, waiting: PSS of one of {len(shares)}", statistics.mean(shares) / 2**20, "MiB"


def _waiting() -> Iterator[int]:
    """Bytes of each process below a zygote, which is a child of ours."""
    for child in _children(os.getpid()):
        for process in _children(child):
            with suppress(OSError):
                lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
                yield next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def _children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _get(port: int) -> dict[str, object]:
    return {"properties": {"uri": f"http://127.0.0.1:{port}/"}}


@contextmanager
def _server() -> Iterator[int]:
    """A port that says to everyone, in HTTP, that there is nothing to say."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            peer, _ = listening.accept()
        except OSError:  # closed: the measure is over
            return
        with peer, suppress(OSError):
            peer.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
