"""`casemate doctor`: which walls this machine can build, found by trying, and what to change where one is missing."""

from __future__ import annotations

import platform
import sys

from casemate.cli.failures import FAILED
from casemate.sandbox import Level, Survey, Wall, survey


def doctor() -> int:
    """Show which walls this machine can build.

    Plants a secret, a listener and a process, and tries to reach them from inside a sandbox.
    """
    found = survey()
    print(report(found))
    return 0 if found.level is Level.FULL else FAILED


def report(found: Survey) -> str:
    """The survey as a person reads it: the walls, then the verdict."""
    kernel, python = platform.release(), ".".join(str(part) for part in sys.version_info[:3])
    lines = [f"Linux {kernel} on {platform.machine()}, Python {python}", ""]
    for wall in found.walls:
        lines += _wall(wall)
    return "\n".join([*lines, "", _verdict(found)])


def _wall(wall: Wall) -> list[str]:
    lines = [f"{'✓' if wall.stands else '✘'} {wall.name:<12} {wall.mechanism if wall.stands else wall.missing}"]
    if not wall.stands and wall.remedy:
        lines.append(f"  {'':<12} → {wall.remedy}")
    return lines


def _verdict(found: Survey) -> str:
    match found.level:
        case Level.FULL:
            return "Every task run gets all of these walls (level full)."
        case Level.CONTAINER:
            return "Some walls are missing (level container): task runs are refused until they stand."
        case Level.NONE:
            return "This machine cannot isolate task runs (level none): nothing will be run on it."
