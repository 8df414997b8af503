"""What counts and limits the sandboxes of one slot as a whole: a control group of each tree, one sandbox after another.

A sandbox enters while its walls are raised, before it hears of its task: entering takes the kernel some milliseconds
on a machine that is not busy. The groups stay for the next one, because a group that is removed lives on for as long as
page cache is charged to it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeAlias

from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import CPU_UNIT, Group, Meter

_LARGE = 16 << 20
"""Bytes of page cache of an earlier task that are worth the time to give them back."""

Amounts: TypeAlias = Mapping[str, float | None]
"""`memory` in bytes, `processes`, `cpu` in cores; other limits are none of a cell's business."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a sandbox has used and how often it met its limits; None where the kernel does not say."""

    cpu: float | None = None
    peak: int | None = None
    killed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Meters:
    """What the groups of a cell show; None for what they do not."""

    charged: Meter | None
    peak: Meter | None
    killed: Meter | None
    processes: Meter | None
    refused: Meter | None
    cpu: Meter | None
    cpu_unit: float

    @classmethod
    def of(cls, groups: Mapping[str, Group], undo: ExitStack) -> _Meters:
        """OSError: something that every kernel shows is not there."""

        def opened(make: Callable[[Group], Meter | None], group: Group | None) -> Meter | None:
            meter = make(group) if group else None
            if meter:
                undo.callback(meter.close)
            return meter

        memory, pids, clock = groups.get("memory"), groups.get("pids"), _clock(groups)
        return cls(
            charged=opened(cgroups.memory_used, memory),
            peak=opened(cgroups.memory_peak, memory),
            killed=opened(cgroups.killed_for_memory, memory),
            processes=opened(cgroups.processes, pids),
            refused=opened(cgroups.refused_processes, pids),
            cpu=opened(cgroups.cpu_time, clock),
            cpu_unit=CPU_UNIT[bool(clock and clock.second)],
        )

    def ever(self) -> Used:
        """All that was ever used, but for the peak."""
        return Used(
            cpu=self.cpu.read() * self.cpu_unit if self.cpu else None,
            killed=self.killed.read() if self.killed else 0,
            refused=self.refused.read() if self.refused else 0,
        )


def _clock(groups: Mapping[str, Group]) -> Group | None:
    """Every group of version 2 counts processor time, whatever controllers it has."""
    return groups.get("cpuacct") or next((each for each in groups.values() if each.second), None)


class Cell:
    """The groups of one slot, by controller. One sandbox at a time is in them."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        """OSError: they cannot be entered or limited."""
        self._groups = groups
        self._each = tuple(dict.fromkeys(groups.values()))
        self._limits: tuple[float | None, ...] | None = None
        with ExitStack() as undo:
            self.doors = tuple(_door(each, undo) for each in self._each)
            """Descriptors; whoever writes "0" to all of them is in."""
            self._meters = _Meters.of(groups, undo)
            self._open = undo.pop_all()
        self._before = Used()
        self._settled: Used | None = None
        """All that was used up to when the last one had left, until the next one comes."""

    @property
    def controllers(self) -> tuple[str, ...]:
        """What is counted and limited here."""
        return tuple(self._groups)

    def prepare(self, limits: Amounts) -> None:
        """Empty it, set its limits, and count anew. OSError: it cannot be."""
        if self._settled is None and not self._is_empty():
            self._empty()
        if self._meters.charged and self._meters.charged.read() > _LARGE:
            with contextlib.suppress(OSError):  # the kernel takes it back when the next one needs the room
                cgroups.drop_cache(self._groups["memory"])
        wanted = (limits["memory"], limits["processes"], limits["cpu"])
        if wanted != self._limits:
            self._limits = None
            self._limit(*wanted)
            self._limits = wanted
        self._count_anew()

    def used(self) -> Used:
        """What was used since it was prepared."""
        now, before = self._meters.ever(), self._before
        self._settled = now if self._is_empty() else None
        return Used(
            cpu=None if now.cpu is None or before.cpu is None else now.cpu - before.cpu,
            peak=self._meters.peak.read() if self._meters.peak else None,
            killed=now.killed - before.killed,
            refused=now.refused - before.refused,
        )

    def close(self) -> None:
        """Close its descriptors; the groups stay."""
        self._open.close()
        self.doors = ()

    def _is_empty(self) -> bool:
        if self._meters.processes:
            return not self._meters.processes.read()
        return not any(cgroups.members(group) for group in self._each)

    def _empty(self) -> None:
        for group in self._each:
            cgroups.kill(group)
        self._limits = None  # that of processes is in the way of new ones then

    def _limit(self, memory: float | None, processes: float | None, cpu: float | None) -> None:
        if "memory" in self._groups:
            cgroups.limit_memory(self._groups["memory"], None if memory is None else int(memory))
        if "pids" in self._groups:
            cgroups.limit_processes(self._groups["pids"], None if processes is None else int(processes))
        if "cpu" in self._groups:
            cgroups.limit_cpu(self._groups["cpu"], cpu)

    def _count_anew(self) -> None:
        self._before = self._settled or self._meters.ever()
        self._settled = None
        if self._meters.peak:
            self._meters.peak.begin_anew()


def _door(group: Group, undo: ExitStack) -> int:
    door = os.open(f"{group.path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    undo.callback(os.close, door)
    return door
