"""What cannot be done with an execution as it is. Both are said before anything changes."""

from __future__ import annotations

from casemate.errors import CasemateError


class WrongState(CasemateError):
    """The execution is not in a state for this."""


class WrongChoice(CasemateError):
    """What was chosen makes no sense for this execution."""
