"""Which types an installation allows: `kestra.plugins.security.{includes,excludes}` (spec/isolation 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from casemate.expressions import ExpressionError, matches

KEY: Final = "kestra.plugins.security"


def refused(name: str) -> tuple[str, str]:
    """What is said of a type that exists and must not be used: as of an unknown one, and why."""
    return f"Invalid type: {name}", f"Plugin '{name}' is not allowed by '{KEY}'."


@dataclass(frozen=True, slots=True)
class Allowed:
    """Two lists of names and regular expressions; an empty list of `includes` has every type in it.

    An entry means a type when it is, or as an expression describes the whole of, one of its names: older ones count as
    much as the true one, so that no spelling is a way around. What is excluded stays so, whatever includes it.
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def allows(self, names: Iterable[str]) -> bool:
        """May the type with these names be used?"""
        known = tuple(names)
        if any(means(entry, known) for entry in self.excludes):
            return False
        return not self.includes or any(means(entry, known) for entry in self.includes)


EVERYTHING: Final = Allowed()
"""Where no list says anything."""


def means(entry: str, names: Iterable[str]) -> bool:
    """Does an entry of either list stand for the type with these names? One that is no expression is only a name."""
    try:
        return any(entry == name or matches(entry, name) for name in names)
    except ExpressionError:
        return False
