"""How a container can fail to be."""

from __future__ import annotations

from casemate.errors import CasemateError

_AWAY = (
    "Docker execution failed because Docker socket is not accessible. "
    "Start an engine where the worker runs, let the worker's user use its socket, or name another one by the worker's "
    "environment variable DOCKER_HOST. Without an engine leave `taskRunner` out: the script then runs in the "
    "sandboxed Process runner. Tried Docker host: {host}"
)


class ContainerError(CasemateError):
    """The task's container could not do its work."""


class EngineAway(ContainerError):
    """No engine answers."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(_AWAY.format(host=host))


class EngineRefused(ContainerError):
    """The engine does not do what it was asked; `status` is the one of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class OptionRefused(ContainerError):
    """An option of the task runner cannot be had as it is written, or not without a grant."""
