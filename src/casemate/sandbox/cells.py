"""What counts and limits the sandboxes of one slot as a whole: a control group of each tree, one sandbox after another.

A sandbox enters while its walls are raised, before it hears of its task: entering takes the kernel some milliseconds
on a machine that is not busy. The groups stay for the next one, because a group that is removed lives on for as long as
page cache is charged to it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import Group

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


class Cell:
    """The groups of one slot, by controller. One sandbox at a time is in them."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        """OSError: they cannot be entered or limited."""
        self._groups = groups
        self._each = tuple(dict.fromkeys(groups.values()))
        self._limits: tuple[float | None, ...] | None = None
        self._peak: int | None = None
        self._before = self._ever()
        self.doors = tuple(os.open(f"{each.path}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for each in self._each)
        """Descriptors; whoever writes "0" to all of them is in."""

    @property
    def controllers(self) -> tuple[str, ...]:
        """What is counted and limited here."""
        return tuple(self._groups)

    def prepare(self, limits: Amounts) -> None:
        """Empty it, set its limits, and count anew. OSError: it cannot be."""
        for group in self._each:
            if cgroups.members(group):
                cgroups.kill(group)
                self._limits = None  # that of processes is in the way of new ones then
        memory = self._groups.get("memory")
        if memory and cgroups.memory_used(memory) > _LARGE:
            with contextlib.suppress(OSError):  # the kernel takes it back when the next one needs the room
                cgroups.drop_cache(memory)
        wanted = (limits["memory"], limits["processes"], limits["cpu"])
        if wanted != self._limits:
            self._limits = None
            self._limit(*wanted)
            self._limits = wanted
        self._count_anew()

    def used(self) -> Used:
        """What was used since it was prepared."""
        now, before = self._ever(), self._before
        return Used(
            cpu=None if now.cpu is None or before.cpu is None else now.cpu - before.cpu,
            peak=None if self._peak is None else cgroups.peak(self._peak),
            killed=now.killed - before.killed,
            refused=now.refused - before.refused,
        )

    def close(self) -> None:
        """Close its descriptors; the groups stay."""
        self._forget_peak()
        for descriptor in self.doors:
            os.close(descriptor)
        self.doors = ()

    def _limit(self, memory: float | None, processes: float | None, cpu: float | None) -> None:
        if "memory" in self._groups:
            cgroups.limit_memory(self._groups["memory"], None if memory is None else int(memory))
        if "pids" in self._groups:
            cgroups.limit_processes(self._groups["pids"], None if processes is None else int(processes))
        if "cpu" in self._groups:
            cgroups.limit_cpu(self._groups["cpu"], cpu)

    def _count_anew(self) -> None:
        self._forget_peak()
        self._before = self._ever()
        if "memory" in self._groups:
            with contextlib.suppress(OSError):  # not every kernel can begin anew: then the peak is not known
                self._peak = cgroups.peak_from_now(self._groups["memory"])

    def _forget_peak(self) -> None:
        if self._peak is not None:
            os.close(self._peak)
            self._peak = None

    def _ever(self) -> Used:
        memory, pids, clock = self._groups.get("memory"), self._groups.get("pids"), self._clock()
        return Used(
            cpu=cgroups.cpu_seconds(clock) if clock else None,
            killed=cgroups.killed_for_memory(memory) if memory else 0,
            refused=cgroups.refused_processes(pids) if pids else 0,
        )

    def _clock(self) -> Group | None:
        """Every group of version 2 counts processor time, whatever controllers it has."""
        return self._groups.get("cpuacct") or next((each for each in self._each if each.second), None)
