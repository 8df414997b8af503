"""System calls that wait for our answer: the filter that stops them and the listener that hears of them.

See seccomp_unotify(2). No call that is judged is ever answered with "continue": between our look and the kernel's, a
task could change the address in its memory or put another socket in the descriptor's place. Every such call is done by
us, on a file that we hold and with an address that we copied, or it fails. Only what is recorded (`recording`) goes on,
and bind(2) of what is no stream: streams are bound by us, because Landlock lets tasks bind none.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
from dataclasses import dataclass
from functools import cache

from casemate.sandbox.kernel import bpf, landlock
from casemate.sandbox.kernel.machine import THIS
from casemate.sandbox.kernel.seccomp import Rules

_ASK = 0x7FC0_0000
_FAST_OPEN = 0x2000_0000
"""MSG_FASTOPEN: a send that connects."""
_SENDS = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}
"""Each with the place of its flags."""
_SOCKET_LEVEL, _LINGER, _STEERING = 1, 13, (25, 62)
"""SO_LINGER; SO_BINDTODEVICE and SO_BINDTOIFINDEX."""
_IP_LEVEL, _OF_IP = 0, (4, 39, 42, 46)
"""IP_OPTIONS, IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_GROUP and its twin with a source."""
_IP6_LEVEL, _OF_IP6 = 41, (6, 27, 42, 46, 57)
"""IPV6_2292PKTOPTIONS, IPV6_JOIN_ANYCAST, the same two, and IPV6_RTHDR."""
_UNSEEN = ("io_uring_setup", "io_uring_enter", "io_uring_register")

_RECEIVE, _SEND, _IS_VALID, _ADD_DESCRIPTOR = 0xC050_2100, 0xC018_2101, 0x4008_2102, 0x4018_2103
_REPLACE = 1
_CONTINUE = 1
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")


def judged_calls() -> tuple[str, ...]:
    """The calls to judge: connect(2), and bind(2) where Landlock keeps tasks from it.

    It keeps them from TCP ports, so that nobody slips past us; before Linux 6.7 nobody judges bind(2).
    """
    return ("connect", "bind") if landlock.version() >= landlock.KNOWS_TCP else ("connect",)


@cache
def broker_rules(asked: tuple[str, ...]) -> Rules:
    """Those that hand these calls to a listener. They are the oldest of a filter: see `filter_of`.

    No other call can give a stream socket of ours a new peer: TCP fast open, the one send that connects, fails, and so
    does io_uring. Datagram sockets are never put into a task, and its own may send where they like: nobody is there.
    SO_LINGER is taken and does nothing: the last close(2) of such a socket waits, and may be ours. What would lead a
    connection by another way than the address that was judged, or our network into a group, fails.
    """
    unseen = dict.fromkeys(_UNSEEN, bpf.fail(errno.ENOSYS))
    sends = {name: _no_fast_open(flags) for name, flags in _SENDS.items()}
    return Rules(unseen | dict.fromkeys(asked, bpf.answer(_ASK)) | {"setsockopt": _no_steering()} | sends)


_DONE = 0


def _no_steering() -> bpf.Program:
    allowed = bpf.answer(bpf.ALLOW)

    def of(level: int, refused: tuple[int, ...], *others: bpf.Program) -> bpf.Program:
        tests = (bpf.if_equal(option, bpf.fail(errno.EPERM)) for option in refused)
        return bpf.joined(bpf.argument(1), bpf.if_equal(level, bpf.argument(2), *others, *tests, allowed))

    of_sockets = of(_SOCKET_LEVEL, _STEERING, bpf.if_equal(_LINGER, bpf.fail(_DONE)))
    return bpf.joined(of_sockets, of(_IP_LEVEL, _OF_IP), of(_IP6_LEVEL, _OF_IP6), allowed)


def _no_fast_open(flags: int) -> bpf.Program:
    fails = bpf.if_any_bit(_FAST_OPEN, bpf.fail(errno.EOPNOTSUPP))
    return bpf.joined(bpf.argument(flags), fails, bpf.answer(bpf.ALLOW))


@dataclass(frozen=True, slots=True)
class Stopped:
    """One stopped call: who calls, and if it is connect(2) or bind(2), on which descriptor, and where how many bytes of
    address are. `call` is its number, `arguments` are the registers as they are.
    """

    id: int
    thread: int
    descriptor: int
    address: int
    length: int
    call: int = THIS.numbers.get("connect", -1)
    arguments: tuple[int, ...] = ()

    @property
    def connects(self) -> bool:
        """Is it connect(2)?"""
        return self.call == THIS.numbers.get("connect")

    @property
    def binds(self) -> bool:
        """Is it bind(2)?"""
        return self.call == THIS.numbers.get("bind")


class Listener:
    """The worker's end of the filter. Owns its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def receive(self) -> Stopped | None:
        """The next stopped call. None: its caller died meanwhile. Call it when there is something to read.

        Until then a signal breaks the call off, as it does any other; from here on only a deadly one does (Linux 5.19).
        """
        message = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, message)
        except (FileNotFoundError, InterruptedError):
            return None
        identity, thread, _, call, _, _, *arguments = _NOTIFICATION.unpack(message)
        descriptor, address, length = arguments[:3]
        return Stopped(identity, thread, _as_int(descriptor), address, _as_int(length), call, tuple(arguments))

    def waits(self, stopped: Stopped) -> bool:
        """True while that very caller still waits, so that its thread id means it and nobody else."""
        try:
            fcntl.ioctl(self.descriptor, _IS_VALID, struct.pack("=Q", stopped.id))
        except FileNotFoundError:
            return False
        return True

    def answer(self, stopped: Stopped, error: int = 0) -> None:
        """Let the call return: 0, or fail with an errno. A caller that is gone needs no answer."""
        try:
            fcntl.ioctl(self.descriptor, _SEND, struct.pack("=QqiI", stopped.id, 0, -error, 0))
        except (FileNotFoundError, BrokenPipeError):
            return

    def go_on(self, stopped: Stopped) -> None:
        """Let the kernel do the call as if nobody had listened; never for one that is judged."""
        assert not stopped.connects
        try:
            fcntl.ioctl(self.descriptor, _SEND, struct.pack("=QqiI", stopped.id, 0, 0, _CONTINUE))
        except (FileNotFoundError, BrokenPipeError):
            return

    def replace(self, stopped: Stopped, ours: int, *, closes_on_exec: bool) -> bool:
        """Put a copy of our descriptor in the place of the caller's. False: the caller is gone."""
        flags = os.O_CLOEXEC if closes_on_exec else 0
        message = struct.pack("=QIIII", stopped.id, _REPLACE, ours, stopped.descriptor, flags)
        try:
            fcntl.ioctl(self.descriptor, _ADD_DESCRIPTOR, message)
        except (FileNotFoundError, BrokenPipeError):
            return False
        return True

    def close(self) -> None:
        """Hear no more. Whoever waits, and every later caller, gets ENOSYS."""
        os.close(self.descriptor)


def is_over(events: int) -> bool:
    """True when poll(2) says that no process is left behind the filter."""
    return bool(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL)) and not events & select.POLLIN


def _as_int(register: int) -> int:
    """The kernel reads the low half of the register as a signed number."""
    low = register & 0xFFFF_FFFF
    return low - (1 << 32) if low >> 31 else low
