"""Which options of the runner need a word of the operator, and how its absence is told; only links are looked up.

What a flow cannot do behind Casemate's own walls it is not to do in a container either: reach the machine,
its network or its devices, be an administrator there, or outlive its task.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from casemate.containers.options import Options, Volume
from casemate.sandbox import Policy, places_of
from casemate.secret import Secret

KEY: Final = "casemate.isolation.docker.grants"
NO_NETWORK: Final = "none"
_LIMITS: Final = "casemate.isolation.limits"
_ROOT: Final = re.compile(r"root|[+-]?0+")
"""Engines read numbers as they come: `00` and `+0` are root too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one task may ask of the runner. `refused` says why it may not use it at all.

    `private` are places of the server that no container is ever shown. `volumes` False: Kestra's own switch is off.
    """

    refused: str = ""
    grants: tuple[str, ...] = ()
    network: str = NO_NETWORK
    capabilities: tuple[str, ...] = ()
    read_only_root: bool = True
    volumes: bool = True
    private: tuple[str, ...] = ()

    def grant(self, name: str, value: str = "") -> bool:
        """Is it granted, in general or for this value?"""
        return name in self.grants or bool(value and f"{name}:{value}" in self.grants)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One option that a task may not have. `remedy` is what to do about it, where a setting does not say so itself."""

    option: str
    reason: str
    remedy: str = ""

    def said(self) -> str:
        """The whole sentence."""
        return f"{self.reason}: {self.remedy}." if self.remedy else f"{self.reason}."


def network_of(options: Options, rules: Rules, policy: Policy) -> str:
    """The network that the container joins."""
    if options.network is not None:
        return options.network
    return rules.network if policy.egress.open else NO_NETWORK


def refusals(options: Options, rules: Rules, policy: Policy, own_host: str) -> Iterator[str]:
    """Every option that this task may not have, each with what to do about it."""
    for refusal in _everywhere(options, rules, policy):
        yield refusal.said()
    if options.host is not None and options.host != own_host and not rules.grant("host", options.host):
        yield _ungranted("host", f"host:{options.host}", "another engine than the worker's own").said()
    for volume in options.volumes:
        yield from (refusal.said() for refusal in _volume(volume, rules, policy))


def refusals_anywhere(options: Options, rules: Rules, policy: Policy) -> Iterator[Refusal]:
    """Those that no worker grants, whatever is on its machine: nothing is looked up there, and no `host` is judged."""
    yield from _everywhere(options, rules, policy)
    for volume in options.volumes:
        yield from () if _may_be_granted(volume, rules) else _volume(volume, rules, policy)


def _everywhere(options: Options, rules: Rules, policy: Policy) -> Iterator[Refusal]:
    yield from _plain_ones(options, rules)
    if options.user is not None and _ROOT.fullmatch(options.user.partition(":")[0]) and not rules.grant("user"):
        yield _ungranted("user", "user", "root; the user of the image is taken if you leave it out")
    yield from _network(options, rules, policy)
    yield from _limits(options, policy)


def _ungranted(option: str, grant: str, why: str = "") -> Refusal:
    means = f" ({why})" if why else ""
    reason = f"`{option}` of the Docker task runner{means} is not granted"
    return Refusal(option, reason, f"add '{grant}' to `{KEY}`, or leave it out")


def _plain_ones(options: Options, rules: Rules) -> Iterator[Refusal]:
    wanted = {
        "privileged": options.privileged,
        "portBindings": bool(options.ports),
        "deviceRequests": bool(options.devices),
        "wait": not options.wait,
        "delete": not options.delete,
    }
    for name, asked in wanted.items():
        if asked and not rules.grant(name):
            yield _ungranted(name, name)
    if options.files == "MOUNT" and not rules.grant("MOUNT"):
        yield _ungranted("fileHandlingStrategy", "MOUNT", "MOUNT")


