"""Something on the worker's loopback for the boxed programs to reach."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casemate.sandbox.kernel import namespaces
from casemate.sandbox.kernel.calls import do

sys.path.insert(0, str(Path(__file__).parent))  # for boxed_programs, which also is a program of its own

PUBLIC = "203.0.113.7"
"""An address that all rules take for a public one."""
_SET_ADDRESS = 0x8916


@pytest.fixture
def server() -> Iterator[int]:
    """A port on the worker's loopback that says hello to everyone."""
    with saying_hello("127.0.0.1") as port:
        yield port


@pytest.fixture
def public_server(own_network: None) -> Iterator[int]:
    """The same at `PUBLIC`."""
    with saying_hello(PUBLIC) as port:
        yield port


@pytest.fixture
def own_network() -> Iterator[None]:
    """Let this thread, and all it starts, live in a network where the loopback has a public address too."""
    if os.getuid() != 0:
        pytest.skip("only root can make a network")
    with open("/proc/thread-self/ns/net") as before:
        do(namespaces.unshare(namespaces.NETWORK))
        try:
            do(*namespaces.raise_loopback())
            _add_to_loopback(PUBLIC)
            yield
        finally:
            do(namespaces.enter_network(before.fileno()))


def _add_to_loopback(address: str) -> None:
    """See netdevice(7): an alias of the interface with an address of its own."""
    request = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_ADDRESS, request)


@contextmanager
def saying_hello(address: str) -> Iterator[int]:
    with socket.create_server((address, 0), backlog=100) as listening:
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                peer, _ = listening.accept()
                with peer:
                    peer.sendall(b"hello")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        yield port
        stopping.set()
        socket.create_connection((address, port)).close()
        thread.join()
