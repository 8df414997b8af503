"""Failures of secret backends. No text of theirs may hold a value, an answer of a server, or a credential."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.errors import CasemateError
from casemate.identifiers import Namespace


class BackendFailed(CasemateError):
    """A secret backend gave no answer. `passing` failures may be over at the next try; others are not.

    `of_one`: what passes concerns the one secret that was asked for, and tells nothing of the store as a whole.
    """

    def __init__(self, message: str, *, passing: bool = False, of_one: bool = False) -> None:
        super().__init__(message)
        self.passing = passing
        self.of_one = of_one


class ReadOnly(CasemateError):
    """Secrets can be read from there, and not changed (spec/security 2.5)."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(f"Secrets of namespace '{namespace}' are read-only.")


class Denied(CasemateError):
    """A service asked that gets no secrets (spec/security 2.8)."""

    def __init__(self, service: str) -> None:
        super().__init__(f"Access to secrets is denied for service {service}.")


class NoField(CasemateError):
    """A secret has no such field, or no fields at all (spec/security 2.1)."""


class NotAllowed(CasemateError):
    """A namespace does not let another one read what is its own (spec/security 2.1)."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(f"Namespace {namespace} is not allowed.")


class InvalidOptions(CasemateError):
    """The options of a secret backend: every fault, each naming its key; no value is quoted."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class MissingExtra(CasemateError):
    """The official client of a secret backend is not installed."""

    def __init__(self, kind: str, extra: str) -> None:
        super().__init__(f"kestra.secret.type {kind} needs its client: pip install 'casemate[{extra}]'")
