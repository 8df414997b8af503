"""Tries to get out, in miniature: what the survey plants outside must be out of reach, what a task needs must be there.

Holes are output by the name of the wall that should have been there.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_NEW_USER_NAMESPACE = 0x1000_0000
_REFUSED = -1
_PRIVATE = ("/work", "/tmp")  # noqa: S108 - inside it is private


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """`secret` is a path outside, `port` one that listens on the host's loopback, `process` a process id there.

    `places` are the folders that are ours. `contained`: files outside may be seen, but not touched.
    """
    contained = bool(job.get("contained"))
    walls: dict[str, Iterator[str]] = {
        "files": _files(job["secret"], job.get("places", _PRIVATE), contained=contained),
        "processes": _processes(job["process"]),
        "network": _network(job["port"]),
        "ipc": _shared(contained=contained),
        "user": _user(),
        "privileges": _privileges(contained=contained),
        "system calls": _system_calls(),
        "rights": _rights(),
    }
    tell({"outputs": {name: " ".join(holes) for name, holes in walls.items()}})


def _files(secret: str, places: Iterable[str], *, contained: bool) -> Iterator[str]:
    if os.path.lexists(secret) and not contained:
        yield "A file of the host is visible."
    for how in (os.O_RDONLY, os.O_WRONLY):
        if _works(lambda how=how: os.close(os.open(secret, how))):  # type: ignore[misc]  # a default binds the loop's
            yield "A file of the host can be opened."
    for path in ("/casemate-canary", "/usr/casemate-canary", "/etc/casemate-canary"):
        if _works(lambda path=path: _write(path)):  # type: ignore[misc]  # a default binds the loop's value
            yield f"{path} can be written."
    for path in (f"{place}/canary" for place in places):
        if not _works(lambda path=path: _write(path)):  # type: ignore[misc]  # the same
            yield f"{path} cannot be written."


def _processes(process: int) -> Iterator[str]:
    if not _seen_processes() <= {str(os.getpid())}:
        yield "Other processes are visible."
    # in a container the worker may well be process 1, which in here is ourselves
    if process != os.getpid() and _works(lambda: os.kill(process, 0)):
        yield "A process of the host can be signalled."


def _network(port: int) -> Iterator[str]:
    if _works(lambda: socket.create_connection(("127.0.0.1", port), 1).close()):
        yield "The host's loopback can be reached."


def _seen_processes() -> set[str]:
    try:
        return {name for name in os.listdir("/proc") if name.isdigit()}
    except PermissionError:
        return set()


def _shared(*, contained: bool) -> Iterator[str]:
    """Whoever has namespaces of his own may have these; nobody else sees them."""
    if contained and ctypes.CDLL(None).shmget(0, 1, 0o600) != _REFUSED:
        yield "Memory can be shared with others."
    if contained and _works(lambda: socket.socket(socket.AF_UNIX).close()):
        yield "A socket of others can be reached."


def _user() -> Iterator[str]:
    if os.getuid() == 0 or os.geteuid() == 0:
        yield "The task is root."


def _privileges(*, contained: bool) -> Iterator[str]:
    status = _status()
    # An ordinary user cannot empty the bounding set; without new privileges nothing is ever taken from it.
    bounding = () if contained and status["NoNewPrivs"] == "1" else ("CapBnd",)
    if any(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", *bounding)):
        yield "There are capabilities left."
    if status["NoNewPrivs"] != "1":
        yield "A program may raise privileges."


def _system_calls() -> Iterator[str]:
    if _status()["Seccomp"] != "2":
        yield "There is no filter."
    if ctypes.CDLL(None).unshare(_NEW_USER_NAMESPACE) == 0:
        yield "A new user namespace can be made."


def _rights() -> Iterator[str]:
    if _works(lambda: _thread.start_new_thread(int, ())):
        yield "A thread can be started."
    if _works(_fork):
        yield "A process can be started."


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, RuntimeError):
        return False
    return True


def _write(path: str) -> None:
    with open(path, "w") as file:
        file.write("canary")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _status() -> dict[str, str]:
    with open("/proc/self/status") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
