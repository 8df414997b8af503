"""Doors before a PostgreSQL: one that speaks TLS for it, and one that pretends to be it and asks for the password.

The server of the tests was built without TLS. What the first door copies is the begin of a connection (PostgreSQL's
documentation, "Message Flow", SSL session encryption): the client asks with eight bytes, is answered `S`, and goes on
in TLS; behind the door everything is as it was.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_WANTS_TLS = struct.pack("!ii", 8, 80877103)
_TELL_PASSWORD = b"R" + struct.pack("!ii", 8, 3)


@contextlib.contextmanager
def tls_door(behind: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """The port of a door before another port of this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve(client: socket.socket) -> None:
        assert client.recv(8) == _WANTS_TLS
        client.sendall(b"S")
        with (
            context.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(("127.0.0.1", behind)) as server,
        ):
            back = threading.Thread(target=_pour, args=(server, inner), daemon=True)
            back.start()
            _pour(inner, server)
            back.join()

    with _listening(serve) as port:
        yield port


@contextlib.contextmanager
def curious_door() -> Iterator[tuple[int, bytearray]]:
    """The port of a server that wants the password in plain text, and everything that it was told."""
    heard = bytearray()

    def serve(client: socket.socket) -> None:
        heard.extend(client.recv(10_000))
        client.sendall(_TELL_PASSWORD)
        while said := client.recv(10_000):
            heard.extend(said)

    with _listening(serve) as port:
        yield port, heard


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_served, args=(client, serve), daemon=True).start()


def _served(client: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError), client:
        serve(client)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while said := source.recv(65536):
            sink.sendall(said)
        sink.shutdown(socket.SHUT_WR)
