"""System calls through libc: one way to make them and one way for them to fail, `OSError` with the name of the call."""

from __future__ import annotations

import ctypes
import os
from typing import TypeAlias

from casemate.sandbox.kernel.machine import THIS

Argument: TypeAlias = int | str | bytes | None

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_NO_CALL = -1


def libc_call(name: str, *arguments: Argument) -> int:
    """Call a function of libc that returns -1 and sets errno when it fails."""
    return _checked(getattr(_libc, name)(*map(_passed, arguments)), name)


def system_call(name: str, *arguments: Argument | ctypes.Structure) -> int:
    """Call the kernel by the number that `name` has on this machine, see syscall(2).

    ENOSYS means that the kernel is older than the call, that a filter around this process hides it, or that this
    machine is not one we know.
    """
    return _checked(_libc.syscall(ctypes.c_long(THIS.numbers.get(name, _NO_CALL)), *map(_passed, arguments)), name)


def _passed(argument: Argument | ctypes.Structure) -> object:
    """What ctypes must be given: libc's variadic calls read every argument as a whole register."""
    match argument:
        case None:
            return ctypes.c_void_p(None)
        case int():
            return ctypes.c_ulong(argument)
        case str():
            return os.fsencode(argument)
        case ctypes.Structure():
            return ctypes.byref(argument)
        case bytes():
            return argument


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
