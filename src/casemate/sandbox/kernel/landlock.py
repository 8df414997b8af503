"""Landlock: which file trees this process and its children may touch, irrevocably, see landlock(7).

A second wall behind the private root: it holds even where a mount would show too much.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable, Mapping
from enum import IntFlag

from casemate.sandbox.kernel.calls import CURRENT_FOLDER, Call, Opened, do, system_call


class Access(IntFlag):
    """What may be done to files below a path, LANDLOCK_ACCESS_FS_*."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIRECTORY = 1 << 3
    TRUNCATE = 1 << 14
    DEVICE_CONTROL = 1 << 15

    READ = READ_FILE | READ_DIRECTORY
    RUN = READ_FILE | READ_DIRECTORY | EXECUTE
    DEVICES = READ_FILE | READ_DIRECTORY | WRITE_FILE | TRUNCATE
    ALL = (1 << 16) - 1


_OF_A_FILE = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.DEVICE_CONTROL
_HIGHEST_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many file rights an ABI knows; from 5 on all sixteen."""
_BENEATH_PATH = 1
_SCOPES = 0b11
"""No signals to, and no abstract unix sockets of, processes outside (ABI 6)."""
TO_PORTS, TO_PEERS = 0b01, 0b10
"""What TCP sockets can be kept from: to be bound, and to be connected."""
KNOWS_TCP = 4
"""The first ABI that does."""
KNOWS_SCOPES = 6
"""The first ABI that tells processes inside from those outside."""


class _Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr; an older kernel takes a shorter one."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _BeneathPath(ctypes.Structure):
    """struct landlock_path_beneath_attr, with room for a number as wide as a register at its end."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32), ("room", ctypes.c_int32))


def version() -> int:
    """The ABI of this kernel's Landlock, 0 when it has none or it is switched off."""
    try:
        return system_call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def handled(abi: int) -> Access:
    """All that this ABI can forbid to do to files: what no rule allows is forbidden."""
    return Access((1 << _HIGHEST_KNOWN.get(abi, 16)) - 1)


def ruleset(files: Access, abi: int, into: Opened, *, closed: int = 0) -> Call:
    """A set of rules that allows nothing of `files` yet.

    `closed` are ways of TCP sockets that are closed, as far as this ABI knows them. EOPNOTSUPP: switched off at boot.
    """
    network = closed if abi >= KNOWS_TCP else 0
    attributes = _Ruleset(files=files, network=network, scoped=_SCOPES if abi >= KNOWS_SCOPES else 0)
    size = 24 if abi >= KNOWS_SCOPES else 16 if abi >= KNOWS_TCP else 8
    return Call("landlock_create_ruleset", (attributes, size, 0), into)


def allow(rules: int | Opened, parent: int, access: Access) -> Call:
    """Allow this below a descriptor of a folder, or for the file that it is of.

    A mount ends what is allowed by the place that it covers, but not by the folders above that.
    """
    is_folder = stat.S_ISDIR(os.fstat(parent).st_mode)
    rule = _BeneathPath(allowed=access if is_folder else access & _OF_A_FILE, parent=parent)
    return Call("landlock_add_rule", (rules, _BENEATH_PATH, rule, 0))


def allow_below(rules: int | Opened, folder: str, access: Access) -> tuple[Call, ...]:
    """The same for a folder that is there only when the call is made."""
    rule = _BeneathPath(allowed=access)
    parent = Opened(ctypes.c_void_p.from_buffer(rule, _BeneathPath.parent.offset))
    return (
        Call("openat", (CURRENT_FOLDER, folder, os.O_PATH | os.O_CLOEXEC, 0), parent, purpose=folder),
        Call("landlock_add_rule", (rules, _BENEATH_PATH, rule, 0), purpose=folder),
        Call("close", (parent,)),
    )


def restrict(rules: int | Opened) -> tuple[Call, ...]:
    """From now on allow this process only what the rules say. Needs no_new_privs. E2BIG: sixteen layers are in use."""
    return Call("landlock_restrict_self", (rules, 0)), Call("close", (rules,))


def opened(paths: Iterable[str]) -> dict[str, int]:
    """Descriptors of these places, but for those that do not exist, or are below what was covered."""
    found = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            found[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)
    return found


def confine(allowed: Mapping[str, Access], abi: int, *, closed: int = 0) -> None:
    """From now on allow this process only what `allowed` says below its paths; those out of its reach are left out."""
    rules, files = Opened(), handled(abi)
    do(ruleset(files, abi, rules, closed=closed))
    for path, access in allowed.items():
        # one after the other: there may be more places than descriptors that this process may have
        for place in opened((path,)).values():
            try:
                do(allow(rules, place, access & files))
            finally:
                os.close(place)
    do(*restrict(rules))


def scope() -> None:
    """From now on this process and its children signal none but each other. EINVAL, E2BIG: before ABI 6."""
    rules = Opened()
    do(ruleset(Access(0), KNOWS_SCOPES, rules), *restrict(rules))
