"""A value that must never be printed: everything shows it as `***`, one explicit call opens it."""

from __future__ import annotations

from typing import Final, NoReturn

HIDDEN: Final = "******"
"""Stands where people are shown something with a secret in it, as Kestra shows it."""


class Secret:
    """A secret text. `str`, `repr` and formatting give `***`; pickling and JSON refuse it; `reveal()` opens it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The clear text, for the one place that must have it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")

    def __getstate__(self) -> NoReturn:
        # Writers of other formats ask for this one.
        raise TypeError("a secret is never pickled")
