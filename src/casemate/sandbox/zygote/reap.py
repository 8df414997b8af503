"""The reaper: a small process that outlives a killed worker by a moment and clears up what the kernel does not.

Processes, mounts and namespaces go with the worker: the kernel sees to that. Control groups and launch folders would
stay until the next start. The reaper reads from a pipe that only the worker can write to: if that ends without a word,
the worker was killed.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

LOCK = ".lock"
"""The file whose lock says whose launch folders these are."""
_TRIES = 50


def reap(folder: Path) -> int:
    """Wait for the end of the worker of these launch folders, and clear up unless it has said that it did."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not sys.stdin.buffer.read():
        clear(folder)
    return 0


def clear(folder: Path) -> None:
    """Remove the control groups of a worker that is no more, and all that is in its folder but the lock."""
    from casemate.sandbox import folders
    from casemate.sandbox.cgroups import remove_left

    remove_left(folder)
    for _ in range(_TRIES):
        left = [path for path in folder.iterdir() if path.name != LOCK]
        if not left:
            return
        for path in left:
            with contextlib.suppress(OSError):  # the last process that writes to it is still going
                folders.remove(path) if path.is_dir() else path.unlink()
        time.sleep(0.02)
