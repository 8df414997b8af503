"""System calls through libc: one way to make them and one way for them to fail, `OSError` with the name of the call."""

from __future__ import annotations

import ctypes
import os
from typing import TypeAlias

from casemate.sandbox.kernel.machine import THIS

Argument: TypeAlias = int | str | bytes | None

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# All six are registers; None is nothing, or a null pointer. To say so once is quicker than with each call.
_libc.syscall.argtypes = (ctypes.c_long, *(ctypes.c_void_p,) * 6)
_NOTHING = (None,) * 6
_NO_CALL = -1


def libc_call(name: str, *arguments: Argument) -> int:
    """Call a function of libc that returns -1 and sets errno when it fails."""
    return _checked(getattr(_libc, name)(*map(_register, arguments)), name)


def system_call(name: str, *arguments: Argument | ctypes.Structure) -> int:
    """Call the kernel by the number that `name` has on this machine, see syscall(2).

    ENOSYS means that the kernel is older than the call, that a filter around this process hides it, or that this
    machine is not one we know.
    """
    number, passed = THIS.numbers.get(name, _NO_CALL), [_plain(argument) for argument in arguments]
    return _checked(_libc.syscall(number, *passed, *_NOTHING[len(passed) :]), name)


def _register(argument: Argument) -> object:
    """A number must be said to be as wide as a register: libc's variadic functions read all of it."""
    return ctypes.c_ulong(argument) if isinstance(argument, int) else _plain(argument)


def _plain(argument: Argument | ctypes.Structure) -> object:
    if isinstance(argument, str):
        return os.fsencode(argument)
    return ctypes.byref(argument) if isinstance(argument, ctypes.Structure) else argument


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
