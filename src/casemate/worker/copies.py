"""Files on their way into a working directory, and out of it. Whatever is written goes below the job's own folder."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

from casemate.dispatch import NotHeld, WorkerLink
from casemate.errors import CasemateError
from casemate.jobs import Grant
from casemate.sandbox import folders
from casemate.worker.errors import JobLost, TaskFailed
from casemate.worker.names import stored

CHUNK: Final = 1 << 20

FOLDER: Final = ".files"
"""Where the copies lie that a task is given under names of our own."""


def write(folder: Path, name: str, content: str) -> None:
    """A new file with this text; `name` is already known to stay inside. Raises `TaskFailed` when it cannot be made."""
    try:
        with folders.create(folder, name) as file:
            file.write(content.encode("utf-8", "replace"))
    except OSError as error:
        raise TaskFailed(f"Unable to write the file '{name}': {error.strerror}") from error


async def bring(link: WorkerLink, grant: Grant, uri: str, folder: Path, name: str) -> None:
    """A copy of a file of the internal storage under that name."""
    try:
        with await asyncio.to_thread(folders.create, folder, name) as file:
            async for chunk in link.fetch(grant.job, grant.fence, uri):
                await asyncio.to_thread(file.write, chunk)
    except NotHeld as error:
        raise JobLost from error
    except (CasemateError, OSError) as error:
        raise TaskFailed(f"Unable to read the file '{uri}': {error}") from error


async def bring_local(file: BinaryIO, folder: Path, name: str) -> None:
    """A copy of a file of this machine under that name; the file is closed. Raises `TaskFailed`."""
    try:
        with file, await asyncio.to_thread(folders.create, folder, name) as target:
            await asyncio.to_thread(shutil.copyfileobj, file, target, CHUNK)
    except OSError as error:
        raise TaskFailed(f"Unable to write the file '{name}': {error.strerror}") from error


async def take(link: WorkerLink, grant: Grant, folder: Path, path: str) -> str:
    """Keep a file that a task left in its working directory in the internal storage; its URI."""
    try:
        return await link.put(grant.job, grant.fence, stored(path), _chunks(folder, path))
    except NotHeld as error:
        raise JobLost from error
    except (CasemateError, OSError) as error:
        raise TaskFailed(f"Unable to store the file '{path}': {error}") from error


async def _chunks(folder: Path, path: str) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(folders.open_output, folder, path) as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
