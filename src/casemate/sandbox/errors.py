"""How a sandbox can fail to be: there is no walling-in by halves, so each of these means that nothing ran."""

from __future__ import annotations

from casemate.errors import CasemateError
from casemate.sandbox.model import Level, Survey


class WallsMissing(CasemateError):
    """The walls that are required cannot be built on this machine."""

    def __init__(self, survey: Survey, required: Level = Level.FULL) -> None:
        self.survey = survey
        self.required = required
        missing = [f"{wall.name}: {wall.missing} {wall.remedy}".rstrip() for wall in survey.walls if not wall.stands]
        summary = f"Isolation level '{required}' is required, this machine offers '{survey.level}'."
        super().__init__("\n".join((summary, *missing)))


class LaunchFailed(CasemateError):
    """A sandbox could not be built; nothing ran in it."""


class ZygoteLost(CasemateError):
    """The process that starts sandboxes has ended, and with it all its sandboxes."""


class OutputRefused(CasemateError):
    """What a task left in its folder cannot be taken as output."""


class GlobInvalid(CasemateError):
    """A file pattern is not one."""
