"""Secrets that no log can mask: their names are told, never their values (spec/security 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from casemate.masking import TOO_SHORT, maskable
from casemate.worker.model import Job


def warn_of_short(job: Job, names: Iterable[str]) -> None:
    """Say it once for each that the templates of a job were given: secrets of these names, and what was encrypted."""
    for what in (*(f"The secret '{name}'" for name in sorted(names)), *_sealed(job)):
        if what not in job.warned:
            job.warned.add(what)
            job.log.write("WARN", f"{what} {TOO_SHORT}")


def _sealed(job: Job) -> Iterator[str]:
    """What was encrypted has no name of its own: the inputs with this value have, anything else is an output."""
    values = {secret.reveal() for secret in job.grant.opened}
    for short in sorted(value for value in values if value and not maskable(value)):
        names = list(_named(job.grant.variables.get("inputs"), short, ""))
        yield from (f"The SECRET input '{name}'" for name in names)
        if not names:
            yield "An encrypted output"


def _named(value: object, wanted: str, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _named(one, wanted, f"{path}.{key}" if path else str(key))
    elif value == wanted:
        yield path
