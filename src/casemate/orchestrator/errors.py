"""What the orchestrator refuses, besides what is wrong with what someone submitted (`Refused`)."""

from __future__ import annotations

from casemate.errors import CasemateError


class NotFound(CasemateError):
    """There is no such thing."""


class Conflict(CasemateError):
    """The execution or flow is not in a state for this."""


class Undecidable(CasemateError):
    """The execution can't go on; it ends with the reason in its log."""


class Stopped(CasemateError):
    """The orchestrator was stopped before this was done."""
