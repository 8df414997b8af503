"""Which paths cannot be shown to tasks, or not together: pure checks; what is behind a name is for `walls` to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from casemate.settings.finding import Finding
from casemate.settings.model import Isolation, Settings

_FORBIDDEN: Final = "kestra.ee.java-security.forbidden-paths"
_VISIBLE: Final = "casemate.isolation.visible-paths"
_WRITABLE: Final = "casemate.isolation.writable-paths"
PRIVATE: Final = ("/tmp", "/work", "/dev", "/proc")  # noqa: S108 - names of places inside
"""Places that every sandbox has for itself."""
_OWN: Final = ("/", "/etc", "/var")


def path_problems(settings: Settings) -> Iterator[Finding]:
    """What cannot be of the paths of one section `casemate.isolation` and the forbidden ones."""
    isolation, forbidden = settings.isolation, settings.java_security.forbidden_paths
    for key, paths in ((_FORBIDDEN, forbidden), (_VISIBLE, isolation.visible_paths)):
        yield from misshapen(key, paths)
    yield from misshapen(_WRITABLE, isolation.writable_paths)
    yield from _hidden(_VISIBLE, isolation.visible_paths)
    yield from _hidden(_WRITABLE, isolation.writable_paths)
    yield from _both(isolation)
    if settings.java_security.enabled:
        yield from _forbidden(isolation, forbidden)


def beneath(path: str, folder: str) -> bool:
    """Is a plain path this folder or in it? By components: `/etcetera` is not in `/etc`."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def misshapen(key: str, paths: tuple[str, ...]) -> Iterator[Finding]:
    """Paths of a list that are not absolute, or stand in it twice."""
    for path, times in Counter(paths).items():
        if not path.startswith("/"):
            yield Finding(code="config.type", keys=(key,), message=f"must hold absolute paths, not {path}")
        if times > 1:
            yield Finding(keys=(key,), message=f"names {path} more than once", remedy="Keep one of them")


def _hidden(key: str, paths: tuple[str, ...]) -> Iterator[Finding]:
    """What every sandbox has as its own cannot be the machine's as well."""
    for path in paths:
        if private := next((place for place in PRIVATE if beneath(path, place)), None):
            message = f"{path} cannot be shown: {private} is private to each task run"
            yield Finding(keys=(key,), message=message, remedy="Keep what tasks shall see in another folder")
        elif path in _OWN:
            message = f"{path} cannot be shown as a whole: sandboxes have their own"
            yield Finding(keys=(key,), message=message, remedy=f"Name what tasks need in {path}")


def _both(isolation: Isolation) -> Iterator[Finding]:
    """A writable folder may lie in one that is shown. Not the other way round: a task could rename what is above."""
    for path in isolation.visible_paths:
        for folder in isolation.writable_paths:
            if beneath(path, folder):
                message = f"{path} is to be shown read-only, but {folder} is writable"
                yield Finding(keys=(_VISIBLE, _WRITABLE), message=message, remedy="Keep one of the two")


def _forbidden(isolation: Isolation, forbidden: tuple[str, ...]) -> Iterator[Finding]:
    for wall in forbidden:
        for path in isolation.visible_paths:
            if beneath(path, wall):
                yield Finding(keys=(_VISIBLE, _FORBIDDEN), message=f"{path} is to be shown, but {wall} is forbidden")
        for path in isolation.writable_paths:
            if beneath(path, wall):
                message = f"{path} is to be writable, but {wall} is forbidden"
                yield Finding(keys=(_WRITABLE, _FORBIDDEN), message=message)
            elif beneath(wall, path):
                # By renaming a folder above it a task could give what is forbidden another name.
                message = f"{path} is to be writable, but {wall} in it is forbidden"
                yield Finding(keys=(_WRITABLE, _FORBIDDEN), message=message, remedy="Name the folders beside it")
