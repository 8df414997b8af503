"""What a filter is: a function of a value, its arguments and the run that it may charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from casemate.expressions.given import Given
from casemate.expressions.run import Run

Apply: TypeAlias = Callable[[Any, Given, Run], object]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter. Without `parameters` its arguments are ignored; null stays null unless it `takes_null`."""

    apply: Apply
    parameters: tuple[str, ...] | None = None
    takes_null: bool = False
    forgiving: bool = False  #: an undefined value counts as null
