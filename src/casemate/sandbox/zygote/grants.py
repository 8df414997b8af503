"""What a task may touch where there is no private root: the list that such a root would show, as Landlock grants.

Landlock can only allow. What is forbidden below an allowed path is left out by allowing everything beside it.
"""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator
from pathlib import PurePath

from casemate.sandbox.kernel.landlock import Access
from casemate.sandbox.orders import Template
from casemate.sandbox.places import ALWAYS_COVERED, CERTIFICATES, COPIED_SETTINGS, OFFERED_SETTINGS, SYSTEM, places_of
from casemate.sandbox.zygote.root import DEVICES, KEYSTORE, is_forbidden

_WHO_IS_WHO = ("passwd", "group", "nsswitch.conf", "hosts")
_MACHINE = ("cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version", "filesystems", "sys")
_MOST = 20_000


def grants(template: Template) -> dict[str, Access]:
    """Real paths and what may be done below each; no link is among them. The own launch folder comes on top.

    OSError (E2BIG): there is too much beside the forbidden paths.
    """
    covered = (*ALWAYS_COVERED, template.folder, *template.hidden, *template.forbidden)
    hidden = set().union(*map(places_of, covered))
    hidden.discard("/etc")  # what is needed of it stays, as in a private root
    granted: dict[str, Access] = {}
    for path, access in _wanted(template):
        for beside in _without(os.path.realpath(path), hidden):
            granted[beside] = access
            if len(granted) > _MOST:
                raise OSError(errno.E2BIG, f"more than {_MOST} files lie beside the forbidden paths below {path}")
    return granted


def _wanted(template: Template) -> Iterator[tuple[str, Access]]:
    for path in (*SYSTEM, template.prefix, *template.visible):
        if not is_forbidden(path, template):
            yield path, Access.RUN
    for path in template.writable:
        if not is_forbidden(path, template):
            yield path, Access.ALL
    for path in _settings(template):
        yield path, Access.RUN
    for name in DEVICES:
        yield f"/dev/{name}", Access.DEVICES
    for name in _MACHINE:
        yield f"/proc/{name}", Access.READ


def _settings(template: Template) -> Iterator[str]:
    """What a private root has of /etc; where all of it is forbidden, that is without the names of users."""
    yield from (f"/etc/{name}" for name in COPIED_SETTINGS)
    if is_forbidden("/etc", template):
        yield from (f"/etc/{name}" for name in (*CERTIFICATES, KEYSTORE))
        return
    for pattern in (*OFFERED_SETTINGS, *_WHO_IS_WHO):
        yield from (path for path in glob.glob(f"/etc/{pattern}") if not is_forbidden(path, template))


def _without(path: str, hidden: set[str]) -> Iterator[str]:
    """The path, or if something hidden lies below it everything beside that; nothing of what is hidden itself."""
    if any(PurePath(path).is_relative_to(each) for each in hidden) or not os.path.exists(path):
        return
    if not any(PurePath(each).is_relative_to(path) for each in hidden):
        yield path
        return
    with os.scandir(path) as entries:
        beside = sorted(entry.path for entry in entries if not entry.is_symlink())
    for each in beside:
        yield from _without(each, hidden)
