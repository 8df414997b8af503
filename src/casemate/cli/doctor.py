"""`casemate doctor`: which walls this machine can build, found by trying, and what to change where one is missing."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

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
    """The survey as a person reads it: the walls, those that stand without the missing ones, then the verdict."""
    kernel, python = platform.release(), ".".join(str(part) for part in sys.version_info[:3])
    lines = [f"Linux {kernel} on {platform.machine()}, Python {python}", "", *_walls(found.walls)]
    if found.contained:
        lines += ["", "Without those that are missing (level container):", *_walls(found.contained)]
    return "\n".join([*lines, "", *_verdict(found)])


def _walls(walls: Sequence[Wall]) -> list[str]:
    width = max(len(wall.name) for wall in walls)
    return [line for wall in walls for line in _wall(wall, width)]


def _wall(wall: Wall, width: int) -> list[str]:
    lines = [f"{'✓' if wall.stands else '✘'} {wall.name:<{width}} {wall.mechanism if wall.stands else wall.missing}"]
    if wall.remedy:
        lines.append(f"  {'':<{width}} → {wall.remedy}")
    return lines


def _verdict(found: Survey) -> list[str]:
    match found.level:
        case Level.FULL:
            return ["Every task run gets all of these walls (level full)."]
        case Level.CONTAINER:
            return [
                "This machine offers level container. Task runs are refused on it unless that is said to be enough,",
                "with `casemate.isolation.required-level: container` (docs/how-to/run-in-a-container.md). Then",
                *(f"- {each}" for each in found.not_held),
            ]
        case Level.NONE | Level.DOCKER:  # the latter is no machine's
            return ["This machine cannot isolate task runs (level none): nothing will be run on it."]
