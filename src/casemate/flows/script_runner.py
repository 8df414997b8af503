"""Which task runner carries a script out: the one that is named, in whatever spelling, or the one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PROCESS: Final = "io.kestra.plugin.core.runner.Process"
DOCKER: Final = "io.kestra.plugin.scripts.runner.docker.Docker"

_LEGACY: Final = {"PROCESS": PROCESS, "DOCKER": DOCKER}
"""What the deprecated property `runner` says; it goes before `taskRunner` (spec/engine 8.2)."""


def runner_of(properties: Mapping[str, Any]) -> str | None:
    """The type of the runner of a script task with these properties, as written; None where it cannot be read."""
    legacy, runner = properties.get("runner"), properties.get("taskRunner")
    if legacy:
        return _LEGACY.get(str(legacy).upper())
    if runner is None:
        return PROCESS
    name = runner.get("type") if isinstance(runner, Mapping) else None
    return name if isinstance(name, str) else None
