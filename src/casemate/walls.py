"""The first thing of a start: the state folder and the walls around all that will run.

It knows little of the program, so that the rest can be loaded while another process builds the walls.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from casemate.errors import CasemateError
from casemate.host_paths import check_places, private_places
from casemate.learning import keys_of_people
from casemate.sandbox import Level, Proxy, Sandboxes
from casemate.settings import Settings, proxy_of

log = structlog.get_logger(__name__)

_FOR_TEMPLATES: Final = 2
"""Sandboxes for programs of templates beside those of tasks: a template must not wait for a task's end."""


class StateUnusable(CasemateError):
    """The state folder cannot be used."""


@asynccontextmanager
async def walls(settings: Settings, state: Path) -> AsyncIterator[Sandboxes]:
    """The sandboxes over one state folder, until the context ends.

    Raises `StateUnusable`, `WallsMissing`; `Refused` for paths that tasks cannot be shown.
    """
    _make(state)
    check_places(settings, state)
    level = Level(settings.isolation.required_level)
    count = slots(settings) + _FOR_TEMPLATES
    hidden = private_places(settings, state) + (keys_of_people() if settings.isolation.learning else ())
    async with Sandboxes.open(launches(state), level, count, hidden, _proxy(settings)) as sandboxes:
        if sandboxes.level is not Level.FULL:
            # never in silence: said at every start, however often it was said before
            log.warning("isolation.weaker", isolation=sandboxes.level.value, not_held="; ".join(sandboxes.not_held()))
        yield sandboxes


def _proxy(settings: Settings) -> Proxy | None:
    if settings.isolation.egress.proxy is None:
        return None
    place = proxy_of(settings.isolation.egress.proxy)
    return Proxy(host=place.host, port=place.port, credentials=place.credentials)


def launches(state: Path) -> Path:
    """Where the launch folders lie."""
    return state / "sandboxes"


def slots(settings: Settings) -> int:
    """Task runs at once. When nothing is configured: enough to overlap what waits, few enough to stay quick."""
    return settings.worker.slots or max(8, 4 * (os.cpu_count() or 1))


def _make(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        launches(state).mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise StateUnusable(f"{state}: cannot be used as state folder: {error.strerror}") from error
    if not os.access(state, os.W_OK | os.X_OK):
        raise StateUnusable(f"{state}: cannot be used as state folder: it cannot be written to")
