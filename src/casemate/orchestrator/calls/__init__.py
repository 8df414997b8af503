"""What the bodies of core tasks ask of the control plane: the KV store, states, logs, files, other executions.

Every question names a job and its fence. What may be asked at all is in the manifest of the job's task type; whose keys
and files are meant follows from the job's execution, never from what a worker says. What changes something is done once
for each attempt, however often it is asked: a worker that was lost after the answer asks again under its next fence.
"""

from casemate.orchestrator.calls.calls import Calls
from casemate.orchestrator.calls.kv import expiry
from casemate.orchestrator.calls.model import Caller, Refusal
from casemate.orchestrator.calls.sealing import NO_KEY, SEAL, own_outputs, sealed_text
from casemate.orchestrator.calls.values import checked_key, typed

__all__ = [
    "NO_KEY",
    "SEAL",
    "Caller",
    "Calls",
    "Refusal",
    "checked_key",
    "expiry",
    "own_outputs",
    "sealed_text",
    "typed",
]
