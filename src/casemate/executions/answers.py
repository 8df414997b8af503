"""Answers of the world wait in the execution until its next decision: sealed, as they may hold what a secret gave."""

from __future__ import annotations

import json
from dataclasses import replace

from casemate.executions.model import Answer
from casemate.sealed import Seal, Unseal, envelope, sealed_in


def waiting(answer: Answer, seal: Seal) -> Answer:
    """The answer as it is stored; without a key, or where it tells nothing, as it is."""
    if seal is None or answer.value is None or isinstance(answer.value, bool):
        return answer
    return replace(answer, value=envelope(seal(json.dumps(answer.value))), sealed=True)


def value_of(answer: Answer, unseal: Unseal) -> object:
    """The value of one that has waited. Raises what `unseal` raises."""
    sealed = sealed_in(answer.value) if answer.sealed else None
    return answer.value if sealed is None or unseal is None else json.loads(unseal(sealed))
