"""A body has made files: they go from its working directory into internal storage, under names of our own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from casemate.errors import CasemateError
from casemate.sandbox import folders
from casemate.worker import copies
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job, Tools
from casemate.worker.names import relative
from casemate.worker.selection import selected

MOST: Final = 10_000
"""How many files one attempt may put into internal storage this way."""
ALTOGETHER: Final = 8 << 30
"""How many bytes."""


async def keep(job: Job, tools: Tools, arguments: Mapping[str, object]) -> dict[str, str]:
    """Keep the files of `paths`, and those that match any of `globs`: path to address.

    With `move` they are taken out of the working directory, for whoever works in it after this task.
    """
    paths = [relative(path) for path in _texts(arguments, "paths")]
    paths += [path for path in await _matching(job, _texts(arguments, "globs")) if path not in paths]
    return {path: await _kept(job, tools, path, move=arguments.get("move") is True) for path in paths}


async def select(_job: Job, _tools: Tools, arguments: Mapping[str, object]) -> list[str]:
    """Those of the `paths` that match any of the `patterns`."""
    patterns, paths = _texts(arguments, "patterns"), _texts(arguments, "paths")
    plain = {path.lstrip("/"): path for path in paths}
    return [plain[path] for path in await asyncio.to_thread(selected, plain, patterns, ())]


async def _matching(job: Job, globs: tuple[str, ...]) -> list[str]:
    if not globs:
        return []
    try:
        found = await asyncio.to_thread(folders.outputs, job.folder, globs, most=MOST, altogether=ALTOGETHER)
    except (CasemateError, OSError) as error:
        raise TaskFailed(f"Unable to collect the output files: {error}") from error
    return [output.path for output in found if output.path.partition("/")[0] not in job.hidden]


async def _kept(job: Job, tools: Tools, path: str, *, move: bool) -> str:
    job.kept.files += 1
    job.kept.size += await asyncio.to_thread(_size, job, path)
    if job.kept.files > MOST or job.kept.size > ALTOGETHER:
        raise TaskFailed(f"A task may keep {MOST} files of {ALTOGETHER} bytes together, and not more.")
    uri = await copies.take(tools.link, job.grant, job.folder, path)
    if move:
        await asyncio.to_thread(folders.discard, job.folder, path)
    return uri


def _size(job: Job, path: str) -> int:
    try:
        with folders.open_output(job.folder, path) as file:
            return file.seek(0, 2)
    except (CasemateError, OSError) as error:
        raise TaskFailed(f"Unable to store the file '{path}': {error}") from error


def _texts(arguments: Mapping[str, object], name: str) -> tuple[str, ...]:
    return tuple(_checked(arguments.get(name), name))


def _checked(value: object, name: str) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        if not isinstance(each, str):
            raise TaskFailed(f"The argument '{name}' must be a list of texts.")
        yield each
