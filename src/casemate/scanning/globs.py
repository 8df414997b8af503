"""Patterns of property paths: `**.taskRunner.volumes[*]`. Steps are divided by dots; an index stands in brackets.

`*` stands for one step, or a part of one; `**` for any number of steps, none included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import re2

from casemate.documents import Path

_DIVIDER: Final = "\x1f"
"""No key holds it: the reader of documents refuses control characters."""
_STEP: Final = re.compile(r"\[(\*|[0-9]{1,6})\]|([^.\[\]]+)|(\.)|(.)", re.DOTALL)
_PART: Final = f"[^{_DIVIDER}]*"
_STEPS: Final = f"(?:[^{_DIVIDER}]+{_DIVIDER})*"
_LONGEST: Final = 500


class PatternInvalid(ValueError):
    """The text is no pattern of paths."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Which paths are meant. Matching takes time linear in the length of the path."""

    texts: tuple[str, ...]
    compiled: Any = field(compare=False, repr=False)

    def matches(self, steps: str) -> bool:
        """Is this path meant? It is given as `steps_of` writes it."""
        return self.compiled.fullmatch(steps) is not None


def steps_of(path: Path) -> str:
    """A path as patterns see it: each step ended, an index in brackets."""
    return "".join(f"[{step}]{_DIVIDER}" if isinstance(step, int) else f"{step}{_DIVIDER}" for step in path)


def pattern(*texts: str) -> PathPattern:
    """The pattern of all paths that one of these texts means. Raises `PatternInvalid`."""
    return PathPattern(texts, re2.compile("|".join(map(_compiled, texts))))


def _compiled(text: str) -> str:
    if not text or len(text) > _LONGEST:
        raise PatternInvalid(f"a pattern of paths has between 1 and {_LONGEST} characters")
    return "".join(_translated(found, text) for found in _STEP.finditer(text) if not found[3])


def _translated(found: re.Match[str], text: str) -> str:
    if found[4]:
        raise PatternInvalid(f"{text} has a bracket that is no [*] or [number]")
    if found[1]:
        return rf"\[{'[0-9]+' if found[1] == '*' else found[1]}\]{_DIVIDER}"
    if found[2] == "**":
        return _STEPS
    return _PART.join(map(re2.escape, found[2].split("*"))) + _DIVIDER
