"""Servers that only a task that got through can hear: to whoever comes they say the secret."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address

GOOD = "127.77.0.1"
"""The one host that the policy opens."""
METADATA = "169.254.169.254"
_ANSWERS = {"good": GOOD, "metadata": METADATA, "loopback": "127.0.0.1"}
_QUESTION = 12
"""Where the question begins in a message of RFC 1035."""
_ADDRESS_RECORD = 1


@contextlib.contextmanager
def saying(word: str, listening: socket.socket) -> Iterator[int]:
    """A server that answers every connection with `word`, as a web server would; its port."""

    def answer() -> None:
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(word)}\r\n\r\n"
        _each(listening, lambda peer: peer.sendall(f"{head}{word}".encode()))

    with _served(answer, listening):
        yield listening.getsockname()[1] if listening.family != socket.AF_UNIX else 0


@contextlib.contextmanager
def redirecting(to: str, listening: socket.socket) -> Iterator[int]:
    """A web server that sends everybody on to another address; its port."""

    def answer() -> None:
        _each(listening, lambda peer: peer.sendall(f"HTTP/1.0 302 Found\r\nLocation: {to}\r\n\r\n".encode()))

    with _served(answer, listening):
        yield listening.getsockname()[1]


@contextlib.contextmanager
def replying(word: str, datagrams: socket.socket) -> Iterator[int]:
    """A server that answers every datagram with `word`; its port."""

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                _, asker = datagrams.recvfrom(2048)
                if not asker:
                    return
                datagrams.sendto(word.encode(), asker)

    with _served(answer, datagrams):
        yield datagrams.getsockname()[1] if datagrams.family != socket.AF_UNIX else 0


@contextlib.contextmanager
def resolving(datagrams: socket.socket) -> Iterator[None]:
    """A name server that knows `good`, `metadata` and `loopback` in every domain."""

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                question, asker = datagrams.recvfrom(2048)
                if not asker:
                    return
                with contextlib.suppress(IndexError, ValueError):  # it is no question
                    datagrams.sendto(resolved(question), asker)

    with _served(answer, datagrams):
        yield


def resolved(question: bytes) -> bytes:
    """The answer to a question for an IPv4 address, RFC 1035; without one if the name is unknown or asked otherwise."""
    length = question[_QUESTION]
    name = question[_QUESTION + 1 : _QUESTION + 1 + length].decode(errors="replace").lower()
    end = question.index(b"\0", _QUESTION) + 5
    wanted = int.from_bytes(question[end - 4 : end - 2])
    known = _ANSWERS.get(name) if wanted == _ADDRESS_RECORD else None
    count = b"\0\1" if known else b"\0\0"
    head = question[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + question[_QUESTION:end]
    if known is None:
        return head
    return head + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + ip_address(known).packed


def _each(listening: socket.socket, speak: Callable[[socket.socket], None]) -> None:
    """Speak to one after the other, until the socket is closed."""
    while True:
        try:
            peer, _ = listening.accept()
        except OSError:
            return
        with peer, contextlib.suppress(OSError):
            peer.settimeout(1)
            speak(peer)
            peer.shutdown(socket.SHUT_WR)
            peer.recv(2048)


@contextlib.contextmanager
def _served(answer: Callable[[], None], served: socket.socket) -> Iterator[None]:
    threading.Thread(target=answer, name="red team server", daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            served.shutdown(socket.SHUT_RDWR)  # wakes whoever waits on it
        served.close()
