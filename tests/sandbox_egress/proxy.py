"""An HTTP proxy on the loopback, as obliging as a test wants it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FINE = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"


@dataclass
class Behaviour:
    """What it answers, after which pauses; `leads_to` replaces hosts. And what it was asked for."""

    answer: tuple[bytes, ...] = (FINE,)
    leads_to: str = ""
    hangs_up: bool = False
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(request)
        for piece in self.answer:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if self.answer == (FINE,):
            await self._tunnel(request.split()[1], reader, writer)
        elif not self.hangs_up:
            await reader.read()
        writer.close()

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        there, back = await asyncio.open_connection(self.leads_to or host.strip("[]"), int(port))
        await asyncio.gather(_copied(there, writer), _copied(reader, back))


async def _copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(4096):
            sink.write(piece)
            await sink.drain()
    sink.close()


@contextmanager
def proxying(behaviour: Behaviour) -> Iterator[int]:
    """The port of such a proxy."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(behaviour.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
