"""The scan of one document: every rule at every place, then what the suppressions say of the findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from itertools import chain, islice
from typing import Final

from casemate.documents import Document, Mapping, Mark, Node, Scalar, examine
from casemate.scanning.locating import Locator
from casemate.scanning.model import GRAVITY, Finding, Holds, Matcher, Place, Present, Rule, Span, Suppression
from casemate.scanning.places import places
from casemate.scanning.rules import Ruleset
from casemate.scanning.suppressions import EXPIRED, UNUSED, Comment, Entry, comments, told

_TEMPLATED: Final = (".TemplatedTask", "spec")
_MOST: Final = 1000
"""Findings of one document: whoever has a thousand needs no more."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan of one document has found, and which entries of the ruleset it has used."""

    findings: tuple[Finding, ...]
    used: frozenset[Entry]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A finding with the lines on which something begins that it lies in."""

    finding: Finding
    steps: str
    lines: frozenset[int]


@dataclass(slots=True)
class _Judge:
    """What may stay: by a comment or else the first entry that covers it. Notes which was used, and what was seen."""

    by_place: AnyMapping[tuple[int, str], Comment]
    entries: Sequence[Entry]
    used: set[Comment | Entry] = field(default_factory=set)
    seen: set[tuple[str, int]] = field(default_factory=set)
    """Rules and the lines on which they found something."""

    def judged(self, hit: _Hit) -> Finding:
        """The finding, suppressed if something covers it."""
        self.seen.add((hit.finding.rule, hit.finding.line))
        for key in ((line, rule) for line in sorted(hit.lines) for rule in (hit.finding.rule, "*")):
            if comment := self.by_place.get(key):
                self.used.add(comment)
                return replace(hit.finding, suppressed=Suppression(reason=comment.reason, in_source=True))
        for entry in self.entries:
            if entry.rule in (hit.finding.rule, "*") and (entry.path is None or entry.path.matches(hit.steps)):
                self.used.add(entry)
                return replace(hit.finding, suppressed=Suppression(reason=entry.reason, in_source=False))
        return hit.finding


def scan(document: Document, ruleset: Ruleset, *, file: str, today: date, before: int = 0) -> Scanned:
    """What the rules find in a document, in the order of lines. `before` lines of its file stand before it.

    `today` is what the ends of suppressions are compared with.
    """
    lines = document.text.splitlines()
    said = list(comments(lines))
    notes = [one for one in said if isinstance(one, Finding)]
    allowing = [one for one in said if isinstance(one, Comment)]
    name = flow_name(document.root)
    entries = [entry for entry in ruleset.entries if entry.covers(file, name) and not entry.is_over(today)]
    by_place = {(one.target, rule): one for one in reversed(allowing) for rule in one.rules}
    judge = _Judge(by_place, entries)
    hits = chain(_hits(document.root, ruleset, lines), _in_comments(document.root, ruleset, lines, judge.seen))
    found = _gravest(map(judge.judged, hits))
    notes += [_unused(comment, ruleset) for comment in allowing if comment not in judge.used]
    shifted = [replace(one, file=file, line=one.line + before) for one in (*found, *notes)]
    return Scanned(tuple(shifted), frozenset(one for one in judge.used if isinstance(one, Entry)))


def about_entries(ruleset: Ruleset, used: frozenset[Entry], today: date) -> Iterator[Finding]:
    """What is to be told of the suppressions of a ruleset after a whole run: unused ones, and ones that are over."""
    for entry in ruleset.entries:
        rule = EXPIRED if entry.is_over(today) else UNUSED if entry not in used else None
        if rule is not None:
            yield told(rule, line=entry.line, column=entry.column, what=entry.rule, file=entry.source)


def flow_name(root: Node) -> str:
    """`namespace.id` as far as the document says them."""
    entries = (root.entry(key) for key in ("namespace", "id")) if isinstance(root, Mapping) else ()
    return ".".join(entry.value.text if entry and isinstance(entry.value, Scalar) else "" for entry in entries)


def _hits(root: Node, ruleset: Ruleset, lines: Sequence[str]) -> Iterator[_Hit]:
    for place in places(root):
        for rule, span in _in_key(place, ruleset):
            yield _hit(place, rule, span, place.mark)
        locator = Locator(place.node, lines)
        for rule, piece in _found(place, ruleset):
            yield _hit(place, rule, piece, place.mark if piece is None else locator.mark(piece))
        for inner, rule, span in _within(place, ruleset):
            yield _hit(replace(place, steps=inner.steps), rule, span, locator.mark(span))


def _in_comments(root: Node, ruleset: Ruleset, lines: Sequence[str], known: set[tuple[str, int]]) -> Iterator[_Hit]:
    """What stands behind a # where nothing was found so far: whoever reads the flow reads its comments."""
    for number, line in enumerate(lines, 1):
        for rule, detector in ruleset.about_comments if "#" in line else ():
            mark = Mark(number, 1)
            node, around = Scalar(line, line, mark, True), frozenset((root.mark.line,))
            whole = Place(key="", steps="", node=node, mark=mark, kind="", siblings=None, lines=around)
            for span in detector(whole, line):
                if "#" in line[: span.begin] and (rule.id, number) not in known:
                    yield _hit(whole, rule, span, Mark(number, span.begin + 1))


