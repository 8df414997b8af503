"""Looking for texts in the sources of flows, and replacing them."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from casemate.api.shapes.flows import Flow, FlowName
from casemate.api.sources import Scope


class SourceMatch(TypedDict):
    """A place in a source that matches; line and column count from 1."""

    line: int
    column: int
    snippet: str


class SourceFound(TypedDict):
    """A flow whose source matches."""

    namespace: str
    id: str
    editable: bool
    matches: list[SourceMatch]


class SourcesFound(TypedDict):
    """A page of matching sources."""

    results: list[SourceFound]
    total: int


@with_config(ConfigDict(extra="ignore"))
class Replacing(TypedDict):
    """What is to be replaced in sources."""

    query: str
    replacement: str
    caseSensitive: NotRequired[bool | None]
    wholeWord: NotRequired[bool | None]
    regex: NotRequired[bool | None]


class ReplacePreview(Replacing):
    """In which flows it would be."""

    namespace: NotRequired[str | None]
    scope: NotRequired[Scope | None]


class ReplaceApply(Replacing):
    """In which flows it is to be."""

    flows: list[FlowName]
    scope: NotRequired[Scope | None]


class ReplaceLine(Replacing):
    """In which line; line and column count from 1."""

    namespace: str
    id: str
    line: NotRequired[int | None]
    column: NotRequired[int | None]


class ReplacedLine(TypedDict):
    """A line before and after."""

    line: int
    before: str
    after: str


class ReplacedFlow(TypedDict):
    """The lines of one flow that would change."""

    namespace: str
    id: str
    editable: bool
    matches: list[ReplacedLine]


class ReplacePreviewed(TypedDict):
    """What would change."""

    totalMatches: int
    totalFlows: int
    editableFlowCount: int
    flows: list[ReplacedFlow]


class NotReplaced(TypedDict):
    """A flow that stays as it is, and why."""

    namespace: str
    id: str
    reason: str
    message: NotRequired[str]


class ReplaceApplied(TypedDict):
    """What was changed, and what was not."""

    updated: list[Flow]
    skipped: list[NotReplaced]
