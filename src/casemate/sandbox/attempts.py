"""Connections that are to be made for a task: values, each with the descriptors that it holds."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TypeAlias

from casemate.sandbox.addresses import Inet
from casemate.sandbox.egress import Verdict
from casemate.sandbox.notification import Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """On a socket of ours, which then takes the place of the task's.

    `address` is where it connects, a proxy if there is a `request` to send to it first, and `to` where it leads.
    """

    stopped: Stopped
    socket: socket.socket
    address: bytes
    to: Inet
    verdict: Verdict
    host: str
    blocks: bool
    """Whether the task wants to wait for its calls on the socket."""
    request: bytes = b""

    def close(self) -> None:
        """Give back what it holds."""
        self.socket.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """On the task's own socket, which leads nowhere but to the task itself."""

    stopped: Stopped
    socket: socket.socket
    address: bytes
    waits: bool = True
    """Whether this could take time, should the task make its socket block while we use it."""
    place: int | None = None
    """A descriptor that `address` names, to be kept until the connection is made."""

    def close(self) -> None:
        """Give back what it holds; the task's own socket lives on in the task."""
        self.socket.close()
        if self.place is not None:
            os.close(self.place)


Attempt: TypeAlias = Outward | Inside
