"""How an expression fails: what callers see (`ExpressionError`), and the unplaced faults raised inside."""

from __future__ import annotations

from casemate.errors import CasemateError

_PACKAGE = "io.pebbletemplates.pebble.error"


class ExpressionError(CasemateError):
    """The expression could not be evaluated."""


class NeedsWorld(ExpressionError):
    """The expression needs a function that nobody can answer here; `function` names it."""

    def __init__(self, function: str) -> None:
        self.function = function
        super().__init__(f"The function '{function}' can not be answered here.")


class BudgetExceeded(ExpressionError):
    """The expression is too expensive."""


class Fault(Exception):
    """A failure inside a template that does not know its template yet; `line` counts from 1, 0 is not known yet."""

    kind = "PebbleException"

    def __init__(self, message: str, line: int = 0) -> None:
        self.message = message
        self.line = line
        super().__init__(message)

    def placed(self, template: str) -> ExpressionError:
        """The error a caller sees, in Kestra's words (spec/engine 6.3)."""
        return ExpressionError(f"{_PACKAGE}.{self.kind}: {self.message} ({template}:{self.line or 1})")


class Malformed(Fault):
    """The template is not written as the language wants it."""

    kind = "ParserException"


class Unanswered(Fault):
    """The world refused an answer, such as a secret. It keeps its own words wherever in an expression it stands."""


class Undefined(Fault):
    """A name leads nowhere; `is defined`, `default` and `??` forgive it."""

    def placed(self, template: str) -> ExpressionError:
        """Kestra's text for an unknown variable."""
        return ExpressionError(
            f"Unable to find `{self.message}` used in the expression `{template}` at line {self.line or 1}"
        )
