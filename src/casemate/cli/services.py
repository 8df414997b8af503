"""All services for one command. Loading them takes about as long as building the walls, so both are done at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.catalog import Manifest
from casemate.cli.traces import forget, leave_no_core
from casemate.settings import Settings
from casemate.walls import walls

if TYPE_CHECKING:
    from casemate.app import Casemate


@asynccontextmanager
async def services(
    settings: Settings, state: Path, *modules: str, further: tuple[Manifest, ...] = ()
) -> AsyncIterator[Casemate]:
    """Every service, until the context ends; `modules` are loaded along with them, `further` are types beside the core.

    Walls first: if they cannot be built (`WallsMissing`), nothing is opened and nothing taken up.
    """
    leave_no_core()
    loading = asyncio.create_task(asyncio.to_thread(_load, ("casemate.app", *modules)))
    async with walls(settings, state) as sandboxes:
        await loading
        from casemate import app

        async with app.running(settings, state, sandboxes, further) as casemate:
            # What was loaded stays: without this each full collection would look through all of it again.
            gc.freeze()
            # Whoever needs what they say has read it by now.
            forget(settings.traces.variables)
            yield casemate


def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
