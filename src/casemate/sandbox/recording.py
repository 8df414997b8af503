"""What a task touches while it is learned from: paths, programs, threads, processes, as it asks the kernel for them.

This is no wall. Every call heard of here goes on as if nobody had listened, behind all the other walls; the kernel
looks at the path a second time, and a task that changes it in between leaves a wrong record and gains nothing. It
shares the one listener that a process can have with the broker, which answers connect(2) and lets none of those go on.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from casemate.sandbox.caller import text_at
from casemate.sandbox.kernel.machine import THIS
from casemate.sandbox.notification import Stopped

MOST: Final = 10_000
"""So many paths of one sandbox are kept."""
_CLONE_THREAD: Final = 0x0001_0000
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_HERE: Final = -100


@dataclass(frozen=True, slots=True)
class _Call:
    """Where in its arguments a call has its path, the folder that this starts from, and flags as of open(2)."""

    path: int
    folder: int | None = None
    flags: int | None = None
    runs: bool = False
    """Does it make a program of what is there?"""


_CALLS: Final[Mapping[str, _Call]] = {
    "open": _Call(0, flags=1),
    "openat": _Call(1, 0, 2),
    "openat2": _Call(1, 0),
    "execve": _Call(0, runs=True),
    "execveat": _Call(1, 0, runs=True),
    "stat": _Call(0),
    "lstat": _Call(0),
    "newfstatat": _Call(1, 0),
    "statx": _Call(1, 0),
    "statfs": _Call(0),
    "access": _Call(0),
    "faccessat": _Call(1, 0),
    "faccessat2": _Call(1, 0),
    "readlink": _Call(0),
    "readlinkat": _Call(1, 0),
    "chdir": _Call(0),
}
_PATHS: Final = {THIS.numbers[name]: call for name, call in _CALLS.items() if name in THIS.numbers}
_STARTS: Final = ("clone", "fork", "vfork")


def recorded_calls() -> tuple[str, ...]:
    """The calls to listen to; a machine may not have all of them."""
    return (*_CALLS, *_STARTS)


class Touched:
    """What one sandbox touched of `shown`, paths of the host, without what lies in `covered` or in every sandbox."""

    def __init__(self, shown: tuple[str, ...], covered: tuple[str, ...], *, command: bool) -> None:
        """`command`: the first who calls is process 1, which starts the command and is not the task."""
        self._shown = shown
        self._covered = covered
        self._ours: int | None = None
        self._skip_first = command
        self._used: dict[str, None] = {}
        self._listed: dict[str, None] = {}
        self._written: dict[str, None] = {}
        self._threads = False
        self._processes = False

    def note(self, stopped: Stopped) -> None:
        """Take down one call. What cannot be read is left out."""
        if self._skip_first and self._ours is None:
            self._ours = stopped.thread
        if stopped.thread == self._ours:
            return
        call = _PATHS.get(stopped.call)
        if call is None:
            self._note_start(stopped)
            return
        try:
            path = _path(stopped, call)
        except (OSError, ValueError):
            return
        if path is not None and self._is_of_interest(path):
            self._note_path(path, _flags(stopped, call))
            if call.runs and (interpreter := _interpreter(path)) and self._is_of_interest(interpreter):
                _keep(self._used, interpreter)

    def report(self) -> Mapping[str, object]:
        """As JSON values: paths that were used, folders that were listed, paths that were to be written, and rights;
        `complete` is false if there were more paths than are kept.
        """
        return {
            "paths": sorted(self._used),
            "folders": sorted(self._listed),
            "written": sorted(self._written),
            "threads": self._threads,
            "processes": self._processes,
            "complete": max(map(len, (self._used, self._listed, self._written))) < MOST,
        }

    def _note_start(self, stopped: Stopped) -> None:
        is_thread = stopped.call == THIS.numbers.get("clone") and stopped.arguments[0] & _CLONE_THREAD
        self._threads |= bool(is_thread)
        self._processes |= not is_thread

    def _is_of_interest(self, path: str) -> bool:
        return any(_beneath(path, place) for place in self._shown) and not any(
            _beneath(path, place) for place in self._covered
        )

    def _note_path(self, path: str, flags: int) -> None:
        if flags & _WRITING:
            _keep(self._written, path)
        elif flags & os.O_DIRECTORY and os.path.isdir(path):
            _keep(self._listed, path)
        elif os.path.lexists(path):
            _keep(self._used, path)


def _keep(kept: dict[str, None], path: str) -> None:
    if len(kept) < MOST:
        kept[path] = None


def _path(stopped: Stopped, call: _Call) -> str | None:
    """The path that a call names, as seen from inside; None if it names an open file only."""
    given = os.fsdecode(text_at(stopped, stopped.arguments[call.path]))
    if not given:
        return None
    if not given.startswith("/"):
        given = posixpath.join(_start(stopped, call), given)
    return posixpath.normpath(given)


def _start(stopped: Stopped, call: _Call) -> str:
    folder = _HERE if call.folder is None else _as_int(stopped.arguments[call.folder])
    place = "cwd" if folder == _HERE else f"fd/{folder}"
    found = os.readlink(f"/proc/{stopped.thread}/{place}")
    if not found.startswith("/"):
        raise OSError(errno.ENOTDIR, "not a folder")
    return found


def _interpreter(path: str) -> str:
    """What the kernel runs for a script: it opens that by itself, without a call that could be heard of."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        first = os.read(file, 256).partition(b"\n")[0] if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)
    words = first[2:].split() if first.startswith(b"#!") else []
    return posixpath.normpath(os.fsdecode(words[0])) if words else ""


def _flags(stopped: Stopped, call: _Call) -> int:
    return 0 if call.flags is None else stopped.arguments[call.flags] & 0xFFFF_FFFF


def _as_int(register: int) -> int:
    low = register & 0xFFFF_FFFF
    return low - (1 << 32) if low >> 31 else low


def _beneath(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
