"""Which task runner does a script task ask for, and can this version serve it? (spec/isolation 7)

Without any choice the runner is the sandboxed Process one. A choice that cannot be served is refused: to run the script
elsewhere than its author, or the operator, has asked would be worse than not to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from casemate.jobs import Level
from casemate.worker.errors import TaskFailed

PROCESS: Final = "io.kestra.plugin.core.runner.Process"
DOCKER: Final = "io.kestra.plugin.scripts.runner.docker.Docker"

_LATER: Final = ("executionContext", "pythonVersion")
_UNKNOWN: Final = (
    f"The task runner `{{type}}` is not available in this version; available are `{PROCESS}` and `{DOCKER}`."
)
_RUNNERS: Final = {"PROCESS": PROCESS, "DOCKER": DOCKER}


def docker_properties(properties: Mapping[str, object], canonical: Callable[[str], str]) -> Mapping[str, object] | None:
    """What the wanted Docker runner was told; None for the Process runner. Raises `TaskFailed` for any other.

    The older `runner` and `docker` go before `taskRunner` (spec/engine 8.2). Rules that force a runner have put both
    out of the way by now. `canonical` resolves aliases of types.
    """
    older = properties.get("runner")
    runner = _RUNNERS.get(str(older).upper(), str(older)) if older else properties.get("taskRunner")
    if runner is None:
        return None
    written = _map(runner) or {"type": runner}
    wanted = canonical(str(written.get("type")))
    if wanted == PROCESS:
        return None
    if wanted != DOCKER:
        raise TaskFailed(_UNKNOWN.format(type=wanted))
    return _map(properties.get("docker")) or (_own_options(properties, canonical) if older else written)


def _own_options(properties: Mapping[str, object], canonical: Callable[[str], str]) -> Mapping[str, object]:
    """Those of a `taskRunner` beside an older word for the same type."""
    written = _map(properties.get("taskRunner"))
    return written if canonical(str(written.get("type"))) == DOCKER else {}


def _map(written: object) -> Mapping[str, object]:
    return {str(name): value for name, value in written.items()} if isinstance(written, Mapping) else {}


def unused(properties: Mapping[str, object], *, in_container: bool) -> Iterator[tuple[Level, str]]:
    """Words about properties that change nothing here: containers alone look at them, or they are not built yet."""
    for name in () if in_container else ("containerImage", "docker"):
        if properties.get(name) is not None:
            yield "DEBUG", f"`{name}` has no effect: the Process runner uses the programs of the worker's machine."
    for name in _LATER:
        if properties.get(name) not in (None, False, "false"):
            yield "WARN", f"`{name}` has no effect in this version."
