"""The isolation report: which walls stood, what was allowed, what happened at them. Only what is known is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casemate.sandbox.model import Isolation, Level, Policy

_MOST_DESTINATIONS = 1000
_PRIVATE = ("/work", "/tmp", "/dev/shm")  # noqa: S108 - private inside
_CONTAINED = ("the working directory",)
_NOT_HELD = (
    "there is no network for tasks, and no socket",
    "names, sizes and dates of files outside can be seen, though not what is in them",
    "temporary files lie on the disk of the working directories",
)
_OF_ONE_USER = (
    "tasks can change mode and dates of files of the worker's user, with whom they share the limit of processes"
)


@dataclass(frozen=True, slots=True)
class _Destination:
    address: str
    port: int
    rule: str
    host: str

    def entry(self, rule: str, times: int) -> Mapping[str, object]:
        """As the report has it; what is not known is left out."""
        known = {"address": self.address, "port": self.port, "host": self.host, rule: self.rule, "times": times}
        return {name: value for name, value in known.items() if value != ""}


@dataclass(slots=True)
class Traffic:
    """Where one sandbox connected to or tried to: each destination once, with how often.

    Beyond a thousand destinations the rest are counted together, so that a scan fills neither memory nor report.
    """

    _reached: dict[_Destination, int] = field(default_factory=dict)
    _denied: dict[_Destination, int] = field(default_factory=dict)

    def reach(self, address: str, port: int, rule: str, host: str = "") -> None:
        """Note a connection that was made, by which rule, and the name of the host if that is known."""
        _count(self._reached, _Destination(address, port, rule, host))

    def deny(self, address: str, port: int, rule: str, host: str = "") -> None:
        """Note a connection that was refused, and by which rule; without an address it is a look-up of `host`."""
        _count(self._denied, _Destination(address, port, rule, host))

    @property
    def reached(self) -> tuple[Mapping[str, object], ...]:
        """Connections made, as JSON values."""
        return tuple(destination.entry("rule", times) for destination, times in tuple(self._reached.items()))

    @property
    def denied(self) -> tuple[Mapping[str, object], ...]:
        """Connections and look-ups refused, as JSON values."""
        return tuple(destination.entry("reason", times) for destination, times in tuple(self._denied.items()))


def not_held(level: Level, *, own_users: bool) -> tuple[str, ...]:
    """What these walls do not hold that full ones do, and what tasks have to do without; in words for a person."""
    if level is Level.FULL:
        return ()
    return _NOT_HELD if own_users else (*_NOT_HELD, _OF_ONE_USER)


def isolation(
    policy: Policy,
    *,
    level: Level,
    walls: Mapping[str, str],
    traffic: Traffic,
    limits_hit: tuple[str, ...],
    resources: Mapping[str, float],
    touched: Mapping[str, object] | None = None,
) -> Isolation:
    """The report of one launch that has ended."""
    return Isolation(
        level=level,
        walls=walls,
        policy=policy.digest,
        allowed=_allowed(policy, level),
        reached=traffic.reached,
        denied=traffic.denied,
        limits_hit=limits_hit,
        resources=resources,
        touched=touched,
    )


def _allowed(policy: Policy, level: Level) -> dict[str, object]:
    return {
        "write": [*(_PRIVATE if level is Level.FULL else _CONTAINED), *policy.writable],
        "read": list(policy.visible),
        "threads": policy.rights.threads,
        "processes": policy.rights.processes,
        "network": policy.egress.open and level is Level.FULL,
    }


def _count(counted: dict[_Destination, int], destination: _Destination) -> None:
    if destination not in counted and len(counted) >= _MOST_DESTINATIONS:
        destination = _Destination("other destinations", 0, destination.rule, "")
    counted[destination] = counted.get(destination, 0) + 1
