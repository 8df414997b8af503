"""What one rendering may cost. A tenant's template may loop, double its texts and nest: all of it has an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from casemate.expressions.errors import BudgetExceeded

NESTING_LIMIT = 100
"""How deep brackets, tags and values may nest; Kestra's own limit of rendering passes is the same number."""

HEIGHT_LIMIT = 200
"""Levels of evaluation under way at once, those of `render()` included; each takes up to three Python frames."""

VALUE_NESTING_LIMIT = 150
"""How deep lists and maps in a value may nest when it is walked through."""

_DEADLINE_EVERY = 0x3FF  # steps between two looks at the deadline, less one


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one call of `render`, shared by everything that it renders."""

    steps: int = 1_000_000  #: operators, filters, calls, statements and printed elements
    characters: int = 50_000_000  #: text and list items walked through or made on the way
    output: int = 16_777_216  #: bytes of UTF-8 in one rendered text
    expired: Callable[[], bool] | None = None  #: asked now and then: is the caller's deadline over?


DEFAULT = Budget()


class Meter:
    """Counts down what is left of a budget."""

    __slots__ = ("_budget", "_characters", "_height", "_steps")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._steps = budget.steps
        self._characters = budget.characters
        self._height = 0

    def step(self) -> None:
        """Pay for one operation; raises `BudgetExceeded`."""
        self._steps -= 1
        if self._steps < 0:
            raise BudgetExceeded(f"The expression takes more than {self._budget.steps} steps")
        if not self._steps & _DEADLINE_EVERY and self._budget.expired is not None and self._budget.expired():
            raise BudgetExceeded("The expression takes longer than its deadline allows")

    def charge(self, size: int) -> None:
        """Pay for `size` characters or items, before making them: a doubled text must not exhaust the memory."""
        self._characters -= size
        if self._characters < 0:
            raise BudgetExceeded(f"The expression handles more than {self._budget.characters} characters")

    def emit(self, text: str) -> str:
        """Give back a text that was rendered, unless it is too long."""
        if len(text) > self._budget.output or (not text.isascii() and _bytes(text) > self._budget.output):
            raise BudgetExceeded(f"The rendered text is larger than {self._budget.output} bytes")
        return text

    @contextmanager
    def inside(self, height: int) -> Iterator[None]:
        """Evaluate a tree of that height inside what is under way."""
        if self._height + height > HEIGHT_LIMIT:
            raise BudgetExceeded(f"The expression nests deeper than {HEIGHT_LIMIT} levels")
        self._height += height
        try:
            yield
        finally:
            self._height -= height


def check_depth(depth: int) -> None:
    """Refuse values that nest too deeply to be walked through; raises `BudgetExceeded`."""
    if depth > VALUE_NESTING_LIMIT:
        raise BudgetExceeded(f"A value nests deeper than {VALUE_NESTING_LIMIT} levels")


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
