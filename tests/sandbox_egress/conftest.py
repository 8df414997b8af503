"""Something on the worker's loopback for the boxed programs to reach."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for boxed_programs, which also is a program of its own


@pytest.fixture
def server() -> Iterator[int]:
    """A port on the worker's loopback that says hello to everyone."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
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
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
