"""Mounts: building a file tree that shows only what it was given, see mount(2), mount_setattr(2), pivot_root(2).

Needs Linux 5.12. Inside a user namespace the kernel keeps the flags a mount came with; `mount_setattr` only adds to
them.
"""

from __future__ import annotations

import ctypes
import os

from casemate.sandbox.kernel.calls import CURRENT_FOLDER, Call, do, system_call

READ_ONLY = 0x1
NO_SETUID = 0x2
NO_DEVICES = 0x4
NO_PROGRAMS = 0x8

_BIND = 4096
_RECURSIVE = 16384
_PRIVATE = 1 << 18
_DETACH = 2
_AT_RECURSIVE = 0x8000


class _Attributes(ctypes.Structure):
    """struct mount_attr of mount_setattr(2). Its first flags have the values of the MS_ constants."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def make_private(path: str = "/") -> None:
    """Stop mounts below `path` from spreading to other mount namespaces. EPERM: the namespace is not ours."""
    system_call("mount", None, path, None, _RECURSIVE | _PRIVATE, None)


def bind(source: str, target: str, *, recursive: bool = True) -> Call:
    """Show `source` at `target`, which must exist and be of the same kind; recursively with all mounts below it.

    ENOENT: one of them is missing; EINVAL: `source` is in another mount namespace, or what is mounted below it may not
    be left out; EPERM: the namespace is not ours.
    """
    return Call("mount", (source, target, None, _BIND | (_RECURSIVE if recursive else 0), None), purpose=target)


def restrict(path: str, flags: int, *, recursive: bool = True) -> None:
    """Add flags such as READ_ONLY to the mount at `path`, recursively to all below it. ENOSYS: before Linux 5.12."""
    attributes = _Attributes(set=flags)
    below = _AT_RECURSIVE if recursive else 0
    system_call("mount_setattr", CURRENT_FOLDER, path, below, attributes, ctypes.sizeof(attributes))


def mount_memory(target: str, *, size: int, files: int, mode: int) -> Call:
    """Mount an empty file tree in memory of at most `size` bytes and `files` files, see tmpfs(5)."""
    options = f"size={size},nr_inodes={files},mode={mode:o}"
    return Call("mount", ("tmpfs", target, "tmpfs", NO_SETUID | NO_DEVICES, options), purpose=target)


def mount_processes(target: str) -> Call:
    """Mount a read-only view of this pid namespace's processes, see proc(5).

    EPERM in a user namespace: the visible /proc is partly covered, as container runtimes do, and a new one would show
    more.
    """
    flags = READ_ONLY | NO_SETUID | NO_DEVICES | NO_PROGRAMS
    return Call("mount", ("proc", target, "proc", flags, None), purpose=target)


def detach(target: str) -> Call:
    """Take the mount at `target` out of the tree; what has a descriptor below it keeps it, see umount2(2)."""
    return Call("umount2", (target, _DETACH))


def enter(root: str) -> None:
    """Make the mount at `root` the whole file tree and drop the old one. EINVAL: `root` is not a mount point."""
    os.chdir(root)
    system_call("pivot_root", ".", ".")
    do(detach("."))
    os.chdir("/")
