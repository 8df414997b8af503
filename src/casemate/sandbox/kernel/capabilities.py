"""Capabilities: root's powers in pieces, see capabilities(7). A task has none and can gain none."""

from __future__ import annotations

import errno
import struct

from casemate.sandbox.kernel.calls import Call, system_call

MANAGE_MOUNTS = 21
"""CAP_SYS_ADMIN, which makes namespaces without a user namespace around them."""

BECOME_OTHERS = (6, 7, 8)
"""CAP_SETGID, CAP_SETUID, and CAP_SETPCAP to give up the rest for good."""

_READ_BOUNDING_SET, _DROP_FROM_BOUNDING_SET = 23, 24
_NO_NEW_PRIVILEGES = 38
_AMBIENT, _CLEAR_ALL = 47, 4
_MOST_CAPABILITIES = 64
_CHECKPOINT_RESTORE = 40
"""The highest capability of the oldest kernel that can run us."""
_VERSION_3 = 0x2008_0522


def has(capability: int) -> bool:
    """Whether this process can use a capability now, see proc_pid_status(5)."""
    with open("/proc/self/status") as file:
        effective = next(line.split()[1] for line in file if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> capability & 1)


def forbid_new() -> None:
    """Let no program raise our privileges: set-user-id bits and file capabilities count no more, see prctl(2)."""
    system_call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def empty_bounding_set() -> tuple[Call, ...]:
    """Give up every capability that this kernel knows for the programs to come. EPERM: CAP_SETPCAP is gone already."""
    known = range(_highest() + 1)
    return tuple(Call("prctl", (_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)) for capability in known)


def drop_all() -> tuple[Call, ...]:
    """Give up every capability this process has, see capset(2)."""
    return (
        Call("prctl", (_AMBIENT, _CLEAR_ALL, 0, 0, 0)),
        Call("capset", (struct.pack("II", _VERSION_3, 0), bytes(24))),
    )


def _highest() -> int:
    """The kernel's highest capability: the first that it does not know is asked for in vain."""
    for capability in range(_CHECKPOINT_RESTORE + 1, _MOST_CAPABILITIES):
        try:
            system_call("prctl", _READ_BOUNDING_SET, capability, 0, 0, 0)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return capability - 1
            raise
    return _MOST_CAPABILITIES - 1
