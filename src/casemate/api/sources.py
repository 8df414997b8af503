"""Sources of flows as texts: looked through for words, and edited where Kestra edits them (spec/engine 1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import re2

from casemate import patterns
from casemate.api.errors import illegal_argument
from casemate.documents import Mapping, examine

SNIPPET = 200

Scope: TypeAlias = Literal["ALL", "TASKS", "TRIGGERS", "INPUTS"]
"""Where in a flow is looked: everywhere, or in one of its properties."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in sources, and in which section. Regular expressions are RE2's: they take linear time."""

    query: str
    case_sensitive: bool = False
    whole_word: bool = False
    regex: bool = False
    scope: Scope = "ALL"


@dataclass(frozen=True, slots=True)
class Match:
    """A line that matches; line and column count from 1."""

    line: int
    column: int
    snippet: str


def matches(source: str, wanted: Wanted) -> tuple[Match, ...]:
    """The first match of every line that has one."""
    pattern, within = compiled(wanted, source), section(source, wanted.scope)
    lines = ((number, line) for number, line in enumerate(source.split("\n"), 1) if number in within)
    found = ((number, line, pattern.search(line)) for number, line in lines)
    return tuple(Match(number, hit.start() + 1, line.strip()[:SNIPPET]) for number, line, hit in found if hit)


def section(source: str, scope: Scope) -> range:
    """The lines of a section: `ALL`, or those of the property of the flow that the scope names."""
    end = source.count("\n") + 2
    if scope == "ALL":
        return range(1, end)
    document = examine(source).document
    entries = document.root.entries if document is not None and isinstance(document.root, Mapping) else ()
    places = sorted((entry.mark.line, entry.key) for entry in entries)
    for number, (line, key) in enumerate(places):
        if key == scope.lower():
            return range(line, places[number + 1][0] if number + 1 < len(places) else end)
    return range(0)


def disabled(source: str, *, value: bool) -> str:
    """The source with `disabled:` set: its line is rewritten, or one is added."""
    return _with_line(source, "disabled", str(value).lower())


def moved(source: str, namespace: str) -> str:
    """The source with its namespace replaced by another."""
    return _with_line(source, "namespace", namespace)


def _with_line(source: str, key: str, value: str) -> str:
    line = f"{key}: {value}"
    edited, count = re.subn(rf"^{key}\s*:.*$", lambda _: line, source, flags=re.MULTILINE)
    return edited if count else f"{source}\n{line}"


def compiled(wanted: Wanted, source: str) -> Any:
    """The pattern that finds it; raises 422 if it is none, or would take too long on this source."""
    text = wanted.query if wanted.regex else re2.escape(wanted.query)
    whole = rf"\b(?:{text})\b" if wanted.whole_word else text
    try:
        return patterns.within_effort(patterns.compiled(whole, case_sensitive=wanted.case_sensitive), source)
    except patterns.PatternRefused as error:
        raise illegal_argument(f"invalid pattern [{wanted.query[:200]}]: {error}") from error
