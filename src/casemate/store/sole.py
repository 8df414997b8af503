"""One process a database: jobs of a dead process are freed at start, so two must never share the same file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from casemate.store.errors import StateInUse, StoreUnavailable


class Sole:
    """A lock on a file beside the database.

    The lock belongs to the process, not to the descriptor: the kernel drops it when the process dies, however it
    dies, and a forked child (a sandbox that is still being torn down) does not keep it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of(cls, database: Path) -> Sole:
        """Take the lock; raises `StateInUse` if another process has it."""
        place = database.with_name(f"{database.name}.lock")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"The database is unavailable: {error}") from error
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StateInUse(f"Another process works on {database}") from error
        return cls(descriptor)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)
