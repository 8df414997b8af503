"""The first half of every Python payload: the bait by its names, system calls, and the words for how it went.

It is never imported: its text goes before the payload's own, into the script or the body that carries it out. Before
it come `BAIT` and `TELL`.
"""

# ruff: noqa: F821, ANN001, ANN002, ANN201, D103, F401
# mypy: ignore-errors
import contextlib
import ctypes
import errno
import hashlib
import json
import mmap
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

bait = SimpleNamespace(**BAIT)
libc = ctypes.CDLL(None, use_errno=True)
AMD64 = os.uname().machine == "x86_64"
_TOKEN = re.compile(rb"redteam-[0-9a-f]{32}")


class Through(BaseException):
    """No `except` of a payload stops it."""


def through(evidence="it worked"):
    raise Through(evidence)


def is_secret(content):
    content = content.encode() if isinstance(content, str) else bytes(content)
    return any(hashlib.sha256(found).hexdigest() == bait.digest for found in _TOKEN.findall(content))


def leaked(content, what="the secret was read"):
    if is_secret(content):
        through(what)


def read(path):
    with open(path, "rb") as file:
        return file.read(1 << 20)


def call(number, *arguments):
    """A system call by its numbers for x86-64 and arm64, or one number for both. OSError if it fails."""
    number = number[not AMD64] if isinstance(number, tuple) else number
    if number is None:
        raise OSError(errno.ENOSYS, "not on this machine")
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(ctypes.c_long(number), *given)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reached(number, *arguments):
    """Whether the kernel took a call up, and did not refuse it at the door."""
    try:
        call(number, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            raise
    through("the kernel took the call up")


def attempts(*ways):
    """Try each way; what one raises stops only that one. The last failure is told if none gets through."""
    failure = None
    for way in ways:
        try:
            way()
        except (OSError, ValueError, RuntimeError, MemoryError, subprocess.SubprocessError) as error:
            failure = error
    if failure:
        raise failure


def each(way, *values):
    """Try one way with each value."""
    attempts(*[lambda value=value: way(value) for value in values])


def worked(result):
    """Whether a call of libc did not fail. OSError if it did."""
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True


def own_mounts():
    """Into a mount namespace of one's own, whose mounts spread nowhere."""
    worked(libc.unshare(0x20000))
    worked(libc.mount(b"none", b"/", None, 0x44000, None))


def status(name):
    """A line of /proc/self/status."""
    with open("/proc/self/status") as file:
        return next(line.split(":", 1)[1].strip() for line in file if line.startswith(name + ":"))


def in_child(work):
    """Run it in a forked child, which gets through if it exits with 42."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
        except Through:
            code = 42
        except BaseException:
            code = 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 42:
        through()
    return status


def heard(host, port, family=socket.AF_INET, seconds=2):
    """Connect; the servers that must not be reached say the secret to whoever does."""
    with socket.socket(family, socket.SOCK_STREAM) as asking:
        asking.settimeout(seconds)
        asking.connect((host, port))
        leaked(asking.recv(100), f"{host} port {port} answered")


def shown(name):
    """Bait that not every machine allows to be laid out."""
    place = getattr(bait, name)
    if not place:
        raise OSError("there is no such bait on this machine")
    return place


def carry_out(attack):
    try:
        attack()
    except Through as got:
        TELL({"outputs": {"through": str(got)}})
    except (NameError, AttributeError, TypeError, LookupError, ImportError) as error:
        TELL(
            {"outputs": {"broken": f"{type(error).__name__}: {error}"[:300]}}
        )  # the payload's own fault: nothing is known
    except BaseException as error:
        TELL({"outputs": {"blocked": f"{type(error).__name__}: {error}"[:300]}})
    else:
        TELL({"outputs": {"blocked": "nothing was found"}})
