"""Sealing what a task must not leave in the clear (spec/engine 6.7). The key stays here."""

from __future__ import annotations

from casemate.keys import sealed_object
from casemate.orchestrator.calls.effects import Means, Outcome
from casemate.orchestrator.calls.model import Arguments, Caller, refuse


async def seal(means: Means, _caller: Caller, arguments: Arguments) -> Outcome:
    """The sealed object of a text. Without a key there is none: what is asked to be sealed is not left in the clear."""
    if means.seal is None:
        refuse("Unable to encrypt the output as encryption is not configured")
    return Outcome(sealed_object(means.seal(arguments.text("text"))))
