"""Sealing what a task must not leave in the clear (spec/engine 6.7). The key stays here."""

from __future__ import annotations

from casemate.jobs import LogLine
from casemate.orchestrator import entries
from casemate.orchestrator.calls.effects import Means, Outcome
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.sealed import Seal, Sealed, envelope
from casemate.store import logs

NO_KEY = "Unable to encrypt the output as encryption is not configured"
"""Kestra's text."""


async def seal(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """The envelope of a text. Without a key there is none: what is asked to be sealed is not left in the clear,
    unless `kestra.encryption.allow-plaintext` says so; then the task's log has a warning (spec/security 1.5).
    """
    text = arguments.text("text")
    if means.seal is None and means.plaintext:
        line = LogLine(at=caller.now, level="WARN", message=NO_KEY)
        run, job = caller.run, caller.job
        written = tuple(entries.of_lines(caller.execution, run.id, job.attempt, [line], len(NO_KEY)))
        await means.db.transact(logs.append, written)
    sealed = sealed_text(text, means.seal, plaintext=means.plaintext)
    return Outcome(sealed) if sealed is not None else refuse(NO_KEY)


def sealed_text(text: str, seal: Seal, *, plaintext: bool) -> dict[str, str] | None:
    """The envelope of a text; None if there is no key, and it must not be left in the clear."""
    if seal is None:
        return envelope(Sealed(text)) if plaintext else None
    return envelope(seal(text))
