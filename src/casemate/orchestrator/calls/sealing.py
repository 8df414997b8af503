"""Sealing what a task must not leave in the clear (spec/engine 6.7). The key stays here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Final, cast

from casemate.jobs import LogLine
from casemate.orchestrator import entries
from casemate.orchestrator.calls.effects import Means
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.sealed import Seal, Sealed, disowned, envelope
from casemate.store import Job, Tx, logs, replies

SEAL: Final = "text.seal"

NO_KEY: Final = "Unable to encrypt the output as encryption is not configured"
"""Kestra's text."""


def seal(tx: Tx, caller: Caller, arguments: Arguments, means: Means) -> dict[str, str]:
    """The envelope of a text; it is remembered that this job was given it.

    Without a key there is none: what is asked to be sealed is not left in the clear, unless
    `kestra.encryption.allow-plaintext` says so; then the task's log has a warning (spec/security 1.5).
    """
    if means.seal is None and means.plaintext:
        line = LogLine(at=caller.now, level="WARN", message=NO_KEY)
        run, job = caller.run, caller.job
        logs.append(tx, tuple(entries.of_lines(caller.execution, run.id, job.attempt, [line], len(NO_KEY))))
    sealed = sealed_text(arguments.text("text"), means.seal, plaintext=means.plaintext)
    if sealed is None:
        refuse(NO_KEY)
    if replies.of(tx, caller.job, given := _given(sealed["value"])) is None:
        replies.keep(tx, caller.job, given, True)
    return sealed


def sealed_text(text: str, seal: Seal, *, plaintext: bool) -> dict[str, str] | None:
    """The envelope of a text; None if there is no key, and it must not be left in the clear."""
    if seal is None:
        return envelope(Sealed(text)) if plaintext else None
    return envelope(seal(text))


def own_outputs(tx: Tx, job: Job, outputs: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """What a job reports, in which only envelopes that were sealed for it are any: see `disowned`."""
    if outputs is None:
        return None
    given = cache(lambda: replies.answered(tx, job))  # few outputs have an envelope at all
    return cast("Mapping[str, object]", disowned(outputs, lambda cipher: _given(cipher) in given()))


def _given(cipher: str) -> str:
    return f"{SEAL} {sha256(cipher.encode()).hexdigest()}"
