"""The filter `jq` of templates: a C library that knows `env` and endless loops, so it runs behind walls only.

Every call has a sandbox of its own, which sees the program, the value and the library, and nothing else.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from anyio.from_thread import start_blocking_portal

from casemate.errors import Refused
from casemate.expressions import ExpressionError, Jq
from casemate.sandbox import (
    Body,
    Launch,
    LaunchFailed,
    Level,
    Limits,
    Policy,
    Running,
    Sandboxes,
    Told,
    WallsMissing,
    ZygoteLost,
    folders,
)

_SECONDS: Final = 10.0
_POLICY: Final = Policy(
    limits=Limits(memory=512 << 20, processes=1, open_files=64, file_size=0, temporary=4 << 20, output=16 << 20)
)
_LIBRARY: Final = "library.so"


class JqPrograms:
    """Runs jq programs for templates that are rendered in other threads than the event loop's.

    Made inside the event loop that serves the sandboxes.
    """

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._folder = folder = sandboxes.folder
        self._loop = asyncio.get_running_loop()
        for left in folder.glob(".jq-*"):
            folders.remove(left)

    def __call__(self, program: str, value: object) -> list[object]:
        """All results of a program, in a thread that may wait. ExpressionError: it failed, or went on for too long."""
        answer = asyncio.run_coroutine_threadsafe(self._apply(program, value), self._loop)
        try:
            return answer.result(_SECONDS)
        except TimeoutError:
            answer.cancel()
            raise ExpressionError(f"the jq program took more than {_SECONDS:.0f} seconds") from None
        except (LaunchFailed, ZygoteLost, OSError) as error:
            raise ExpressionError(f"the jq program could not be run: {error}") from error

    async def _apply(self, program: str, value: object) -> list[object]:
        work = folders.make(self._folder, f".jq-{uuid4().hex}")
        try:
            await asyncio.to_thread(_furnish, work)
            library = f"{self._sandboxes.places(work).work}/{_LIBRARY}"
            job = {"library": library, "program": program, "value": value}
            what = Body(module="casemate.inside.jq_program", job=job)
            policy = replace(_POLICY, required=self._sandboxes.level)
            return await _results(await self._sandboxes.launch(Launch(name="jq", policy=policy, work=work, what=what)))
        finally:
            await asyncio.shield(asyncio.to_thread(folders.remove, work))


@contextmanager
def jq_on_demand(required: Callable[[], Level] = lambda: Level.FULL) -> Iterator[Jq]:
    """For a program without an event loop: the walls are built, and `required` is asked, when they are first needed."""
    with ExitStack() as stack:

        @cache
        def programs() -> JqPrograms:
            portal = stack.enter_context(start_blocking_portal())
            folder = stack.enter_context(TemporaryDirectory(prefix="casemate-jq-"))
            return stack.enter_context(portal.wrap_async_context_manager(_opened(Path(folder), required())))

        def apply(program: str, value: object) -> list[object]:
            try:
                return programs()(program, value)
            except (WallsMissing, Refused) as error:
                raise ExpressionError(str(error)) from error

        yield apply


@asynccontextmanager
async def _opened(folder: Path, required: Level) -> AsyncIterator[JqPrograms]:
    async with Sandboxes.open(folder, required, slots=1) as sandboxes:
        yield JqPrograms(sandboxes)


def _furnish(work: Path) -> None:
    """Give the sandbox the library, by value: site packages do not exist inside."""
    specification = importlib.util.find_spec("jq")  # which does not load it
    if specification is None or specification.origin is None:
        raise FileNotFoundError("the package jq is not installed")
    shutil.copyfile(specification.origin, work / _LIBRARY)
    os.chmod(work / _LIBRARY, 0o444)


async def _results(running: Running) -> list[object]:
    said: dict[str, object] = {}
    try:
        async for event in running.events():
            if isinstance(event, Told):
                said |= event.message
        end = await running.end()
    finally:
        await running.kill("nobody waits for it any more")
    match said:
        case {"failed": {"message": str(message)}}:
            raise ExpressionError(message)
        case {"outputs": {"results": list(results)}} if end.exit_code == 0:
            return results
    limits = ", ".join(end.met)
    raise ExpressionError(f"the jq program reached its {limits}" if limits else "the jq program crashed")
