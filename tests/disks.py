"""Disks that give out: no file may grow, for this process or for a server in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def full_disk(size: int = 0) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: to a program the same as a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def can_mount() -> bool:
    """May this process have a mount namespace of its own?"""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def on_small_disk(folder: Path, mebibytes: int, *, then: str = "true") -> list[str]:
    """What to put before a command so that it finds a disk of its own at a folder, with which this was done first."""
    mount = f"mount -t tmpfs -o size={mebibytes}m none {folder}"
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mount} && {then} && exec "$@"', "sh"]


def as_seen_by(process: int, folder: Path) -> Path:
    """A folder of that process's own mounts."""
    return Path(f"/proc/{process}/root{folder}")


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Nothing more fits on the disk of this folder, not even a byte."""
    filler = folder / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(_NoRoom):
                while True:
                    _write(descriptor, size)
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


class _NoRoom(Exception):
    pass


def _write(descriptor: int, size: int) -> None:
    try:
        os.write(descriptor, bytes(size))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _NoRoom from error
