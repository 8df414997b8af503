"""The words a template is cut into, and the cursor that the parser moves over them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from casemate.expressions.errors import Malformed


class Kind(StrEnum):
    """What a token is; the names appear in Kestra's error texts."""

    TEXT = "TEXT"
    PRINT_START = "PRINT_START"
    PRINT_END = "PRINT_END"
    EXECUTE_START = "EXECUTE_START"
    EXECUTE_END = "EXECUTE_END"
    NAME = "NAME"
    OPERATOR = "OPERATOR"
    PUNCTUATION = "PUNCTUATION"
    NUMBER = "NUMBER"
    LONG = "LONG"
    STRING = "STRING"
    INTERPOLATION_START = "STRING_INTERPOLATION_START"
    INTERPOLATION_END = "STRING_INTERPOLATION_END"
    EOF = "EOF"


@dataclass(frozen=True, slots=True)
class Token:
    """One word, with the line where it starts (from 1)."""

    kind: Kind
    value: str | None
    line: int

    def is_(self, kind: Kind, value: str) -> bool:
        """Of that kind, with that text."""
        return self.kind is kind and self.value == value

    def punctuates(self, mark: str) -> bool:
        """That punctuation mark."""
        return self.kind is Kind.PUNCTUATION and self.value == mark


class Stream:
    """A cursor over tokens; the last one is EOF and is never passed."""

    __slots__ = ("_at", "_tokens", "current")

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self.current = tokens[0]

    def peek(self) -> Token:
        """The token after the current one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Step over the current token and give it back."""
        passed = self.current
        self._at = min(self._at + 1, len(self._tokens) - 1)
        self.current = self._tokens[self._at]
        return passed

    def expect(self, kind: Kind, value: str | None = None) -> Token:
        """Step over a token that must be there; raises `Malformed` when another is."""
        token = self.current
        if token.kind is not kind or (value is not None and token.value != value):
            shown = "null" if token.value is None else token.value
            raise Malformed(
                f'Unexpected token of value "{shown}" and type {token.kind}, expected token of type {kind}', token.line
            )
        return self.advance()

    def accept(self, mark: str) -> bool:
        """Step over that punctuation mark if it stands here."""
        if not self.current.punctuates(mark):
            return False
        self.advance()
        return True
