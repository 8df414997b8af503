"""Rules that belong together: the built-in ones, and what files of rules add to them, change and suppress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Final

import re2

from casemate.documents import Mapping, Mark, Node, Scalar, Sequence, examine
from casemate.errors import Problem, Refused
from casemate.scanning.builtin import BUILTIN
from casemate.scanning.globs import PathPattern, PatternInvalid, pattern
from casemate.scanning.model import Detector, Holds, Matcher, Place, Present, Rule, Severity, Span
from casemate.scanning.suppressions import Entry

_ID: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_MEMORY: Final = 8 * 1024 * 1024
"""Bytes that the automaton of one pattern may take; its time is linear in the text."""
_FORM: Final[AnyMapping[str, frozenset[str]]] = {
    "": frozenset(("rules", "severities", "suppress")),
    "rules": frozenset(("id", "severity", "title", "message", "remedy", "path", "pattern")),
    "suppress": frozenset(("rule", "reason", "file", "flow", "path", "until")),
}


@dataclass(frozen=True, eq=False)
class Ruleset:
    """What a scan looks for, and which findings may stay. Compared by identity: results are kept by it."""

    rules: tuple[Rule, ...] = BUILTIN
    entries: tuple[Entry, ...] = ()

    @cached_property
    def by_path(self) -> Ruleset:
        """Only what looks at paths, not into every text."""
        kept = (replace(rule, matchers=tuple(one for one in rule.matchers if one.paths)) for rule in self.rules)
        return Ruleset(tuple(kept))

    @cached_property
    def about_comments(self) -> tuple[tuple[Rule, Detector], ...]:
        """What looks into comments."""
        found = ((rule, one) for rule in self.rules for one in rule.matchers if isinstance(one, Holds) and one.comments)
        return tuple((rule, one.detector) for rule, one in found)


def extended(ruleset: Ruleset, text: str, source: str) -> Ruleset:
    """The ruleset with what a file of rules says. `source` is its name. Raises `Refused` with every problem."""
    reading = examine(text, subject="rules", aliases=False)
    if reading.problems or reading.document is None:
        raise Refused(reading.problems)
    return _Reader(ruleset, source).read(reading.document.root)


class _Reader:
    """Reads one file of rules, and collects what is wrong with it."""

    def __init__(self, ruleset: Ruleset, source: str) -> None:
        self._rules = {rule.id: rule for rule in ruleset.rules}
        self._entries = list(ruleset.entries)
        self._source = source
        self._problems: list[Problem] = []

    def read(self, root: Node) -> Ruleset:
        """The whole file; own rules first, because the rest may name them."""
        parts = self._properties(root, "")
        for node in self._items(parts.get("rules")):
            self._rule(node)
        if (severities := parts.get("severities")) is not None:
            self._severities(severities)
        for node in self._items(parts.get("suppress")):
            self._entry(node)
        if self._problems:
            raise Refused(self._problems)
        return Ruleset(tuple(self._rules.values()), tuple(self._entries))

    def _rule(self, node: Node) -> None:
        given = self._properties(node, "rules")
        name = self._text(given, "id", node)
        if name and (not _ID.fullmatch(name) or name in self._rules):
            known = "there is a rule of that name already" if name in self._rules else "use small letters, digits and -"
            self._refuse(f"{name} cannot be the id of a rule", given["id"], known)
        message, matcher = self._text(given, "message", node), self._matcher(given, node)
        severity = self._severity(given["severity"]) if "severity" in given else Severity.WARNING
        if name and message and matcher:
            self._rules.setdefault(name, Rule(
                id=name,
                severity=severity,
                title=self._optional(given, "title") or message,
                message=message,
                remedy=self._optional(given, "remedy"),
                matchers=(matcher,),
                builtin=False,
            ))  # fmt: skip

    def _matcher(self, given: AnyMapping[str, Node], owner: Node) -> Matcher | None:
        paths = self._pattern(given["path"]) if "path" in given else None
        if "pattern" in given:
            detector = self._detector(given["pattern"])
            return Holds(detector, paths) if detector else None
        if "path" not in given:
            self._refuse("a rule needs a path, a pattern, or both", owner, "write path: **.uri, for instance")
        return Present(paths) if paths else None

    def _detector(self, node: Node) -> Detector | None:
        options = re2.Options()
        options.log_errors, options.max_mem = False, _MEMORY
        try:
            return _searching(re2.compile(self._scalar(node), options))
        except re2.error as error:
            self._refuse(f"the pattern cannot be read: {_worded(error)}", node, "write it as RE2 knows it")
            return None

    def _pattern(self, node: Node) -> PathPattern | None:
        texts = [self._scalar(one) for one in (node.items if isinstance(node, Sequence) else (node,))]
        try:
            return pattern(*texts)
        except PatternInvalid as error:
            self._refuse(str(error), node, "write a path such as tasks[*].uri or **.uri")
            return None

    def _severities(self, node: Node) -> None:
        for entry in node.entries if isinstance(node, Mapping) else ():
            rule, severity = self._rules.get(entry.key), self._severity(entry.value)
            if rule is None:
                self._refuse(f"there is no rule {entry.key}", entry.mark)
            else:
                self._rules[entry.key] = replace(rule, severity=severity)
        if not isinstance(node, Mapping):
            self._refuse("severities is a map from rules to severities", node)

    def _severity(self, node: Node) -> Severity:
        text = self._scalar(node)
        if text not in tuple(Severity):
            self._refuse(f"{text or 'this'} is no severity", node, f"write {', '.join(Severity)}")
            return Severity.ERROR
        return Severity(text)

    def _entry(self, node: Node) -> None:
        given = self._properties(node, "suppress")
        rule = self._text(given, "rule", node)
        if rule and rule != "*" and rule not in self._rules:
            self._refuse(f"there is no rule {rule}", given["rule"])
        reason = self._text(given, "reason", node)
        self._entries.append(
            Entry(
                rule=rule,
                reason=reason,
                file=self._optional(given, "file"),
                flow=self._optional(given, "flow"),
                path=self._pattern(given["path"]) if "path" in given else None,
                until=self._day(given["until"]) if "until" in given else None,
                source=self._source,
                line=node.mark.line,
                column=node.mark.column,
            )
        )

    def _day(self, node: Node) -> date | None:
        try:
            return date.fromisoformat(self._scalar(node))
        except ValueError:
            self._refuse(f"{self._scalar(node)} is no day", node, "write it as 2027-01-31")
            return None

    def _properties(self, node: Node, part: str) -> dict[str, Node]:
        """The properties of an object; problems for those that nobody knows."""
        if not isinstance(node, Mapping):
            self._refuse(f"{part or 'a file of rules'} holds objects", node, f"with {', '.join(sorted(_FORM[part]))}")
            return {}
        for entry in node.entries:
            if entry.key not in _FORM[part]:
                self._refuse(
                    f"{entry.key} is not known here", entry.mark, f"there are {', '.join(sorted(_FORM[part]))}"
                )
        return {entry.key: entry.value for entry in node.entries}

    def _items(self, node: Node | None) -> tuple[Node, ...]:
        if isinstance(node, Sequence):
            return node.items
        if node is not None:
            self._refuse("this must be a list", node)
        return ()

    def _text(self, given: AnyMapping[str, Node], key: str, owner: Node) -> str:
        """A text that must be there, and hold something."""
        text = self._optional(given, key)
        if not text:
            self._refuse(f"{key} is missing", given.get(key, owner))
        return text

    def _optional(self, given: AnyMapping[str, Node], key: str) -> str:
        return self._scalar(given[key]).strip() if key in given else ""

    def _scalar(self, node: Node) -> str:
        if isinstance(node, Scalar):
            return "" if node.value is None else node.text
        self._refuse("this must be a text", node)
        return ""

    def _refuse(self, message: str, at: Node | Mark, remedy: str = "") -> None:
        mark = at if isinstance(at, Mark) else at.mark
        self._problems.append(Problem(code="rules", message=message, line=mark.line, column=mark.column, remedy=remedy))


def _searching(compiled: Any) -> Callable[[Place, str], Iterator[Span]]:
    def search(_place: Place, text: str) -> Iterator[Span]:
        for found in compiled.finditer(text):
            yield Span(found.start(), found.end(), found.group()[:80])

    return search


def _worded(error: re2.error) -> str:
    cause = error.args[0] if error.args else ""
    return cause.decode(errors="replace") if isinstance(cause, bytes) else str(cause)
