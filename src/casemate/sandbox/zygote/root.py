"""The private root: an allow list. What is not put here does not exist for a task."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable
from pathlib import PurePath

from casemate.sandbox.kernel import mounts, namespaces
from casemate.sandbox.kernel.calls import do
from casemate.sandbox.orders import ROOT, TASK_ID, Template
from casemate.sandbox.places import (
    ALWAYS_COVERED,
    CERTIFICATES,
    COPIED_SETTINGS,
    OWN_FOLDERS,
    SYSTEM,
    names_of,
    offered,
    places_of,
)

HOST = "/.host"
"""What a child needs of the host until its walls stand: one mount, because to drop one takes the kernel time."""
LAUNCHES = f"{HOST}/launches"
"""Where all launch folders are until a child has taken its own and dropped the rest."""
HOST_PROCESSES = f"{HOST}/processes"
"""The host's procfs: a user namespace may mount a new one only while it sees a whole one."""

KEYSTORE = "ssl/certs/java/cacerts"
DEVICES = ("null", "zero", "full", "random", "urandom")
_EMPTY_FOLDERS = ("dev", "dev/shm", "etc", "home", "opt", "proc", "run", "srv", "tmp", "var", "var/lib", "work")
_LINKS = {
    "var/tmp": "/tmp",  # noqa: S108 - inside it is private
    "var/run": "/run",
    "dev/fd": "/proc/self/fd",
    "dev/stdin": "/proc/self/fd/0",
    "dev/stdout": "/proc/self/fd/1",
    "dev/stderr": "/proc/self/fd/2",
}
_NOTHING = "/.nothing"
"""A file that nobody may open; it lies over forbidden ones."""
_SIZE, _FILES = 16 << 20, 8192
_HIDDEN = 0o700


def build(template: Template) -> None:
    """Put this process into its own namespaces and a root that shows what `template` says, and nothing else.

    Raises OSError where the kernel does not let us.
    """
    _separate(template)
    root = os.path.join(template.folder, ".root")
    os.makedirs(root, mode=_HIDDEN, exist_ok=True)
    do(mounts.mount_memory(root, size=_SIZE, files=_FILES, mode=0o755))
    _furnish(root)
    _show_settings(root, template)
    for path in (*SYSTEM, template.prefix):
        if not is_forbidden(path, template):
            _show(root, path)
    _show_wanted(root, template)
    covered = _covered(template)
    _moor(root, template, covered)
    os.close(os.open(root + _NOTHING, os.O_CREAT | os.O_EXCL, 0))
    for place in covered:
        _cover(root, place)
    os.unlink(root + _NOTHING)
    _write_settings(root, template)
    _keep_for_children(root, template)
    mounts.restrict(root, mounts.READ_ONLY | mounts.NO_SETUID | mounts.NO_DEVICES, recursive=False)
    mounts.enter(root)


def _separate(template: Template) -> None:
    """Leave the host's namespaces; the network is left by every child for itself."""
    own = namespaces.MOUNT | namespaces.IPC | namespaces.UTS | namespaces.CGROUP
    if template.nested:
        _unshare_among_own_users(own, template.users)
    elif template.privileged:
        do(namespaces.unshare(own))
    else:
        uid, gid = os.getuid(), os.getgid()
        do(namespaces.unshare(own | namespaces.USER))
        itself = os.open("/proc/self", os.O_PATH | os.O_DIRECTORY)
        # as root: only it may set the limits of the ipc namespaces to come
        do(*namespaces.map_identity(itself, ROOT, uid, gid))
        os.close(itself)
    mounts.make_private()
    namespaces.set_host_name("sandbox")


def _unshare_among_own_users(own: int, users: int) -> None:
    """Into a user namespace where root and the users of tasks are who they were; only who stays outside can say so."""
    ours, theirs = os.pipe()
    itself, outside = os.getpid(), os.fork()
    if outside == 0:
        os.close(theirs)
        os.read(ours, 1)
        os._exit(_error_number(lambda: namespaces.map_users(itself, TASK_ID, users)))
    do(namespaces.unshare(own | namespaces.USER))
    os.close(theirs)
    os.close(ours)
    if number := os.waitstatus_to_exitcode(os.waitpid(outside, 0)[1]):
        raise OSError(number, f"uid_map: {os.strerror(number)}")


def _error_number(work: Callable[[], None]) -> int:
    try:
        work()
    except OSError as error:
        return error.errno or 1
    return 0


def _furnish(root: str) -> None:
    for name in _EMPTY_FOLDERS:
        os.mkdir(os.path.join(root, name))
    for name, target in _LINKS.items():
        os.symlink(target, os.path.join(root, name))
    for name in DEVICES:
        _bind_file(f"/dev/{name}", f"{root}/dev/{name}")
        # what is written to a device is not written to its node, so it still can be
        mounts.restrict(f"{root}/dev/{name}", mounts.READ_ONLY | mounts.NO_SETUID | mounts.NO_PROGRAMS)


def _show_settings(root: str, template: Template) -> None:
    """What of the host's /etc programs need: to find libraries, certificates and the time zone."""
    for name in COPIED_SETTINGS:
        _copy(f"/etc/{name}", f"{root}/etc/{name}")
    if is_forbidden("/etc", template):
        _stand_in(root)
        return
    for path in offered():
        if not is_forbidden(path, template):
            _show(root, path)


