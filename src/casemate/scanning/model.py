"""Rules and findings of the scan, as values: what a rule looks for, and what was found where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from casemate.documents import Mapping, Mark, Node, Scalar
from casemate.scanning.globs import PathPattern, shown

FLOW: Final = "flow/"
"""How the names of rules begin that the reader of flows applies: `flow/unknown-type`."""


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    """Takes down a wall, or has leaked something."""
    WARNING = "warning"
    """Weakens a wall, or will surprise somebody."""
    NOTE = "note"
    """Worth knowing."""

    def reaches(self, other: Severity) -> bool:
        """Is this at least as grave as the other?"""
        return GRAVITY.index(self) <= GRAVITY.index(other)


GRAVITY: Final = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One property, or one item of a list, as the matchers of rules see it."""

    key: str | int
    """The last step of its path."""
    steps: str
    """The path as patterns of paths see it: see `globs`."""
    node: Node
    mark: Mark
    """Where it begins: its key, or the item."""
    kind: str
    """The nearest `type` on the way to it, empty if there is none."""
    siblings: Mapping | None
    """The object that it is a property of."""
    lines: frozenset[int]
    """Where it begins, and all that it lies in."""

    @property
    def shown(self) -> str:
        """The path as users read it."""
        return shown(self.steps)

    @property
    def text(self) -> str | None:
        """What was written, if it is one text; null is no text."""
        return self.node.text if isinstance(self.node, Scalar) and self.node.value is not None else None


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text that a rule points at: from its first character to behind its last one.

    `what` may be shown: never a credential.
    """

    begin: int
    end: int
    what: str = ""


Detector: TypeAlias = Callable[[Place, str], Iterable[Span]]
"""Looks into the text of a place."""


@dataclass(frozen=True, slots=True)
class Present:
    """Matches a property that is there, with any value but null. `kind` must be found in the nearest `type`."""

    paths: PathPattern
    kind: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Holds:
    """Matches texts in which the detector finds something, at these paths or everywhere; `but` leaves some out."""

    detector: Detector
    paths: PathPattern | None = None
    but: PathPattern | None = None
    comments: bool = False
    """Looks into comments of the document, too."""
    keys: bool = False
    """Looks into the keys of maps, too."""


Matcher: TypeAlias = Present | Holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing to look for. `message` may hold `{what}`, which a detector says of what it has found."""

    id: str
    severity: Severity
    title: str
    message: str
    remedy: str
    matchers: tuple[Matcher, ...] = ()
    builtin: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Why a finding is not counted, and whether the flow says so itself or a file of rules."""

    reason: str
    in_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found at one place of a file; line and column count from 1. `path` is that of the property."""

    rule: str
    severity: Severity
    message: str
    file: str = ""
    line: int = 1
    column: int = 1
    path: str = ""
    remedy: str = ""
    suppressed: Suppression | None = None

    @property
    def counts(self) -> bool:
        """Nobody has said why it may stay."""
        return self.suppressed is None

    def located(self) -> str:
        """One line that an editor can jump to: `FILE:LINE:COLUMN: path: message (remedy) [rule]`."""
        subject = f"{self.path}: " if self.path else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        rule = "" if self.rule.startswith(FLOW) else f" [{self.rule}]"
        return f"{self.file}:{self.line}:{self.column}: {subject}{self.message}{remedy}{rule}"
