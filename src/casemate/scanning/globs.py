"""Patterns of property paths: `**.taskRunner.volumes[*]`. Steps are divided by dots; an index stands in brackets.

`*` stands for one step, or a part of one; `**` for any number of steps, none included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import re2

_DIVIDER: Final = "\x1f"
"""No key holds it: the reader of documents refuses control characters."""
_STEP: Final = re.compile(r"\[(\*|[0-9]{1,6})\]|([^.\[\]]+)|(\.)|(.)", re.DOTALL)
_PART: Final = f"[^{_DIVIDER}]*"
_STEPS: Final = f"(?:[^{_DIVIDER}]+{_DIVIDER})*"
_LONGEST: Final = 500
_LONGEST_KEY: Final = 200
_LONGEST_PATH: Final = 1000
_OMITTED: Final = "…"
_INDEX: Final = re.compile(rf"{_DIVIDER}(?=\[[0-9]+\]{_DIVIDER})")


class PatternInvalid(ValueError):
    """The text is no pattern of paths."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Which paths are meant. Matching takes time linear in the length of the path."""

    texts: tuple[str, ...]
    compiled: Any = field(compare=False, repr=False)

    def matches(self, steps: str) -> bool:
        """Is this path meant? It is given as `below` writes it."""
        return self.compiled.fullmatch(steps) is not None


def below(steps: str, step: str | int) -> str:
    """A path as patterns see it, one step on: each step ended, an index in brackets.

    Long keys, and paths longer than anybody writes, lose their middle: a flow may hold many places below one key.
    """
    last = f"[{step}]" if isinstance(step, int) else _without_middle(step)
    path = f"{steps}{last}{_DIVIDER}"
    if len(path) <= _LONGEST_PATH:
        return path
    half = _LONGEST_PATH // 2
    begin, end = path[: path.rindex(_DIVIDER, 0, half) + 1], path[path.index(_DIVIDER, len(path) - half) + 1 :]
    return f"{begin}{_OMITTED}{_DIVIDER}{end}"


def shown(steps: str) -> str:
    """The path as users read it: `tasks[1].retry.maxAttempt`."""
    return _INDEX.sub("", steps).removesuffix(_DIVIDER).replace(_DIVIDER, ".")


def _without_middle(key: str) -> str:
    half = _LONGEST_KEY // 2
    return key if len(key) <= _LONGEST_KEY else f"{key[:half]}{_OMITTED}{key[-half:]}"


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
