"""The worker's end of the reaper: having launch folders for oneself, and having them cleared when one is killed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from casemate.sandbox.errors import FolderTaken
from casemate.sandbox.zygote.reap import LOCK
from casemate.sandbox.zygotes import FIRST_CODE

_PATIENCE = 10.0
"""Seconds that the reaper of an earlier worker may take."""


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[None]:
    """While this lasts the folder is ours alone, and what we leave in it when we are killed is cleared away.

    The reaper holds the lock as well, so that the next worker finds the folder clear. FolderTaken: another worker has
    it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _lock(descriptor, folder)
        reaper = await asyncio.to_thread(_started, folder, descriptor)
        try:
            yield
        finally:
            await asyncio.to_thread(reaper.communicate, b"done")
    finally:
        os.close(descriptor)


async def _lock(descriptor: int, folder: Path) -> None:
    """One lock is this process's alone; the other one is kept by whoever has a copy of the descriptor."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FolderTaken(folder) from error
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise FolderTaken(folder) from error
        await asyncio.sleep(0.02)


def _started(folder: Path, lock: int) -> subprocess.Popen[bytes]:
    """A clean interpreter in a session of its own: what ends the worker's terminal or group is not to end it, too."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", str(FIRST_CODE), "reap", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        pass_fds=(lock,),
        start_new_session=True,
    )
