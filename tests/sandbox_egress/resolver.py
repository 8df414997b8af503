"""A name server of these tests, on the worker's loopback: a few names, over datagrams and streams."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

ADDRESS = "127.77.0.1"
LARGE = "large.example"
"""A name whose answer does not fit into a datagram."""


@dataclass
class Zone:
    """Names with their addresses, or `>` and the name they stand for; and every question that came.

    After `|` stands what is answered to the next question for the name.
    """

    names: Mapping[str, str]
    messages: list[bytes] = field(default_factory=list)
    wrong_first: bool = False
    seconds: int = 60

    @property
    def asked(self) -> list[str]:
        """The names of all questions."""
        return [name_in(message) for message in self.messages]


def wire(name: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".") if label) + b"\0"


def query(name: str, *, number: int = 7, kind: int = 1) -> bytes:
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + wire(name) + struct.pack(">HH", kind, 1)


def name_in(message: bytes, at: int = 12) -> str:
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += message[at] + 1
    return ".".join(labels).lower()


def answered(zone: Zone, message: bytes, *, streamed: bool) -> bytes:
    """The answer of a zone to a query."""
    name = name_in(message)
    zone.messages.append(message)
    end = 12 + len(wire(name)) + 4
    asked, kind = message[12:end], struct.unpack_from(">H", message, end - 4)[0]
    records = list(records_of(zone, name, kind))
    if name == LARGE and not streamed:
        return message[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + asked
    code = 0 if name in zone.names else 3
    return message[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + asked + b"".join(records)


def records_of(zone: Zone, name: str, kind: int) -> Iterator[bytes]:
    values = zone.names.get(name, "").split("|")
    value = values[min(len(values), zone.asked.count(name)) - 1]
    if value.startswith(">"):
        yield record(name, 5, wire(value[1:]), zone.seconds)
        yield from records_of(zone, value[1:], kind)
        return
    for text in value.split():
        address = ip_address(text)
        if (kind, address.version) in ((1, 4), (28, 6)):
            yield record(name, kind, address.packed, zone.seconds)


def record(name: str, kind: int, content: bytes, seconds: int) -> bytes:
    return wire(name) + struct.pack(">HHIH", kind, 1, seconds, len(content)) + content


@contextmanager
def serving(zone: Zone) -> Iterator[Zone]:
    """That zone at `ADDRESS`. Only root may have its port."""
    datagrams, streams = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
    with datagrams, streams:
        for each in (datagrams, streams):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                each.bind((ADDRESS, 53))
            except OSError as error:
                pytest.skip(f"port 53 of {ADDRESS} is not to be had: {error}")
        streams.listen()
        threads = [
            threading.Thread(target=_by_datagrams, args=(zone, datagrams), daemon=True),
            threading.Thread(target=_by_streams, args=(zone, streams), daemon=True),
        ]
        for thread in threads:
            thread.start()
        yield zone
        streams.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            datagrams.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _by_datagrams(zone: Zone, datagrams: socket.socket) -> None:
    while True:
        message, asker = datagrams.recvfrom(4096)
        if not message:
            return
        if zone.wrong_first:
            datagrams.sendto(b"xx unasked", asker)
            datagrams.sendto(answered(zone, bytes(2) + message[2:], streamed=False), asker)
        datagrams.sendto(answered(zone, message, streamed=False), asker)


def _by_streams(zone: Zone, streams: socket.socket) -> None:
    while True:
        try:
            peer, _ = streams.accept()
        except OSError:
            return
        with peer, peer.makefile("rwb") as file:
            while length := file.read(2):
                answer = answered(zone, file.read(int.from_bytes(length)), streamed=True)
                file.write(len(answer).to_bytes(2) + answer)
                file.flush()
