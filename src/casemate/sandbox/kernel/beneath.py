"""Opening files of a folder that somebody hostile has filled: no link leads out of it.

The call is openat2(2), which needs Linux 5.6.
"""

from __future__ import annotations

import ctypes
import os

from casemate.sandbox.kernel.calls import system_call

_NO_OTHER_MOUNTS, _NO_MAGIC_LINKS, _NO_LINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08


class _How(ctypes.Structure):
    """struct open_how."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: int, path: str, flags: int) -> int:
    """Open `path` below the folder that `folder` is a descriptor of, following no symbolic link anywhere on the way.

    ELOOP: there is one; EXDEV: the path leads out; ENAMETOOLONG: it has more than 4095 bytes.
    """
    how = _How(flags=flags | os.O_CLOEXEC, resolve=_BENEATH | _NO_LINKS | _NO_MAGIC_LINKS | _NO_OTHER_MOUNTS)
    return system_call("openat2", folder, path, how, ctypes.sizeof(how))
