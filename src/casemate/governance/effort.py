"""What the rules may cost on one flow: whoever writes policies and flows must not keep the server busy with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from casemate.governance.errors import Unable
from casemate.patterns import EFFORT, PatternRefused, compiled, cost

CHECKS: Final = 200_000
"""How many conditions, properties and additions are looked at in one flow: a few seconds in the worst case."""


@dataclass(slots=True)
class Effort:
    """What is left of it. Raises `Unable` when it is used up."""

    checks: int = CHECKS
    steps: int = EFFORT

    def spend(self, checks: int) -> None:
        """Count some more checks."""
        self.checks -= checks
        if self.checks < 0:
            raise Unable(f"they ask for more than {CHECKS} checks of the flow")

    def fits(self, pattern: str, text: str) -> bool:
        """Does the pattern describe the whole text?"""
        found = usable(pattern)
        self.steps -= cost(found, text)
        if self.steps < 0:
            raise Unable("the patterns of policies would take too long on the flow")
        return found.fullmatch(text) is not None


def usable(pattern: str) -> Any:
    """The pattern; raises `ValueError` for one that cannot be used."""
    try:
        return compiled(pattern)
    except PatternRefused as error:
        raise ValueError(f"the pattern '{pattern}' is refused: {error}") from error
