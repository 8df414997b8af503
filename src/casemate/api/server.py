"""Serving the application inside our own event loop, on an address that is not more open than its protection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from casemate.api.connections import connection
from casemate.api.deps import Deps
from casemate.api.errors import AddressTaken, Unprotected
from casemate.api.guards import is_loopback
from casemate.api.limits import Limits

PATIENCE = 3
"""Seconds that answers under way have when the server stops; event streams would never end by themselves."""


async def serve(app: Starlette, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves until cancelled; `ready` is called with the address once it answers. Port 0 takes any free one.

    Raises `Unprotected` for an address that other machines can reach when no credentials are asked for, and
    `AddressTaken`.
    """
    deps: Deps = app.state.deps
    # A server without credentials runs tenants' code for whoever can reach it.
    if deps.basic_auth is None and not is_loopback(host):
        raise Unprotected(
            f"refusing to listen on {host} without credentials: set kestra.server.basic-auth.username and .password, "
            "or listen on 127.0.0.1"
        )
    listener = _outlived(_listener(host, port), deps.limits)
    server = _Server(_config(app, deps.limits), lambda: ready(_address(listener)))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def _config(app: Starlette, limits: Limits) -> uvicorn.Config:
    # The access log would print the keys of webhooks; `Told` logs every request by its operation.
    return uvicorn.Config(
        app,
        http=connection(limits),
        ws="none",
        access_log=False,
        log_config=None,
        lifespan="off",
        server_header=False,
        # Anybody can write the header that names another address, and guess in the name of ever new ones.
        proxy_headers=False,
        timeout_graceful_shutdown=PATIENCE,
        h11_max_incomplete_event_size=64 * 1024,
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which belongs to whoever owns the event loop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, and says so."""
        await super().startup(sockets)
        self._ready()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    except OSError as error:
        raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener


def _outlived(listener: socket.socket, limits: Limits) -> socket.socket:
    """The kernel gives up connections whose other end is gone without a word; they take this from their listener."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, int(limits.patience)))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.patience * 1000))
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
