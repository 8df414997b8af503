"""What a connection through the broker costs, beside bare ones of the same program in the same run.

    .venv/bin/python bench/egress.py

Alone, and while other sandboxes of the same worker connect as fast as they can, by number and by refused number.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

from boxes import SCRIPT, Boxes, milliseconds, opened
from curve import Line

from casemate.sandbox import Command, Launch, folders

COUNT = 500
ROUNDS = 5
FLOODING = 4

_CONNECTING = """
import socket, sys, time
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    print(time.perf_counter() - begun)
"""
_SERVING = """
import os, socket
s = socket.create_server(("127.0.0.1", 0), backlog=4096)
print(s.getsockname()[1], flush=True)
while True: os.close(s._accept()[0])
"""
_FLOOD = """
import socket, sys
while True:
    for address in ("127.0.0.1", "169.254.169.254"):
        s = socket.socket(); s.connect_ex((address, int(sys.argv[1]))); s.close()
"""


async def connections(boxes: Boxes) -> AsyncIterator[Line]:
    """Bare and brokered in turn, so that both meet the same mood of the machine; then brokered beside a flood."""
    with _server() as port:
        argv = (f"{sys.base_prefix}/bin/python3", "-c", _CONNECTING, str(port), str(COUNT))
        bare, brokered = [], []
        for _ in range(ROUNDS):
            bare += _numbers(await asyncio.to_thread(_said, argv))
            brokered += await _inside(boxes, argv)
        for name, seconds in (("connection, bare", bare), ("connection, broker", brokered)):
            for line in milliseconds(name, seconds):
                yield line
        async with _flood(boxes, port):
            beside = await _inside(boxes, argv)
        for line in milliseconds(f"connection, broker, beside {FLOODING} sandboxes that flood it", beside):
            yield line


async def _inside(boxes: Boxes, argv: tuple[str, ...]) -> list[float]:
    work = folders.make(boxes.folder, f"connections-{next(boxes.names)}")
    try:
        return _numbers(await boxes.said(Command(argv=argv, env={}), SCRIPT, work))
    finally:
        folders.remove(work)


@contextlib.asynccontextmanager
async def _flood(boxes: Boxes, port: int) -> AsyncIterator[None]:
    argv = (f"{sys.base_prefix}/bin/python3", "-c", _FLOOD, str(port))
    flooding = []
    for number in range(FLOODING):
        work = folders.make(boxes.folder, f"flood-{number}")
        launch = Launch(name=work.name, policy=SCRIPT, work=work, what=Command(argv=argv, env={}))
        flooding.append(await boxes.sandboxes.launch(launch))
    try:
        yield
    finally:
        for running in flooding:
            await running.kill("measured")
            await running.end()


def _said(argv: tuple[str, ...]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _numbers(text: str) -> list[float]:
    return [float(line) for line in text.split()]


@contextlib.contextmanager
def _server() -> Iterator[int]:
    """Accepts whoever comes and hangs up, in a process of its own so that it takes nothing from the worker."""
    process = subprocess.Popen([sys.executable, "-c", _SERVING], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


async def _printed() -> None:
    async with opened() as boxes:
        async for name, value, unit in connections(boxes):
            print(f"{name:60} {value:9.3f} {unit}")


if __name__ == "__main__":
    asyncio.run(_printed())