def _found(place: Place, ruleset: Ruleset) -> Iterator[tuple[Rule, Span | None]]:
    """The rules that match a place, and which piece of its text; None for the whole property."""
    for rule, matcher in _interested(ruleset, place.steps):
        if isinstance(matcher, Present):
            if _is_given(place.node) and (matcher.kind is None or matcher.kind(place.kind)):
                yield rule, None
        elif (text := place.text) is not None:
            for span in matcher.detector(place, text):
                yield rule, span


def _in_key(place: Place, ruleset: Ruleset) -> Iterator[tuple[Rule, Span]]:
    """What the key of a place holds, which expressions and programs may read like any text."""
    for rule, matcher in _interested(ruleset, place.steps) if isinstance(place.key, str) else ():
        if isinstance(matcher, Holds) and matcher.keys:
            for span in matcher.detector(place, str(place.key)):
                yield rule, span


@lru_cache(maxsize=4096)
def _interested(ruleset: Ruleset, steps: str) -> tuple[tuple[Rule, Matcher], ...]:
    """Which rules look at a path at all: flows have few different ones."""
    return tuple((rule, matcher) for rule in ruleset.rules for matcher in rule.matchers if _looks_at(matcher, steps))


def _looks_at(matcher: Matcher, steps: str) -> bool:
    if isinstance(matcher, Holds) and matcher.but is not None and matcher.but.matches(steps):
        return False
    return matcher.paths is None or matcher.paths.matches(steps)


def _is_given(node: Node) -> bool:
    return not isinstance(node, Scalar) or node.value is not None


def _within(place: Place, ruleset: Ruleset) -> Iterator[tuple[Place, Rule, Span]]:
    """What is found in the task that a `TemplatedTask` writes down as a text, and where in that text it begins."""
    kind, key = _TEMPLATED
    if place.key != key or not place.kind.endswith(kind) or place.text is None:
        return
    reading = examine(place.text)
    starts = [0]
    for line in place.text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for inner in places(reading.document.root) if reading.document else ():
        moved = replace(inner, steps=place.steps + inner.steps)
        for rule, _ in _found(moved, ruleset.by_path):
            begin = starts[inner.mark.line - 1] + inner.mark.column - 1
            yield moved, rule, Span(begin, begin + 1)


def _hit(place: Place, rule: Rule, span: Span | None, mark: Mark) -> _Hit:
    finding = Finding(
        rule=rule.id,
        severity=rule.severity,
        message=rule.message.replace("{what}", span.what if span else ""),
        line=mark.line,
        column=mark.column,
        path=place.shown,
        remedy=rule.remedy,
    )
    return _Hit(finding, place.steps, place.lines if mark.line in place.lines else place.lines | {mark.line})


def _gravest(findings: Iterable[Finding]) -> list[Finding]:
    """No more than anybody reads, in the order of lines; what does not count never crowds out what does."""
    kept, left = list[Finding](), iter(findings)
    while some := [*islice(left, _MOST)]:
        kept = sorted((*kept, *some), key=lambda one: (not one.counts, GRAVITY.index(one.severity)))[:_MOST]
    return sorted(kept, key=lambda one: (one.line, one.column))


def _unused(comment: Comment, ruleset: Ruleset) -> Finding:
    known = {rule.id for rule in ruleset.rules} | {"*"}
    strange = [rule for rule in comment.rules if rule not in known]
    what = f"{strange[0]}, which is the name of no rule" if strange else ", ".join(comment.rules)
    return told(UNUSED, line=comment.line, column=comment.column, what=what)
