"""What the rules make of a flow: what they changed, what breaks them, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from casemate.documents import Document, Mark, Path, Plain, printed
from casemate.errors import Problem
from casemate.governance.laws import Law
from casemate.governance.words import Action

UNABLE = "Unable to apply plugin defaults: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One property that a rule has changed; the rule is the one that wrote it last."""

    action: Literal["ADDED", "REPLACED", "REMOVED"]
    path: Path
    law: Law
    value: Plain = None
    previous: Plain = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule that is broken. `task` is the id of the task or trigger it is about, `subject` how a message says so."""

    law: Law
    action: Action
    path: Path
    mark: Mark
    subject: str
    message: str
    advice: str = ""
    task: str | None = None

    @property
    def blocks(self) -> bool:
        """May such a flow not be saved, and not be run?"""
        return self.action is Action.BLOCK and not self.law.advisory

    def said(self) -> str:
        """The whole sentence, with the words of whoever wrote the rule (spec/isolation 13)."""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.law.named[0].upper()}{self.law.named[1:]}: {self.subject} {self.message}.{advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One rule adds what another one deletes."""

    path: Path
    mark: Mark
    add: Law
    delete: Law

    def said(self) -> str:
        """The whole sentence."""
        return f"{UNABLE}{self.add.named} adds {printed(self.path)}, which {self.delete.named} deletes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The document with every rule applied, and all that is to be told of it."""

    document: Document
    resolved: Document
    """The same without the task runners that nobody wrote and no rule has changed."""
    mutations: tuple[Mutation, ...] = ()
    violations: tuple[Violation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    faults: tuple[Problem, ...] = ()
    """References to what is not there, and rules that could not be applied."""
    notes: tuple[str, ...] = ()
    unable: Problem | None = None
    """Why the rules could not be applied at all, one of the faults."""

    def problems(self, flow: str) -> Iterator[Problem]:
        """What stands in the way of saving and of running the flow; `flow` is how messages name it."""
        yield from self.faults
        for conflict in self.conflicts:
            yield _problem("policy-conflict", conflict.said(), conflict.path, conflict.mark)
        for violation in self.violations:
            if violation.blocks:
                yield _problem("policy", f"{flow}: {violation.said()}", violation.path, violation.mark)

    def warnings(self) -> Iterator[Problem]:
        """What is only to be told; notes name their places themselves."""
        yield from (Problem(code="policy", message=note) for note in self.notes)
        for violation in self.violations:
            if not violation.blocks:
                yield _problem("policy", violation.said(), violation.path, violation.mark)


def _problem(code: str, message: str, path: Path, mark: Mark) -> Problem:
    return Problem(code=code, message=message, path=printed(path), line=mark.line, column=mark.column)
