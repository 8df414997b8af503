"""Which task runner does a script task ask for, and can this version serve it? (spec/isolation 7)

Without any choice the runner is the sandboxed Process one. Docker is refused in every spelling: to run the script
elsewhere than its author asked would be worse than not to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from casemate.jobs import Level

PROCESS: Final = "io.kestra.plugin.core.runner.Process"

_CONTAINERS: Final = ("containerImage", "docker")
_LATER: Final = ("executionContext", "pythonVersion")

_DOCKER: Final = (
    "The Docker task runner is not available in this version. "
    "Leave `{property}` out: the script then runs in the sandboxed Process runner."
)
_UNKNOWN: Final = "The task runner `{type}` is not available in this version; available is `" + PROCESS + "`."


def refusal(properties: Mapping[str, object], canonical: Callable[[str], str]) -> str | None:
    """Why the wanted runner cannot be had; None when it can. `canonical` resolves aliases of types."""
    if str(properties.get("runner") or "PROCESS").upper() == "DOCKER":
        return _DOCKER.format(property="runner")
    runner = properties.get("taskRunner")
    if runner is None:
        return None
    wanted = canonical(str(runner.get("type"))) if isinstance(runner, Mapping) else str(runner)
    if wanted == PROCESS:
        return None
    docker = wanted.rpartition(".")[2] in ("Docker", "DockerTaskRunner")
    return _DOCKER.format(property="taskRunner") if docker else _UNKNOWN.format(type=wanted)


def unused(properties: Mapping[str, object]) -> Iterator[tuple[Level, str]]:
    """Words about properties that change nothing here: containers alone look at them, or they are not built yet."""
    for name in _CONTAINERS:
        if properties.get(name) is not None:
            yield "DEBUG", f"`{name}` has no effect: the Process runner uses the programs of the worker's machine."
    for name in _LATER:
        if properties.get(name) not in (None, False, "false"):
            yield "WARN", f"`{name}` has no effect in this version."
