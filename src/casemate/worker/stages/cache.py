"""Stages: what a WorkingDirectory keeps from one execution to the next (spec/engine 4.6, `cache`).

A cache saves time and nothing more: one that cannot be used or kept is spoken of in the log, and the job goes on.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final

from casemate import durations
from casemate.dispatch import Ask, LinkLost, NotHeld
from casemate.errors import CasemateError
from casemate.sandbox import folders
from casemate.worker import archive, properties
from casemate.worker.archive import ArchiveUnusable
from casemate.worker.errors import JobLost, TaskFailed
from casemate.worker.model import Job, Tools

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Cache:
    """Which files are kept, and for how long; without `ttl` for ever."""

    patterns: tuple[str, ...]
    ttl: timedelta | None


async def restore(job: Job, tools: Tools) -> None:
    """Put the files of an earlier execution into the folder, if they are young enough."""
    cache = _wanted(job.properties)
    if cache is None:
        return
    uri = await _found(job, tools, cache)
    if uri is not None:
        try:
            await _unpacked(job, tools, uri)
        except ArchiveUnusable as error:
            await asyncio.to_thread(_begin_empty, job)
            job.log.write("WARN", f"The cache cannot be used: {error}")
    job.restored = await asyncio.to_thread(archive.looked_at, job.folder, cache.patterns)


async def keep(job: Job, tools: Tools) -> None:
    """Keep the files for later executions, if any of them changed."""
    cache = _wanted(job.properties)
    if cache is None:
        return
    try:
        files = await asyncio.to_thread(archive.looked_at, job.folder, cache.patterns)
        if files and files != job.restored:
            with _temporary(job) as packed:
                await asyncio.to_thread(archive.pack, job.folder, files, packed)
                await tools.link.put_cache(job.grant.job, job.grant.fence, _chunks(packed))
    except NotHeld as error:
        raise JobLost from error
    except (CasemateError, OSError) as error:
        job.log.write("WARN", f"The cache cannot be kept: {error}")


def _wanted(rendered: Mapping[str, object]) -> Cache | None:
    written = properties.mapping(rendered, "cache")
    if not written:
        return None
    ttl = properties.text(written.get("ttl"))
    try:
        return Cache(properties.texts(written, "patterns"), durations.parse(ttl) if ttl else None)
    except durations.NotADuration as error:
        raise TaskFailed(f"Invalid cache ttl '{ttl}': {error}") from error


async def _found(job: Job, tools: Tools, cache: Cache) -> str | None:
    seconds = None if cache.ttl is None else cache.ttl.total_seconds()
    try:
        reply = await tools.link.ask(job.grant.job, job.grant.fence, Ask("cache", {"ttl": seconds}))
    except NotHeld as error:
        raise JobLost from error
    except LinkLost as error:
        raise TaskFailed("The control plane did not answer.") from error
    return reply.value if isinstance(reply.value, str) else None


async def _unpacked(job: Job, tools: Tools, uri: str) -> None:
    try:
        with _temporary(job) as packed:
            async for chunk in tools.link.fetch(job.grant.job, job.grant.fence, uri):
                await asyncio.to_thread(packed.write, chunk)
            await asyncio.to_thread(archive.unpack, packed, job.folder)
    except NotHeld as error:
        raise JobLost from error
    except ArchiveUnusable:
        raise
    except (CasemateError, OSError) as error:
        raise ArchiveUnusable(str(error)) from error


def _begin_empty(job: Job) -> None:
    """Half a cache would be worse than none."""
    folders.remove(job.folder)
    folders.make(job.folder.parent, job.folder.name)


def _temporary(job: Job) -> IO[bytes]:
    # Beside the folder, which belongs to the tasks; and without a name nothing outlives a crash.
    return tempfile.TemporaryFile(dir=job.folder.parent)


async def _chunks(packed: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(packed.read, _CHUNK):
        yield chunk
