"""System calls: what is to be asked of the kernel as a value, and one way to ask, which fails as `OSError` with a name.

The other pages of this folder say *which* calls make a wall; `do` makes them. A process that is forked for each launch
makes calls that were `ready` before it was born: the less it touches of the memory it was born with, the less of it is
copied.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from casemate.sandbox.kernel.machine import THIS

CURRENT_FOLDER = -100
"""AT_FDCWD, see openat(2)."""

_libc = ctypes.CDLL(None, use_errno=True)
_MOST_ARGUMENTS = 6
_NO_CALL = -1
_Function: TypeAlias = Callable[..., int]


def _function_of(arguments: int) -> _Function:
    """syscall(2) of so many arguments. All are registers; to say so once is quicker than with each call."""
    function = _libc["syscall"]  # a new one each time
    function.restype = ctypes.c_long
    function.argtypes = (ctypes.c_long, *(ctypes.c_void_p,) * arguments)
    return function


_BY_ARGUMENTS = tuple(map(_function_of, range(_MOST_ARGUMENTS + 1)))
_Passed: TypeAlias = object
"""What ctypes passes on as it is."""


class Opened:
    """The descriptor that one call of a plan will return, for the calls after it."""

    __slots__ = ("_cell",)

    def __init__(self, cell: ctypes.c_void_p | None = None) -> None:
        """`cell` is where its number is to stand, if that is in a structure that has room for as much as a register."""
        self._cell = ctypes.c_void_p() if cell is None else cell

    @property
    def number(self) -> int:
        """The descriptor. RuntimeError: the call has not been made."""
        if self._cell.value is None:
            raise RuntimeError("this descriptor is not open yet")
        return self._cell.value


_Argument: TypeAlias = int | str | bytes | ctypes.Structure | ctypes.Array[ctypes.c_char] | Opened | None


class Call(NamedTuple):
    """One system call by its name, see syscalls(2), that is still to be made.

    Text is passed as a path is; bytes and structures as pointers to what is in them.
    """

    name: str
    arguments: tuple[_Argument, ...] = ()
    into: Opened | None = None
    """Where the descriptor that it returns is kept."""
    gives: int | None = None
    """What it must return, if that says whether it did what it was to do."""
    purpose: str = ""
    """Words for what failed, if the name of the call does not say it."""


class Ready(NamedTuple):
    """The same as the processor wants it: nothing is left to look up or to convert."""

    function: _Function
    passed: tuple[_Passed, ...]
    """The number of the call and its arguments."""
    cell: ctypes.c_void_p | None
    gives: int | None
    call: Call

    def about(self, first: bytes) -> Ready:
        """The same call with another first argument."""
        function, passed, cell, gives, call = self
        return Ready(function, (passed[0], first, *passed[2:]), cell, gives, call)


def ready(calls: Iterable[Call]) -> tuple[Ready, ...]:
    """Look up numbers and convert arguments."""
    return tuple(map(_ready, calls))


def make(calls: tuple[Ready, ...]) -> int:
    """Make these calls, in their order, up to the first that fails; what the last one returned.

    OSError: with the name of the call that failed. ENOSYS means that the kernel is older than the call, that a filter
    around this process hides it, or that this machine is not one we know; EPROTO that it did not give what it must.
    """
    result = 0
    for function, passed, cell, gives, call in calls:
        result = function(*passed)
        if result < 0 or (gives is not None and result != gives):
            raise _error(call, result)
        if cell is not None:
            cell.value = result
    return result


def do(*calls: Call) -> int:
    """The same for calls that were not ready."""
    return make(ready(calls))


def system_call(name: str, *arguments: _Argument) -> int:
    """The same for one that nobody has to describe."""
    return do(Call(name, arguments))


def written(folder: int | Opened, path: str, text: str) -> tuple[Call, ...]:
    """Write one setting of the kernel, in a file that is there; `path` may be relative to a folder's descriptor."""
    setting = Opened()
    return (
        Call("openat", (folder, path, os.O_WRONLY | os.O_CLOEXEC, 0), into=setting, purpose=path),
        Call("write", (setting, text.encode(), len(text.encode())), purpose=path),
        Call("close", (setting,)),
    )


def _ready(call: Call) -> Ready:
    passed = tuple(map(_passed, call.arguments))
    number = THIS.numbers.get(call.name, _NO_CALL)
    cell = call.into._cell if call.into else None
    return Ready(_BY_ARGUMENTS[len(passed)], (number, *passed), cell, call.gives, call)


def _error(call: Call, result: int) -> OSError:
    name = f"{call.name}, {call.purpose}" if call.purpose else call.name
    if result >= 0:
        return OSError(errno.EPROTO, f"{name}: not the answer it should have had, but {result}")
    number = ctypes.get_errno()
    return OSError(number, f"{name}: {os.strerror(number)}")


def _passed(argument: _Argument) -> _Passed:
    match argument:
        case str():
            return os.fsencode(argument)
        case ctypes.Structure():
            return ctypes.byref(argument)
        case Opened():
            return argument._cell
    return argument
