"""How a sandbox can fail to be: there is no walling-in by halves, so each of these means that nothing ran."""

from __future__ import annotations

from pathlib import Path

from casemate.errors import CasemateError
from casemate.sandbox.model import Level, Survey

LESS = (
    "If weaker walls will do, without network for tasks, set `casemate.isolation.required-level: container` "
    "(docs/how-to/run-in-a-container.md says what they do not hold)."
)


class WallsMissing(CasemateError):
    """The walls that are required cannot be built on this machine.

    The message has one line for each wall that is missing, with what to do about it.
    """

    def __init__(self, survey: Survey, required: Level = Level.FULL) -> None:
        self.survey = survey
        self.required = required
        tried = survey.walls if required is Level.FULL else (*survey.walls, *survey.contained)
        missing = [f"{wall.name}: {wall.missing} {wall.remedy}".rstrip() for wall in tried if not wall.stands]
        super().__init__("\n".join((self._summary(), *missing, *self._instead())))

    def _summary(self) -> str:
        return f"Isolation level '{self.required}' is required, this machine offers '{self.survey.level}'."

    def _instead(self) -> tuple[str, ...]:
        if self.required is Level.FULL and self.survey.level is Level.CONTAINER:
            return (LESS,)
        return ()


class FolderTaken(CasemateError):
    """Another worker has its launch folders here; two of them would clear each other's away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder}: is in use by another worker")


class LaunchFailed(CasemateError):
    """A sandbox could not be built; nothing ran in it."""


class ZygoteLost(CasemateError):
    """The process that starts sandboxes has ended, and with it all its sandboxes."""


class OutputRefused(CasemateError):
    """What a task left in its folder cannot be taken as output."""


class GlobInvalid(CasemateError):
    """A file pattern is not one."""