def _stand_in(root: str) -> None:
    """For all of a forbidden /etc: certificates at every name they are looked for, and the links behind `awk`."""
    found = next((path for name in CERTIFICATES if os.path.isfile(path := f"/etc/{name}")), None)
    ours = f"{root}/etc/{CERTIFICATES[0]}"
    if found:
        _copy(found, ours)
        for name in CERTIFICATES[1:]:
            _make_parents(f"{root}/etc/{name}")
            os.symlink(f"/etc/{CERTIFICATES[0]}", f"{root}/etc/{name}")
    _copy(f"/etc/{KEYSTORE}", f"{root}/etc/{KEYSTORE}")
    for path in glob.glob("/etc/alternatives/*"):
        if os.path.islink(path):
            _make_parents(root + path)
            os.symlink(os.readlink(path), root + path)


def _copy(path: str, inside: str) -> None:
    if os.path.isfile(path):
        _make_parents(inside)
        with open(path, "rb") as original, open(inside, "wb") as copy:
            copy.write(original.read())


def _write_settings(root: str, template: Template) -> None:
    """An /etc of our own: who is who, and how names resolve. Nothing of it is the host's, so it is never covered."""
    for name, text in _own_settings(template).items():
        with open(f"{root}/etc/{name}", "w") as file:
            file.write(text)


def _own_settings(template: Template) -> dict[str, str]:
    ids = [TASK_ID + slot for slot in range(template.users)]
    people = [f"task{uid - TASK_ID}:x:{uid}:{uid}:task:/work:/bin/sh" for uid in ids]
    groups = [f"task{uid - TASK_ID}:x:{uid}:" for uid in ids]
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin"
    return {
        "passwd": "\n".join(("root:x:0:0:root:/nonexistent:/usr/sbin/nologin", nobody, *people, "")),
        "group": "\n".join(("root:x:0:", "nogroup:x:65534:", *groups, "")),
        "hosts": "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
        "hostname": "sandbox\n",
        "resolv.conf": template.resolv_conf,
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    }


def _show_wanted(root: str, template: Template) -> None:
    """What the policy asks for, outer folders first, so that an inner one is not hidden by them."""
    for path in sorted({*template.visible, *template.writable} - {*OWN_FOLDERS}):
        if os.path.lexists(path) and not is_forbidden(path, template):
            _bring(root, path, writable=path in template.writable)


def _show(root: str, path: str) -> None:
    """Show a host path read-only at the same place; one that does not exist, or shows already, needs nothing."""
    if not os.path.lexists(path) or os.path.lexists(root + path):
        return
    if path in SYSTEM and os.path.islink(path):
        os.symlink(os.readlink(path), root + path)
    else:
        _bring(root, path)


def _bring(root: str, path: str, *, writable: bool = False) -> None:
    """Mount a host path at the same place, over what is there."""
    inside = root + path
    if os.path.islink(inside):  # it would be followed in the machine's tree, not in this one
        return
    _make_parents(inside)
    if os.path.isdir(path):
        os.makedirs(inside, exist_ok=True)
        do(mounts.bind(path, inside))
    else:
        _bind_file(path, inside)
    mounts.restrict(inside, mounts.NO_SETUID | mounts.NO_DEVICES | (0 if writable else mounts.READ_ONLY))


def _make_parents(inside: str) -> None:
    os.makedirs(os.path.dirname(inside), mode=0o755, exist_ok=True)


def _bind_file(source: str, target: str) -> None:
    if not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644))
    do(mounts.bind(source, target))


def is_forbidden(path: str, template: Template) -> bool:
    """Whether a path lies in a forbidden one, by either of its places: a link to a secret is the secret."""
    forbidden = set().union(*map(places_of, template.forbidden))
    return any(PurePath(place).is_relative_to(other) for place in places_of(path) for other in forbidden)


def _covered(template: Template) -> list[str]:
    """Every name of what is forbidden, and of what it is a link to; /etc as a whole is our own."""
    shown = (*template.visible, *template.writable, template.prefix, *offered())
    paths = (*ALWAYS_COVERED, template.folder, *template.hidden, *template.forbidden)
    return sorted(set().union(*(names_of(path, shown) for path in paths)) - {"/etc"})


def _moor(root: str, template: Template, covered: list[str]) -> None:
    """Let no task move a folder of a writable tree with what is covered or read-only in it out of its place.

    The cover would go along, but the next root would look for it where it was. What is mounted cannot be renamed.
    """
    above = {str(parent) for place in (*covered, *template.visible) for parent in PurePath(place).parents}
    for folder in sorted(above):
        within = any(tree in map(str, PurePath(folder).parents) for tree in template.writable)
        if within and os.path.realpath(folder) == folder and os.path.isdir(root + folder):
            do(mounts.bind(root + folder, root + folder))


def _cover(root: str, place: str) -> None:
    """Lay an empty thing over a place, if it shows."""
    inside = root + place
    if not os.path.lexists(inside) or os.path.islink(inside) or os.path.samefile(inside, root + _NOTHING):
        return  # or is covered by another of its names
    # Held for as long as the zygote lives: what comes here later must not get its number, by which the worker knows it.
    os.open(inside, os.O_PATH | os.O_CLOEXEC)
    if stat.S_ISDIR(os.stat(inside).st_mode):
        do(mounts.mount_memory(inside, size=4096, files=1, mode=0))
    else:
        do(mounts.bind(root + _NOTHING, inside))
    mounts.restrict(inside, mounts.READ_ONLY)


def _keep_for_children(root: str, template: Template) -> None:
    os.mkdir(root + HOST, mode=_HIDDEN)
    do(mounts.mount_memory(root + HOST, size=4096, files=4, mode=_HIDDEN))
    os.mkdir(root + LAUNCHES, mode=_HIDDEN)
    os.mkdir(root + HOST_PROCESSES, mode=_HIDDEN)
    do(mounts.bind(template.folder, root + LAUNCHES, recursive=False))  # this very root is mounted below it
    do(mounts.bind("/proc", root + HOST_PROCESSES))
    mounts.restrict(root + LAUNCHES, mounts.NO_SETUID | mounts.NO_DEVICES)
