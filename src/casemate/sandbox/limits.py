"""What limits are called, and what is said when one of them ends a sandbox."""

from __future__ import annotations

import signal

from casemate.sandbox.cells import Used
from casemate.sandbox.model import Limits

_SIZES = frozenset(("memory", "file_size", "disk", "temporary", "output", "line"))
_BY_SHELLS = 128
"""Shells exit with this and the number of the signal that ended their last command."""
_CALLED = {"processes": "process", "inodes": "inode", "temporary_inodes": "temporary inode", "open_files": "open file"}
_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def named(name: str) -> str:
    """A field of `Limits` in words, as reports name it."""
    return name.replace("_", " ")


def words(name: str, limits: Limits) -> str:
    """A limit with its amount, e.g. `memory limit 512 MiB`; what a sandbox that it has ended is said to have met."""
    amount = getattr(limits, name)
    called = _CALLED.get(name, named(name))
    if name in _SIZES:
        return f"{called} limit {size(amount)}"
    return f"{called} limit {amount:g} s" if name == "duration" else f"{called} limit {amount}"


def met_in_words(name: str, limits: Limits, used: Used) -> str:
    """The same, with what the kernel did about it where that is not the end of the sandbox."""
    ended = f": the kernel ended {used.killed} of its processes" if name == "memory" and used.killed else ""
    return words(name, limits) + ended


def ended_by(code: int, used: Used, limits: Limits) -> str | None:
    """Which limit the kernel ended a sandbox for; `code` is negative for a signal. None: it was not for a limit."""
    number = -code if code < 0 else code - _BY_SHELLS
    if number == signal.SIGKILL and used.killed:
        return "memory"
    if number == signal.SIGXFSZ:
        return "disk" if limits.disk is not None and limits.disk < limits.file_size else "file_size"
    return None


def met(used: Used) -> tuple[str, ...]:
    """Limits that some process in a sandbox met, whether or not it ended for that."""
    return (*(("memory",) if used.killed else ()), *(("processes",) if used.refused else ()))


def size(amount: int) -> str:
    """A number of bytes with the largest unit that it is a whole multiple of."""
    for unit, many in _UNITS:
        if amount >= many and amount % many == 0:
            return f"{amount // many} {unit}"
    return f"{amount} bytes"


def amounts(limits: Limits) -> dict[str, float | None]:
    """What the kernel is told of them. No file is larger than all files together may be."""
    largest = limits.file_size if limits.disk is None else min(limits.file_size, limits.disk)
    return {
        "memory": limits.memory,
        "processes": limits.processes,
        "cpu": limits.cpu,
        "open_files": limits.open_files,
        "file_size": largest,
    }
