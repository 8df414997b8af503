"""The rules of a Dag: what its tasks depend on exists, and nothing depends on itself (spec/engine 13.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from casemate.flows.circles import circles_of
from casemate.flows.findings import Finding


def check_dag(values: Mapping[str, Any], _: object) -> Iterator[Finding]:
    """What is wrong with the dependencies of a Dag."""
    entries = values.get("tasks")
    if not entries:
        if entries is None or isinstance(entries, list):
            yield Finding("No task defined", ("tasks",), whole=True)
        return
    if not isinstance(entries, list):
        return
    needs = _needs(entries)
    missing = [(place, name) for place, name in _named(entries) if name not in needs]
    if missing:
        names = ", ".join(dict.fromkeys(name for _, name in missing))
        yield Finding(f"Not existing task id in dependency: {names}", missing[0][0], whole=True)
    elif circles := circles_of(needs):
        members = [name for name in needs if any(name in circle for circle in circles)]
        place = next(place for place, name in _named(entries) if name in members)
        yield Finding(f"Cyclic dependency detected: {', '.join(members)}", place, whole=True)


def _needs(entries: list[Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        task = entry.get("task") if isinstance(entry, dict) else None
        if isinstance(task, dict) and isinstance(task.get("id"), str):
            wanted = entry.get("dependsOn")
            found[task["id"]] = (
                tuple(each for each in wanted if isinstance(each, str)) if isinstance(wanted, list) else ()
            )
    return found


def _named(entries: list[Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every name that some task depends on, with its place."""
    for index, entry in enumerate(entries):
        wanted = entry.get("dependsOn") if isinstance(entry, dict) else None
        for number, name in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(name, str):
                yield ("tasks", index, "dependsOn", number), name
