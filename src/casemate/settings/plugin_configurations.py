"""`kestra.plugins.configurations`: `[{type, values}]`, what an installation says of types (spec/isolation 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from casemate.settings.finding import Finding
from casemate.settings.model import Recover

KEY: Final = "kestra.plugins.configurations"
_RECOVER: Final = "recoverMissedSchedules"
OLDER_VOLUMES: Final = "kestra.tasks.scripts.docker.volume-enabled"
_VOLUMES: Final = ("volume-enabled", "volumeEnabled")
_DOCKERS: Final = (
    "io.kestra.plugin.scripts.runner.docker.docker",
    "io.kestra.plugin.scripts.runner.docker.dockertaskrunner",
)
_CHOICES: Final = ("ALL", "LAST", "NONE")
_SCHEDULES: Final[Mapping[object, str]] = {
    "io.kestra.plugin.core.trigger.Schedule": "io.kestra.plugin.core.trigger.Schedule",
    "io.kestra.core.models.triggers.types.Schedule": "io.kestra.plugin.core.trigger.Schedule",
    "io.kestra.plugin.core.trigger.ScheduleOnDates": "io.kestra.plugin.core.trigger.ScheduleOnDates",
}


def recover_missed(said: Mapping[str, object]) -> Mapping[str, Recover]:
    """Which missed dates are made up for where a trigger does not say, by the type of the trigger."""
    return {
        _SCHEDULES[entry["type"]]: cast("Recover", values[_RECOVER])
        for entry, values in _entries(said)
        if entry.get("type") in _SCHEDULES and values.get(_RECOVER) in _CHOICES
    }


def volume_enabled(said: Mapping[str, object]) -> bool | None:
    """May flows mount volumes into containers, as Kestra has it? None where nothing says so; later entries win."""
    older = said.get(OLDER_VOLUMES)
    found = older if isinstance(older, bool) else None
    for entry, values in _entries(said):
        wanted = next((values[name] for name in _VOLUMES if name in values), None)
        if _is_docker(entry) and isinstance(wanted, bool):
            found = wanted
    return found


def misfits(said: Mapping[str, object]) -> Iterator[Finding]:
    """Entries that are none, and values that a schedule cannot have."""
    entries = said.get(KEY, [])
    if not isinstance(entries, list) or len(list(_entries(said))) != len(entries):
        yield Finding(code="config.type", keys=(KEY,), message="must be a list of entries, each with a type and values")
    for entry, values in _entries(said):
        wanted = values.get(_RECOVER)
        if entry.get("type") in _SCHEDULES and wanted is not None and wanted not in _CHOICES:
            message = f"{_RECOVER} must be one of {', '.join(_CHOICES)}, not {wanted}"
            yield Finding(code="config.type", keys=(KEY,), message=message)
        yield from _not_a_flag(entry, values)


def _not_a_flag(entry: Mapping[str, object], values: Mapping[str, object]) -> Iterator[Finding]:
    # A word that is taken for no answer would leave a door open that someone has shut.
    for name in _VOLUMES:
        if _is_docker(entry) and name in values and not isinstance(values[name], bool):
            message = f"{name} must be true or false, not {values[name]}"
            yield Finding(code="config.type", keys=(KEY,), message=message)


def _is_docker(entry: Mapping[str, object]) -> bool:
    return str(entry.get("type")).lower() in _DOCKERS


def without_effect(said: Mapping[str, object]) -> Iterator[Finding]:
    """What nothing here looks at."""
    for entry, values in _entries(said):
        read = {_RECOVER} if entry.get("type") in _SCHEDULES else set(_VOLUMES) if _is_docker(entry) else set()
        for name in sorted(values.keys() - read):
            yield Finding(code="config.no-effect", keys=(KEY,), message=f"{name} of {entry.get('type')} has no effect")


def _entries(said: Mapping[str, object]) -> Iterator[tuple[Mapping[str, object], Mapping[str, object]]]:
    entries = said.get(KEY)
    for entry in entries if isinstance(entries, list) else ():
        values = entry.get("values") if isinstance(entry, dict) and isinstance(entry.get("type"), str) else None
        if isinstance(values, dict):
            yield entry, values
