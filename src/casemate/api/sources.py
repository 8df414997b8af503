"""Sources of flows as texts: looked through for words, and edited where Kestra edits them (spec/engine 1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2

from casemate.api.errors import illegal_argument

SNIPPET = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in sources. Regular expressions are those of RE2: they take linear time."""

    query: str
    case_sensitive: bool = False
    whole_word: bool = False
    regex: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A line that matches; line and column count from 1."""

    line: int
    column: int
    snippet: str


def matches(source: str, wanted: Wanted) -> tuple[Match, ...]:
    """The first match of every line that has one."""
    pattern = _compiled(wanted)
    found = ((number, line, pattern.search(line)) for number, line in enumerate(source.splitlines(), 1))
    return tuple(Match(number, hit.start() + 1, line.strip()[:SNIPPET]) for number, line, hit in found if hit)


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


def _compiled(wanted: Wanted) -> Any:
    options = re2.Options()
    options.case_sensitive = wanted.case_sensitive
    options.log_errors = False
    text = wanted.query if wanted.regex else re2.escape(wanted.query)
    try:
        return re2.compile(rf"\b(?:{text})\b" if wanted.whole_word else text, options=options)
    except re2.error as error:
        raise illegal_argument(f"invalid pattern [{wanted.query[:200]}]: {_reason(error)}") from error


def _reason(error: re2.error) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
