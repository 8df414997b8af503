"""Paths of the configuration on this machine: what lies behind them decides whether tasks may see them.

The checks of `settings` look at the words only; here links are followed, and the server's own places are known.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

from casemate.containers import sockets
from casemate.errors import Problem, Refused
from casemate.sandbox import places_of
from casemate.settings import Settings

_FORBIDDEN: Final = "kestra.ee.java-security.forbidden-paths"
_ISOLATION: Final = "casemate.isolation"
_LOCAL: Final = "kestra.local-files.allowed-paths"

log = structlog.get_logger(__name__)


def private_places(settings: Settings, state: Path) -> tuple[str, ...]:
    """What of the server no task may see, whatever it is shown: state, configuration, plugins, sockets of engines."""
    own = (settings.storage.local_base_path, settings.plugin_management.folder)
    files = (os.path.abspath(name) for name in settings.files if os.path.exists(name))
    # Whoever may speak to an engine is root on its machine, also where the folder of the socket is read-only.
    engines = dict.fromkeys(os.path.realpath(path) for path in sockets(os.environ) if os.path.exists(path))
    return (os.path.abspath(state), *(os.path.abspath(path) for path in own if path), *files, *engines)


def closed_places(settings: Settings, state: Path) -> tuple[str, ...]:
    """What nobody reads through the worker, whatever is allowed: the server's own, and what is forbidden."""
    forbidden = settings.java_security.forbidden_paths if settings.java_security.enabled else ()
    return (*private_places(settings, state), *forbidden)


def check_places(settings: Settings, state: Path) -> None:
    """Refuse what tasks cannot be shown (`Refused`), and say once what deserves a word."""
    shown = (*_shown(settings), *((_LOCAL, path, False) for path in settings.local_files))
    problems = tuple(
        Problem(code="config.contradiction", message=message, path=key)
        for key, path, writable in shown
        for message in _faults(path, settings, state, writable=writable)
    )
    if problems:
        raise Refused(tuple(dict.fromkeys(problems)))
    for key, path, writable in shown:
        _warn(key, path, writable=writable)
    if settings.java_security.enabled:
        for path in settings.java_security.forbidden_paths:
            if not os.path.lexists(path):
                log.warning("path.missing", key=_FORBIDDEN, path=path, effect="it is forbidden as soon as it exists")


def _shown(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """Each path that tasks are to be shown, with the key that says so, and whether they may write there."""
    isolation = settings.isolation
    sections = [(_ISOLATION, isolation.said), *((profile.name, profile.overrides) for profile in isolation.profiles)]
    for section, values in sections:
        for name, writable in (("visible-paths", False), ("writable-paths", True)):
            paths = values.get(f"{_ISOLATION}.{name}", ())
            assert isinstance(paths, tuple)
            yield from ((f"{section}.{name}", str(path), writable) for path in paths)


def _faults(path: str, settings: Settings, state: Path, *, writable: bool) -> Iterator[str]:
    places = places_of(path)
    for own in map(os.path.realpath, private_places(settings, state)):
        if any(_beneath(place, own) for place in places):
            yield f"{path} belongs to the server: {own} is never shown to tasks"
        elif writable and any(_beneath(own, place) for place in places):
            yield f"{path} is to be writable, and the server keeps {own} in it"
    for wall in settings.java_security.forbidden_paths if settings.java_security.enabled else ():
        real = os.path.realpath(wall)
        if any(_beneath(place, real) for place in places):
            yield f"{path} leads to {os.path.realpath(path)}, but {wall} is forbidden"
        elif writable and any(_beneath(real, place) for place in places):
            yield f"{path} is to be writable, but {wall} lies in it and is forbidden"


def _warn(key: str, path: str, *, writable: bool) -> None:
    if not os.path.exists(path):
        log.warning("path.missing", key=key, path=path, effect="tasks do not see it")
    elif writable and os.geteuid() == 0 and not os.stat(path).st_mode & stat.S_IWOTH:
        log.warning("path.closed", key=key, path=path, effect="its mode lets no user of tasks write there")


def _beneath(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)
