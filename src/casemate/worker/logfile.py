"""`logToFile`: what an attempt writes goes to a file of the internal storage, and not to the log (spec/engine 3.3)."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import UTC
from pathlib import Path
from typing import Final

from casemate.jobs import Grant, LogLine

LARGEST: Final = 64 << 20
"""Bytes of one file; the last line says that more was written and dropped."""

_CHUNK: Final = 1 << 20
_FULL: Final = "The log file has reached its limit of {size} MiB; what follows is not kept."


class LogFile:
    """The file while the attempt runs."""

    def __init__(self, folder: Path, grant: Grant) -> None:
        # Not in the working directory, which belongs to the task; and without a name nothing outlives a crash.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it lives as long as the job
        self._logger = f"flow.{grant.place.flow}.{grant.task.id}"
        self._left = LARGEST
        self._failure: OSError | None = None
        self.name: Final = f"attempt-{grant.place.attempt}-{grant.fence}.log"

    def append(self, lines: Iterable[LogLine]) -> None:
        """Add these entries as far as there is room. It writes to the disk: not for the event loop.

        A disk that is full does not end the task; `content` raises its OSError.
        """
        try:
            self._append(lines)
        except OSError as error:
            self._failure, self._left = error, 0

    def _append(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            if self._left <= 0:
                return
            content = self._formatted(line)
            self._left -= len(content)
            if self._left <= 0:
                text = _FULL.format(size=LARGEST >> 20)
                content = self._formatted(LogLine(at=line.at, level="WARN", message=text, thread=line.thread))
            self._file.write(content)

    async def content(self) -> AsyncIterator[bytes]:
        """All of it from the beginning, piece by piece. OSError: it is not complete."""
        if self._failure is not None:
            raise self._failure
        await asyncio.to_thread(self._file.seek, 0)
        while chunk := await asyncio.to_thread(self._file.read, _CHUNK):
            yield chunk

    def close(self) -> None:
        """Let go of it."""
        # What could not be written is tried once more, in vain.
        with contextlib.suppress(OSError):
            self._file.close()

    def _formatted(self, line: LogLine) -> bytes:
        date = line.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{date} {line.level} {line.thread} {self._logger} {line.message}\n".encode("utf-8", "replace")