def _network(options: Options, rules: Rules, policy: Policy) -> Iterator[Refusal]:
    wanted, name = options.network, "networkMode"
    if wanted in (None, NO_NETWORK, rules.network if policy.egress.open else NO_NETWORK):
        return
    if not policy.egress.open:
        reason = f"`{name}: {wanted}` is refused: tasks have no network, says `casemate.isolation.egress.open`"
        yield Refusal(name, reason)
    elif not rules.grant(name, str(wanted)):
        yield _ungranted(name, f"{name}:{wanted}", f"'{wanted}'")


def _volume(volume: Volume, rules: Rules, policy: Policy) -> Iterator[Refusal]:
    name = "volumes"
    said = f"`{name}` of the Docker task runner ('{volume.source}')"
    if not rules.volumes:
        yield Refusal(name, f"{said} are switched off by `volume-enabled: false` of `kestra.plugins.configurations`")
        return
    if not _is_granted(volume, rules):
        access = ":ro" if volume.read_only else ""
        remedy = f"add 'volumes:{volume.source}{access}' to `{KEY}`, or leave them out"
        yield Refusal(name, f"{said} are not granted", remedy)
    elif volume.source.startswith("/") and (wall := _touches(volume.source, (*rules.private, *policy.forbidden))):
        yield Refusal(name, f"{said} are refused whatever is granted: {wall} is never shown to tasks")


def _may_be_granted(volume: Volume, rules: Rules) -> bool:
    """Is there a grant that lets it in, or to which links of a worker's machine may lead?"""
    if not rules.volumes:
        return False
    by_links = volume.read_only and any(text.endswith(":ro") for text in _granted_volumes(rules))
    return rules.grant("volumes") or _trimmed(volume.source) in _granted_volumes(rules) or by_links


def _is_granted(volume: Volume, rules: Rules) -> bool:
    granted = _granted_volumes(rules)
    if rules.grant("volumes") or _trimmed(volume.source) in granted:
        return True
    return volume.read_only and any(
        _lies_in(volume.source, text.removesuffix(":ro")) for text in granted if text.endswith(":ro")
    )


def _granted_volumes(rules: Rules) -> list[str]:
    return [_trimmed(text.removeprefix("volumes:")) for text in rules.grants if text.startswith("volumes:")]


def _trimmed(path: str) -> str:
    return path.rstrip("/") or path


def _lies_in(source: str, granted: str) -> bool:
    """A link in the folder that leads out of it is not granted with it.

    Only for what tasks cannot write to: elsewhere a link may take the place of a folder before the engine mounts it.
    """
    if not source.startswith("/"):
        return source == granted
    return all(any(_beneath(place, folder) for folder in places_of(granted)) for place in places_of(source))


def _touches(source: str, walls: Iterable[str]) -> str:
    """The first of these that lies in the folder, or in which it lies, wherever links lead."""
    for wall in walls:
        for place in places_of(source):
            if any(_beneath(place, each) or _beneath(each, place) for each in places_of(wall)):
                return wall
    return ""


def _beneath(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _limits(options: Options, policy: Policy) -> Iterator[Refusal]:
    limits, memory = policy.limits, options.memory
    sizes = {"memory.memory": memory.memory, "memory.memorySwap": memory.swap, "shmSize": options.shared_memory}
    for name, asked in {**sizes, "memory.memoryReservation": memory.reservation}.items():
        if asked is not None and limits.memory is not None and asked > limits.memory:
            yield Refusal(name, f"`{name}` asks for {asked} bytes, `{_LIMITS}.memory` allows {limits.memory}")
    if options.cpus is not None and limits.cpu is not None and options.cpus > limits.cpu:
        reason = f"`cpu.cpus` asks for {options.cpus:g} cores, `{_LIMITS}.cpu` allows {limits.cpu:g}"
        yield Refusal("cpu.cpus", reason)


def secrets_of(options: Options) -> tuple[Secret, ...]:
    """What of the options must not be read in any log."""
    return tuple(secret for each in options.credentials for secret in each.secrets)
