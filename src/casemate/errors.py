"""Failures a caller may meet: a user's mistake is a `Problem` value, the world's is a `CasemateError`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A user's mistake: what is wrong, where, and what to do about it.

    `path` names the place inside the document (`tasks[1].retry.maxAttempt`), `line` and `column` count from 1.
    `message` is Kestra's text wherever Kestra has one, because its users match on it. `reference` is how Kestra's
    parser names the same place where its form is another (spec/engine 1.1).
    """

    code: str
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    remedy: str = ""
    reference: str = ""

    def located(self, file: str) -> str:
        """One line an editor can jump to: `FILE:LINE:COLUMN: message`."""
        place = f"{file}:{self.line or 1}:{self.column or 1}"
        subject = f"{self.path}: " if self.path else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}: {subject}{self.message}{remedy}"

    def printed(self) -> str:
        """Kestra's own form of one violation, `path: message` (spec/engine 1.4)."""
        return f"{self.path}: {self.message}"


class CasemateError(Exception):
    """Something outside the user's document went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class Refused(CasemateError):
    """The document or the request has problems; every one of them is listed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.printed() for problem in self.problems) or None)
