"""What to do when the kernel refuses a wall: the usual reasons, looked for on this machine."""

from __future__ import annotations

import errno as numbers
from collections.abc import Iterator
from pathlib import Path

_DOCKER = (
    "In Docker, start with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined "
    "--security-opt apparmor=unconfined`; in Kubernetes, use `hostUsers: false`, `procMount: Unmasked` and "
    "`seccompProfile: {type: Unconfined}`."
)
_SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "Run `sysctl -w kernel.unprivileged_userns_clone=1`."),
    ("/proc/sys/user/max_user_namespaces", "0", "Run `sysctl -w user.max_user_namespaces=15000`."),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "Run `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or give this interpreter an AppArmor profile "
        "with the rule `userns,`.",
    ),
)
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv", "/run/secrets/kubernetes.io")


def remedy(wall: str, errno: int) -> str:
    """How to get a wall that was refused with this error number; several sentences, the likeliest first."""
    return " ".join(_remedies(wall, errno))


def _remedies(wall: str, errno: int) -> Iterator[str]:
    if errno in (numbers.ENOSYS, numbers.EOPNOTSUPP):
        yield "Use Linux 5.14 or newer on x86-64 or arm64, with namespaces, seccomp and Landlock switched on."
        return
    if errno == numbers.ENOSPC:
        yield "Raise the limits `user.max_*_namespaces` with sysctl."
    for path, closed, advice in _SWITCHES:
        if _reads(path) == closed:
            yield advice
    if any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        yield _DOCKER
    elif wall == "kernel users":
        yield "Run as an ordinary user, or map the ids from 200000 on into this user namespace."
    else:
        yield "Run as root on the host, or as a user who may create user namespaces."


def _reads(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
