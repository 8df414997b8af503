"""What is to run in a container, and the request for one that an engine gets. Pure.

Everything that a container may not do is said here, so that nothing depends on how the engine is set up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from casemate.containers.frames import KEPT
from casemate.containers.grants import NO_NETWORK, Rules, network_of
from casemate.containers.options import Options, Volume
from casemate.sandbox import Policy

HOME_LABEL: Final = "casemate.io/home"
LIFE_LABEL: Final = "casemate.io/life"
POLICY_LABEL: Final = "casemate.io/policy"
RESUMED_LABEL: Final = "casemate.io/resume"
LEFT_LABEL: Final = "casemate.io/left"
"""On a container that its flow wants to be left where it is: `wait: false` or `delete: false`."""

VOLUME: Final = "/casemate"
WORK: Final = f"{VOLUME}/work"
"""The working directory in a container: below the volume, since engines let nobody say who may write to that itself."""

_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - in the container
_LONGEST_LABEL: Final = 63
_PERIOD: Final = 100_000
"""Microseconds in which `cpu` is counted."""
_LEAST: Final = 1_000
"""The least of them that an engine knows how to give; none would mean all."""
_LOG: Final = KEPT + 2
"""Bytes of an engine's log for each that a task may write, with room for what was not read yet: a log that is full
forgets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command for one container.

    `folder` is the working directory on the worker's machine, `WORK` the same in the container. `home` names the
    worker's folder over all its lives, `life` this one. `wants_files`: something of the folder is wanted back.
    `owner` is the user that a container has which works in the worker's own folder, unless its flow says another one.
    """

    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    options: Options
    rules: Rules
    policy: Policy
    labels: Mapping[str, str]
    home: str
    life: str
    wants_files: bool
    owner: str = ""

    @property
    def network(self) -> str:
        """The network that the container joins."""
        return network_of(self.options, self.rules, self.policy)

    @property
    def left(self) -> bool:
        """Is the container to stay when the task is over?"""
        return not (self.options.wait and self.options.delete)


def labels_of(namespace: str, flow: str, task: str, execution: str, task_run: str, attempt: int) -> dict[str, str]:
    """Kestra's labels (spec/isolation 6.3)."""
    named = {
        "namespace": namespace,
        "flow-id": flow,
        "task-id": task,
        "execution-id": execution,
        "taskrun-id": task_run,
        "taskrun-attempt": str(attempt),
    }
    return {f"kestra.io/{name}": value[:_LONGEST_LABEL].rstrip("-._") for name, value in named.items()}


def request(order: Order, *, init: bool) -> dict[str, object]:
    """The body of the request for a container. `init`: the engine has a first process that passes signals on."""
    options = order.options
    return {
        "Image": order.image,
        "Cmd": list(order.argv),
        "Entrypoint": list(options.entry_point),
        "Env": [f"{name}={value}" for name, value in order.env.items()],
        "WorkingDir": WORK,
        "Labels": _labels(order),
        **({"User": user} if (user := options.user or order.owner) else {}),
        "ExposedPorts": {port.inner: {} for port in options.ports},
        "HostConfig": {
            **_walls(order),
            **_amounts(order),
            "Init": init,
            "NetworkMode": order.network,
            "ExtraHosts": list(options.extra_hosts),
            "PortBindings": {port.inner: [{"HostIp": port.ip, "HostPort": port.host}] for port in options.ports},
            "Mounts": [_work(order), *map(_mount, options.volumes)],
            "DeviceRequests": [dict(device) for device in options.devices],
            "AutoRemove": not options.wait and options.delete,
            "RestartPolicy": {"Name": "no"},
        },
    }


def _labels(order: Order) -> dict[str, str]:
    """All of them, always: an image has labels, too, and they count where the container has none of that name."""
    return {
        **order.labels,
        HOME_LABEL: order.home,
        LIFE_LABEL: order.life,
        POLICY_LABEL: order.policy.digest,
        LEFT_LABEL: str(order.left).lower(),
        RESUMED_LABEL: str(order.options.resume).lower(),
    }


def _walls(order: Order) -> dict[str, object]:
    temporary = f"rw,nosuid,nodev,exec,mode=1777,size={order.policy.limits.temporary}"
    return {
        "Privileged": order.options.privileged,
        "CapDrop": ["ALL"],
        "CapAdd": list(order.rules.capabilities),
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": order.rules.read_only_root,
        "IpcMode": "private",
        "Tmpfs": dict.fromkeys(_TEMPORARY, temporary) if order.rules.read_only_root else {},
    }


def _amounts(order: Order) -> dict[str, object]:
    limits, asked = order.policy.limits, order.options
    memory = asked.memory.memory or limits.memory
    cpus = asked.cpus or limits.cpu
    most = limits.file_size if limits.disk is None else min(limits.file_size, limits.disk)
    named = {
        "Memory": memory,
        "MemorySwap": asked.memory.swap or memory,
        "MemoryReservation": asked.memory.reservation,
        "MemorySwappiness": asked.memory.swappiness,
        "ShmSize": asked.shared_memory,
        "PidsLimit": limits.processes,
        "CpuPeriod": None if cpus is None else _PERIOD,
        "CpuQuota": None if cpus is None else max(int(cpus * _PERIOD), _LEAST),
        "Ulimits": [_ulimit("nofile", limits.open_files), _ulimit("fsize", most), _ulimit("core", 0)],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": str(_LOG * limits.output), "max-file": "1"}},
    }
    return {name: value for name, value in named.items() if value is not None}


def _ulimit(name: str, amount: int) -> dict[str, object]:
    return {"Name": name, "Soft": amount, "Hard": amount}


def _work(order: Order) -> dict[str, object]:
    """The working directory: a volume of the container's own, or the worker's folder itself."""
    if order.options.files == "MOUNT":
        return {"Type": "bind", "Source": str(order.folder), "Target": WORK}
    return {"Type": "volume", "Target": VOLUME, "VolumeOptions": {"Labels": {HOME_LABEL: order.home}}}


def _mount(volume: Volume) -> dict[str, object]:
    kind = "bind" if volume.source.startswith("/") else "volume"
    return {"Type": kind, "Source": volume.source, "Target": volume.target, "ReadOnly": volume.read_only}


def is_networked(order: Order) -> bool:
    """Has it any way out?"""
    return order.network != NO_NETWORK
