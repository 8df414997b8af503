"""Landlock: which file trees this process and its children may touch, irrevocably, see landlock(7).

A second wall behind the private root: it holds even where a mount would show too much.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Mapping
from enum import IntFlag

from casemate.sandbox.kernel.calls import system_call


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
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The ABI of this kernel's Landlock, 0 when it has none or it is switched off."""
    try:
        return system_call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def confine(allowed: Mapping[str, Access], abi: int, *, closed: int = 0) -> None:
    """From now on allow this process only what `allowed` says below its paths; those out of its reach are left out.

    `closed` are ways of TCP sockets that are closed, as far as this ABI knows them.
    Needs no_new_privs. EOPNOTSUPP: switched off at boot; E2BIG: sixteen layers are in use already.
    """
    handled = Access((1 << _HIGHEST_KNOWN.get(abi, 16)) - 1)
    ruleset = _created(handled, abi, closed if abi >= KNOWS_TCP else 0)
    try:
        for path, access in allowed.items():
            _allow(ruleset, path, access & handled)
        system_call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def scope() -> None:
    """From now on this process and its children signal none but each other. EINVAL, E2BIG: before ABI 6."""
    ruleset = _created(Access(0), KNOWS_SCOPES)
    try:
        system_call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _created(handled: Access, abi: int, network: int = 0) -> int:
    attributes = _Ruleset(files=handled, network=network, scoped=_SCOPES if abi >= KNOWS_SCOPES else 0)
    size = 24 if abi >= 6 else 16 if abi >= KNOWS_TCP else 8
    return system_call("landlock_create_ruleset", attributes, size, 0)


def _allow(ruleset: int, path: str, access: Access) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # it does not exist, or is below what was covered
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        rule = _BeneathPath(allowed=access if is_folder else access & _OF_A_FILE, parent=parent)
        system_call("landlock_add_rule", ruleset, 1, rule, 0)
    finally:
        os.close(parent)
