"""The isolation report: which walls stood, what was allowed, what happened at them. Only what is known is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from casemate.sandbox.model import Isolation, Level, Policy

_MOST_DESTINATIONS = 1000


@dataclass(slots=True)
class Traffic:
    """Where one sandbox connected to or tried to: each destination once, with how often.

    Beyond a thousand destinations the rest are counted together, so that a scan fills neither memory nor report.
    """

    _reached: dict[tuple[str, ...], int] = field(default_factory=dict)
    _denied: dict[tuple[str, ...], int] = field(default_factory=dict)

    def reach(self, address: str, port: int) -> None:
        """Note a connection that was made."""
        _count(self._reached, (address, str(port)))

    def deny(self, address: str, port: int, reason: str) -> None:
        """Note a connection that was refused, and by which rule."""
        _count(self._denied, (address, str(port), reason))

    @property
    def reached(self) -> tuple[Mapping[str, object], ...]:
        """Connections made, as JSON values."""
        return tuple(
            {"address": address, "port": int(port), "times": times} for (address, port), times in self._reached.items()
        )

    @property
    def denied(self) -> tuple[Mapping[str, object], ...]:
        """Connections refused, as JSON values."""
        return tuple(
            {"address": address, "port": int(port), "reason": reason, "times": times}
            for (address, port, reason), times in self._denied.items()
        )


def isolation(
    policy: Policy,
    *,
    walls: Mapping[str, str],
    traffic: Traffic,
    limits_hit: tuple[str, ...],
    resources: Mapping[str, float],
) -> Isolation:
    """The report of one launch that has ended behind full walls."""
    return Isolation(
        level=Level.FULL,
        walls=walls,
        policy=policy.digest,
        allowed=_allowed(policy),
        reached=traffic.reached,
        denied=traffic.denied,
        limits_hit=limits_hit,
        resources=resources,
    )


def _allowed(policy: Policy) -> dict[str, object]:
    return {
        "write": ["/work", "/tmp", "/dev/shm"],  # noqa: S108 - private places inside
        "read": list(policy.visible),
        "threads": policy.rights.threads,
        "processes": policy.rights.processes,
        "network": policy.egress.open,
    }


def _count(counted: dict[tuple[str, ...], int], destination: tuple[str, ...]) -> None:
    if destination not in counted and len(counted) >= _MOST_DESTINATIONS:
        destination = ("other destinations", "0", *destination[2:])
    counted[destination] = counted.get(destination, 0) + 1
