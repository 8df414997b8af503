"""What the command line says when something fails, and the exit status that goes with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from casemate.cli.files import Unreadable
from casemate.errors import CasemateError, Problem, Refused

FAILED: Final = 1
"""Exit status when the work could not be done, or was done and ended badly."""
INVALID: Final = 2
"""Exit status for a flow, input, configuration or command line that is not valid, and for an unreadable file."""
NO_WALLS: Final = 3
"""Exit status when this machine cannot build the walls."""
INTERRUPTED: Final = 130
"""Exit status after Ctrl-C."""


def told(error: CasemateError, file: str | Path) -> int:
    """Says on standard error what went wrong; the exit status for it. `file` is what problems are places in."""
    if isinstance(error, Refused):
        complain(file, error.problems)
        return INVALID
    # Whoever raises it has loaded it; commands that build no walls need not know how that is done.
    from casemate.sandbox import WallsMissing
    from casemate.secrets import InvalidOptions, MissingExtra

    print(f"casemate: {error}", file=sys.stderr)
    match error:
        case Unreadable() | InvalidOptions() | MissingExtra():
            return INVALID
        case WallsMissing():
            return NO_WALLS
        case _:
            return FAILED


def complain(file: str | Path, problems: Iterable[Problem]) -> None:
    """Every problem on a line of its own on standard error, in the form editors jump to."""
    for problem in problems:
        print(problem.located(str(file)), file=sys.stderr)
