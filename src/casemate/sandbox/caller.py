"""What the broker may know of a task that waits for it: the bytes of an address, a socket, who it is, where it stands.

Reading needs the right to trace the task: root has it, and so has the user whose user namespace the task lives in, as
long as the task is dumpable or executed its program inside that namespace.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

from casemate.sandbox.kernel.calls import system_call
from casemate.sandbox.notification import Stopped

LONGEST_ADDRESS = 128
"""struct sockaddr_storage."""
_SO_NETNS_COOKIE = 71
_LONGEST_PATH = 4096
"""PATH_MAX."""
_AT_ROOT = 0x10
_NO_MAGIC_LINKS = 0x02
_CLOSES_ON_EXEC = 0o2000000
_ENOUGH = 256
"""The flags are in the second line."""


def address_bytes(stopped: Stopped) -> bytes:
    """The address, copied once. OSError: EINVAL or EFAULT as the kernel would say; EACCES: it is not ours to read."""
    if not 0 <= stopped.length <= LONGEST_ADDRESS:
        raise OSError(errno.EINVAL, "length of address")
    memory = os.open(f"/proc/{stopped.thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        raw = os.pread(memory, stopped.length, stopped.address)
    except (OSError, OverflowError) as error:
        raise OSError(errno.EFAULT, "address") from error
    finally:
        os.close(memory)
    if len(raw) != stopped.length:
        raise OSError(errno.EFAULT, "address")
    return raw


def text_at(stopped: Stopped, address: int) -> bytes:
    """The text at a place of the caller's memory, up to its end. OSError: it cannot be read; ValueError: too long."""
    memory = os.open(f"/proc/{stopped.thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        raw = os.pread(memory, _LONGEST_PATH, address)
    except OverflowError as error:
        raise OSError(errno.EFAULT, "path") from error
    finally:
        os.close(memory)
    return raw[: raw.index(b"\0")]


def taken_socket(stopped: Stopped) -> socket.socket:
    """The caller's socket itself, shared with it. OSError: EBADF, ENOTSOCK as the kernel would say."""
    process = _process(stopped.thread)
    try:
        descriptor = system_call("pidfd_getfd", process, stopped.descriptor & 0xFFFF_FFFF, 0)
    finally:
        os.close(process)
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _process(thread: int) -> int:
    """A descriptor of the thread's process: only the first thread of one can be opened by its own id."""
    try:
        return os.pidfd_open(thread)
    except OSError:
        return os.pidfd_open(int(_status(thread)["Tgid"]))


def _status(thread: int) -> dict[str, str]:
    with open(f"/proc/{thread}/status") as file:
        return dict(line.rstrip("\n").split(":", 1) for line in file)


def network_of(a_socket: socket.socket) -> int:
    """A number for the network namespace of a socket (Linux 5.14)."""
    cookie: int = struct.unpack("=Q", a_socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8))[0]
    return cookie


def closes_on_exec(stopped: Stopped) -> bool:
    """True if the caller's descriptor goes away when it executes a program."""
    file = os.open(f"/proc/{stopped.thread}/fdinfo/{stopped.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        words = os.read(file, _ENOUGH).split()
    finally:
        os.close(file)
    return bool(int(words[words.index(b"flags:") + 1], 8) & _CLOSES_ON_EXEC)


def user_of(stopped: Stopped) -> int:
    """The user with whose rights the caller opens files, as we know it."""
    return int(_status(stopped.thread)["Uid"].split()[3])


def found_socket(stopped: Stopped, path: bytes) -> int:
    """A place holder of the file that the caller means by a path. It cannot lead out of the caller's root."""
    start = "root" if path.startswith(b"/") else "cwd"
    folder = os.open(f"/proc/{stopped.thread}/{start}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        how = struct.pack("=QQQ", os.O_PATH | os.O_CLOEXEC, 0, _AT_ROOT | _NO_MAGIC_LINKS)
        return system_call("openat2", folder, path, how, len(how))
    finally:
        os.close(folder)
