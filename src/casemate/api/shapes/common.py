"""What many answers are made of: labels, counts, problems."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class LabelOf(TypedDict):
    """A label."""

    key: str
    value: str


class Count(TypedDict):
    """How many things were changed."""

    count: int


class Placed(TypedDict):
    """A problem with its place; line and column count from 1."""

    code: str
    message: str
    path: NotRequired[str]
    line: NotRequired[int]
    column: NotRequired[int]
    remedy: NotRequired[str]


class ErrorBody(TypedDict):
    """Every refusal."""

    message: str
    problems: NotRequired[list[Placed]]
