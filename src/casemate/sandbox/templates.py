"""From a policy to what the private root shows, as this process can build it."""

from __future__ import annotations

import os
import stat
import sys
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from casemate.sandbox import stub
from casemate.sandbox.errors import LaunchFailed
from casemate.sandbox.kernel import capabilities, namespaces
from casemate.sandbox.model import Level, Places, Policy
from casemate.sandbox.orders import TASK_ID, TEMPORARY, Template
from casemate.sandbox.places import ALWAYS_COVERED, SYSTEM, offered, places_of

_RESOLV_CONF = "/etc/resolv.conf"
_PRIVATE_INSIDE = ("/tmp", "/work", "/dev", "/proc")  # noqa: S108 - names of places inside
_LINKS_INSIDE = {"/var/tmp": "/tmp", "/var/run": "/run"}  # noqa: S108 - names of places inside
"""Of the private root. Whoever builds that would follow them on the machine."""


class _State(NamedTuple):
    """A forbidden place, what lies there, and what that leads to if it is a link."""

    path: str
    itself: str
    target: str


class _Seen(NamedTuple):
    """What is looked at before each launch: name servers, what lies at shown places and at forbidden ones."""

    resolv_conf: str
    shown: tuple[str, ...]
    walls: tuple[_State, ...]


def template_of(
    policy: Policy, folder: Path, users: int, hidden: tuple[str, ...] = (), level: Level = Level.FULL
) -> Template:
    """What is shown under this policy. LaunchFailed: a path is asked for that is hidden from every sandbox."""
    shown = tuple(map(_identity, (*policy.visible, *policy.writable)))
    walls = tuple(map(_state, (*policy.forbidden, *hidden, *ALWAYS_COVERED)))
    seen = _Seen(host_resolv_conf(), shown, walls)
    contained = level is Level.CONTAINER
    return _template(policy.visible, policy.writable, policy.forbidden, str(folder), users, hidden, contained, seen)


@lru_cache(maxsize=64)
def _template(
    visible: tuple[str, ...],
    writable: tuple[str, ...],
    forbidden: tuple[str, ...],
    folder: str,
    users: int,
    hidden: tuple[str, ...],
    contained: bool,
    seen: _Seen,
) -> Template:
    for path in (sys.base_prefix, *visible, *writable):
        if not Path(path).is_absolute() or any(Path(path).is_relative_to(private) for private in _PRIVATE_INSIDE):
            raise LaunchFailed(f"{path} cannot be shown in a sandbox: it is not an absolute path, or private inside.")
        for link, target in () if contained else _LINKS_INSIDE.items():
            if Path(path).is_relative_to(link):
                raise LaunchFailed(f"{path} cannot be shown in a sandbox: inside, {link} is a link to {target}.")
    return Template(
        folder=folder,
        prefix=sys.base_prefix,
        visible=visible,
        writable=writable,
        forbidden=forbidden,
        hidden=hidden,
        found=_found((*visible, *writable), seen),
        resolv_conf=stub.resolv_conf(seen.resolv_conf),
        privileged=privileged(),
        nested=nested(),
        users=users,
        contained=contained,
    )


def _found(shown: tuple[str, ...], seen: _Seen) -> tuple[str, ...]:
    """What lies at shown places, and at forbidden ones within them or within what everybody is shown. A mount is of one
    file or folder: when another one comes to that place, a shown one stays the old one and a cover is taken away, so
    the next launch needs a new root.
    """
    trees = (*shown, *SYSTEM, sys.base_prefix, "/etc")
    return (*seen.shown, *(str(each) for each in seen.walls if _lies_within(each, trees)))


@lru_cache(maxsize=256)
def _lies_within(state: _State, trees: tuple[str, ...]) -> bool:
    """By its name or by what it is a link to, as those trees may be; asked anew when its state is another."""
    roots = {place for tree in (*trees, *offered()) for place in places_of(tree)}
    return any(place == root or place.startswith(f"{root}/") for place in places_of(state.path) for root in roots)


def _state(path: str) -> _State:
    """Only a link leads to something else than itself, so most places need one look."""
    try:
        found = os.lstat(path)
    except OSError:
        return _State(path, "", "")
    itself = _named(found)
    return _State(path, itself, _identity(path) if stat.S_ISLNK(found.st_mode) else itself)


def _identity(path: str) -> str:
    """What a path leads to; nothing if that is nothing."""
    try:
        return _named(os.stat(path))
    except OSError:
        return ""


def _named(found: os.stat_result) -> str:
    return f"{found.st_dev}.{found.st_ino}"


def places_inside(work: Path, level: Level) -> Places:
    """Where a launch finds its folders: by names of its own, or where there is no private root by their real ones."""
    return Places() if level is Level.FULL else Places(work=str(work), temporary=str(work / TEMPORARY))


def host_resolv_conf() -> str:
    """What this machine knows about its name servers; nothing where it has no such file."""
    try:
        found = os.stat(_RESOLV_CONF)
    except OSError:
        return ""
    return _read((found.st_ino, found.st_mtime_ns, found.st_size)) if stat.S_ISREG(found.st_mode) else ""


@lru_cache(maxsize=1)
def _read(_state: tuple[int, ...]) -> str:
    """The text of the file, read again when its state is another: each launch asks for it."""
    return Path(_RESOLV_CONF).read_text(errors="replace")


def user_of(slot: int) -> int:
    """The id a task of this slot runs under: the kernel's own one if we are root, else one of its user namespace."""
    return TASK_ID + slot if privileged() else TASK_ID


@cache
def privileged() -> bool:
    """Whether we are root with the users of tasks, who needs no user namespaces: each task is a kernel user of its own.

    Root of a rootless container often has no such users, and goes the way of an ordinary user. A process does not
    become another user here, and its namespace's users do not change.
    """
    return os.geteuid() == 0 and namespaces.has_identity(TASK_ID)


@cache
def nested() -> bool:
    """Whether we are such a root but may make namespaces only inside a user namespace, as in most containers."""
    return privileged() and not capabilities.has(capabilities.MANAGE_MOUNTS)
