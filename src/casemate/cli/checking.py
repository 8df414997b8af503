"""What `casemate flow validate` finds in files: by the reader of flows, here or on a server, and by the scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

from casemate.catalog import Catalog
from casemate.cli.files import Odd, Unreadable, regular_text_of
from casemate.documents import Document, Mark, Reading, examine
from casemate.errors import Problem
from casemate.flows import Flow, Judge, flow_of, split_documents, warnings
from casemate.identifiers import MAIN
from casemate.scanning import FLOW, Checked, Entry, Finding, Ruleset, Severity, places, scan

DEPRECATED: Final = "deprecated"
RELOCATED: Final = "relocated"
REMARK: Final = "remark"
"""Kinds of remarks on a flow that is valid."""
_START: Final = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file, after so many lines of it."""

    before: int
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reader of flows says of one document; problems are placed within the document."""

    name: str = ""
    problems: tuple[Problem, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    """The kind of each, and its text; for a deprecation the path."""
    advised: tuple[Problem, ...] = ()
    """What policies warn of."""


Reader: TypeAlias = Callable[[str, Sequence[Part]], Sequence[Verdict]]
"""Judges the text of a file with its parts, one verdict for each."""


@dataclass(slots=True)
class Check:
    """Checks files one after the other; `used` are the suppressions of the ruleset that were needed so far."""

    reader: Reader
    ruleset: Ruleset | None
    today: date
    used: set[Entry] = field(default_factory=set)

    def all_of(self, files: Iterable[Path | Odd]) -> Iterator[Checked]:
        """What is found in each document of each file."""
        for file in files:
            if isinstance(file, Odd):
                yield Checked(file=str(file.path), findings=(_whole(file.path, "odd-file", file.reason),))
            else:
                yield from self._file(file)

    def _file(self, file: Path) -> Iterator[Checked]:
        try:
            text = regular_text_of(file)
        except Unreadable as error:
            yield Checked(file=str(file), findings=(_whole(file, "unreadable", error.reason),))
            return
        parts = [Part(before, examine(part)) for before, part in split_documents(text)]
        for part, verdict in zip(parts, self.reader(text, parts), strict=True):
            told = _told(verdict, part, str(file))
            yield Checked(file=str(file), name=verdict.name, findings=(*told, *self._scanned(part, str(file))))

    def _scanned(self, part: Part, file: str) -> tuple[Finding, ...]:
        if self.ruleset is None or part.reading.document is None:
            return ()
        scanned = scan(part.reading.document, self.ruleset, file=file, today=self.today, before=part.before)
        self.used |= scanned.used
        return scanned.findings


def local_reader(catalog: Catalog, judge: Judge) -> Reader:
    """Judges with the task types of this installation, and asks this judge about each task."""
    return lambda _text, parts: [_judged(part.reading, catalog, judge) for part in parts]


def _judged(reading: Reading, catalog: Catalog, judge: Judge) -> Verdict:
    flow = flow_of(reading, catalog, MAIN, judge=judge)
    if not isinstance(flow, Flow) or reading.document is None:
        return Verdict(problems=() if isinstance(flow, Flow) else flow)
    found = warnings(flow, reading.document, catalog)
    remarks = (
        *((REMARK, warning) for warning in found.warnings),
        *((DEPRECATED, path) for path in found.deprecations),
        *((RELOCATED, info) for info in found.infos),
    )
    return Verdict(name=f"{flow.namespace} / {flow.id}", remarks=remarks, advised=found.advised)


def _told(verdict: Verdict, part: Part, file: str) -> Iterator[Finding]:
    """The verdict as findings, with their lines in the file."""
    unplaced = verdict.remarks or any(one.line is None for one in (*verdict.problems, *verdict.advised))
    marks = _marks(part.reading.document) if unplaced else {}
    for severity, problems in ((Severity.ERROR, verdict.problems), (Severity.NOTE, verdict.advised)):
        for one in problems:
            mark = Mark(one.line, one.column or 1) if one.line else marks.get(one.path, _START)
            yield _finding(one.code, severity, one.message, file, part.before, mark, one.path, one.remedy)
    for kind, text in verdict.remarks:
        path, message = (text, f"{text} is deprecated") if kind == DEPRECATED else ("", text)
        yield _finding(kind, Severity.NOTE, message, file, part.before, marks.get(path, _START), path)


def _finding(
    kind: str, severity: Severity, message: str, file: str, before: int, mark: Mark, path: str = "", remedy: str = ""
) -> Finding:
    return Finding(
        rule=f"{FLOW}{kind}",
        severity=severity,
        message=message,
        file=file,
        line=mark.line + before,
        column=mark.column,
        path=path,
        remedy=remedy,
    )


def _marks(document: Document | None) -> dict[str, Mark]:
    """Where each property of a document stands, by its path as users read it."""
    return {place.shown: place.mark for place in places(document.root)} if document else {}


def _whole(file: Path, kind: str, reason: str) -> Finding:
    return Finding(rule=f"{FLOW}{kind}", severity=Severity.ERROR, message=reason, file=str(file))
