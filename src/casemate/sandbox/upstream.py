"""An HTTP proxy before the worker's way out, and where it is just now."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket

from casemate.sandbox.model import Proxy

log = logging.getLogger(__name__)
_SECONDS = 60.0


class Upstream:
    """A proxy whose name is looked up again every minute; connections never wait for that."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._address = ""
        self._finding: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Look its name up, and every minute again until closed."""
        await self.find()
        self._finding = asyncio.create_task(self._keep_found(), name="egress proxy")

    def address(self) -> str:
        """A numeric address of the proxy. OSError: EHOSTUNREACH, its name led nowhere yet."""
        if not self._address:
            raise OSError(errno.EHOSTUNREACH, "the proxy's name does not resolve")
        return self._address

    async def find(self) -> None:
        """Look it up; what was found before stays when that fails."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self.proxy.host, self.proxy.port, type=socket.SOCK_STREAM)
        except OSError as error:
            log.warning("sandbox.proxy_not_found host=%s error=%s", self.proxy.host, error)
        else:
            self._address = str(found[0][4][0]).partition("%")[0]

    async def _keep_found(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            await self.find()

    def close(self) -> None:
        """Look no more."""
        if self._finding:
            self._finding.cancel()
