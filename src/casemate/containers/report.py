"""The isolation report of a container: what its engine was told to hold; no wall of ours is among it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casemate.containers.order import WORK, Order, is_networked
from casemate.sandbox import Isolation, Level


def isolation(order: Order, about: Mapping[str, Any], *, limits_hit: tuple[str, ...], seconds: float) -> Isolation:
    """The report of one container that has ended. `about` is what the engine says of itself."""
    return Isolation(
        level=Level.DOCKER,
        walls=_walls(order, about),
        policy=order.policy.digest,
        allowed=_allowed(order),
        limits_hit=tuple(limit.replace("_", " ") for limit in limits_hit),
        resources={"wallSeconds": seconds},
    )


def _walls(order: Order, about: Mapping[str, Any]) -> dict[str, str]:
    if order.options.privileged:
        return {"engine": _engine(about), "none": "the container is privileged: nothing holds it"}
    root = "read-only" if order.rules.read_only_root else "writable, thrown away at the end"
    kept = ", ".join(order.rules.capabilities)
    return {
        "engine": _engine(about),
        "files": f"root of the image, {root}",
        "users": _users(order, about),
        "capabilities": f"none but {kept}" if kept else "none",
        "privileges": "no_new_privs",
        "system calls": f"seccomp, the engine's own filter: {_seccomp(about)}",
        "network": f"network '{order.network}' of the engine" if is_networked(order) else "empty network namespace",
        "limits": "control group of the engine; the disk is not counted",
    }


def _engine(about: Mapping[str, Any]) -> str:
    return f"containers of an engine, version {about.get('ServerVersion', 'unknown')}"


def _options(about: Mapping[str, Any]) -> list[str]:
    return [str(option) for option in about.get("SecurityOptions") or ()]


def _users(order: Order, about: Mapping[str, Any]) -> str:
    who = f"user {order.options.user}" if order.options.user else "the user of the image"
    apart = any(option.startswith(("name=userns", "name=rootless")) for option in _options(about))
    return f"{who}, {'in a user namespace' if apart else 'with the ids of the machine'}"


def _seccomp(about: Mapping[str, Any]) -> str:
    found = next((option for option in _options(about) if option.startswith("name=seccomp")), "")
    return found.partition("profile=")[2] or "default"


def _allowed(order: Order) -> dict[str, object]:
    shown = [(volume.target, volume.read_only) for volume in order.options.volumes]
    temporary = ["/tmp", "/var/tmp"] if order.rules.read_only_root else ["/"]  # noqa: S108 - in the container
    return {
        "image": order.image,
        "write": [WORK, *temporary, *(target for target, read_only in shown if not read_only)],
        "read": [target for target, read_only in shown if read_only],
        "threads": True,
        "processes": True,
        "network": is_networked(order),
        **({"granted": list(order.rules.grants)} if order.rules.grants else {}),
    }
