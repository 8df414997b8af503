"""Findings that somebody has looked at: a comment in the flow, or an entry in a file of rules, says why they may stay.

A comment is `# casemate: allow RULE because REASON`. Behind something on its line it covers what begins on that line;
on a line of its own what begins on the next one: a property with all below it, a task, the whole flow at the very top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Final

from casemate.scanning.globs import PathPattern
from casemate.scanning.model import Finding, Rule, Severity

_COMMENT: Final = re.compile(
    r"(?:^|(?<=\s))#[ \t]*casemate:[ \t]*(?P<rest>(?:allow|ignore|disable|suppress)\b.*)$", re.IGNORECASE
)
_ALLOW: Final = re.compile(
    r"allow[ \t]+(?P<rules>[\w*,. /-]+?)(?:[ \t]+because\b[ \t:]*(?P<reason>.*))?[ \t]*", re.IGNORECASE
)
_LONGEST: Final = 500
_ONLY_COMMENT: Final = re.compile(r"\s*(?:#.*)?")

UNEXPLAINED: Final = Rule(
    id="suppression-without-reason",
    severity=Severity.ERROR,
    title="Suppression that does not say which rule and why",
    message="this suppression has no effect, because it does not say which rule and why",
    remedy="Write: # casemate: allow RULE because REASON",
)
UNUSED: Final = Rule(
    id="suppression-unused",
    severity=Severity.NOTE,
    title="Suppression that suppresses nothing",
    message="nothing here needs {what}",
    remedy="Remove it",
)
EXPIRED: Final = Rule(
    id="suppression-expired",
    severity=Severity.WARNING,
    title="Suppression whose time is over",
    message="the suppression of {what} ended on that day, and has no effect",
    remedy="Mend what it hides, or look at it again and set a later day",
)
ABOUT: Final = (UNEXPLAINED, UNUSED, EXPIRED)
"""Rules about suppressions, which nothing suppresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One suppression in the text of a flow."""

    rules: tuple[str, ...]
    reason: str
    line: int
    column: int
    target: int
    """The line that it covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One suppression in a file of rules. Empty texts and no pattern mean everything."""

    rule: str
    reason: str
    file: str = ""
    flow: str = ""
    path: PathPattern | None = None
    until: date | None = None
    source: str = ""
    line: int = 1
    column: int = 1

    def covers(self, file: str, flow: str) -> bool:
        """Is this flow, `namespace.id`, in this file meant?"""
        return fnmatchcase(file, self.file or "*") and fnmatchcase(flow, self.flow or "*")

    def is_over(self, today: date) -> bool:
        """Has its last day passed?"""
        return self.until is not None and self.until < today


def comments(lines: Sequence[str]) -> Iterator[Comment | Finding]:
    """The suppressions in the lines of a flow; a finding for each that cannot be understood."""
    targets: Sequence[int] = ()
    for number, line in enumerate(lines, 1):
        if "casemate" not in line.lower() or not (found := _COMMENT.search(line)):
            continue
        targets = targets or _targets(lines)
        column = found.start() + 1
        allow = _ALLOW.fullmatch(" ".join(found["rest"][:_LONGEST].split()))
        reason = (allow["reason"] or "").strip() if allow else ""
        if allow is None or not reason:
            yield told(UNEXPLAINED, line=number, column=column)
            continue
        target = targets[number - 1]
        rules = tuple(rule for rule in re.split(r"[\s,]+", allow["rules"]) if rule)
        yield Comment(rules=rules, reason=reason, line=number, column=column, target=target)


def _targets(lines: Sequence[str]) -> Sequence[int]:
    """For each line itself, if it holds more than a comment, or else the next one that does."""
    targets, target = [], len(lines)
    for number in range(len(lines), 0, -1):
        target = target if _ONLY_COMMENT.fullmatch(lines[number - 1]) else number
        targets.append(target)
    return targets[::-1]


def told(rule: Rule, *, line: int, column: int, what: str = "", file: str = "") -> Finding:
    """A finding of one of the rules about suppressions."""
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        message=rule.message.format(what=what),
        remedy=rule.remedy,
        file=file,
        line=line,
        column=column,
    )
