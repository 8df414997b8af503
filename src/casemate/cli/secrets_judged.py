"""Whether the secrets that flows name are there: each is asked for as a task would, and what it gives is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from casemate.cli.secrets_named import Mention, Source
from casemate.expressions import NamedSecret
from casemate.identifiers import Namespace, TenantId
from casemate.secrets import BackendFailed, Denied, Found, NoField, NotAllowed, Secrets, field_of
from casemate.settings import Service

_AS: Final = Service.WORKER


class Outcome(StrEnum):
    """What became of asking for a secret."""

    FOUND = "found"
    MISSING = "missing"
    FAILED = "failed"
    """Its store gave no answer: whether it is there is not known."""
    UNJUDGED = "not judged"
    """Its name is worked out when the flow runs."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One mention, what became of asking for it, and why; no text quotes a value."""

    mention: Mention
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A flow with all that it names."""

    source: Source
    judged: tuple[Judged, ...]

    def having(self, outcome: Outcome) -> tuple[Judged, ...]:
        """Those of one outcome."""
        return tuple(one for one in self.judged if one.outcome is outcome)


class Judge:
    """Asks the stores of one tenant. What is named often is asked for once."""

    def __init__(self, secrets: Secrets, tenant: TenantId) -> None:
        self._secrets = secrets
        self._tenant = tenant
        self._known: dict[tuple[Namespace, NamedSecret], tuple[Outcome, str]] = {}

    def all_of(self, sources: Iterable[Source]) -> Iterator[Checked]:
        """One flow after the other."""
        for source in sources:
            yield Checked(source, tuple(self._judged(source.namespace, one) for one in source.mentions))

    def _judged(self, namespace: Namespace, mention: Mention) -> Judged:
        asked = (namespace, mention.named)
        if asked not in self._known:
            self._known[asked] = self._outcome(namespace, mention.named)
        return Judged(mention, *self._known[asked])

    def _outcome(self, namespace: Namespace, named: NamedSecret) -> tuple[Outcome, str]:
        if named.name is None:
            return Outcome.UNJUDGED, "its name is worked out by a template"
        if "namespace" in named.computed:
            return Outcome.UNJUDGED, f"the namespace of '{named.name}' is worked out by a template"
        place = Namespace(named.namespace) if named.namespace else namespace
        try:
            caller = None if place == namespace else namespace
            found = self._secrets.find(_AS, self._tenant, place, named.name, caller=caller)
        except (BackendFailed, Denied, NotAllowed) as error:
            return Outcome.FAILED, f"'{named.name}' of {place}: {error}"
        if found is None:
            return Outcome.MISSING, f"Cannot find secret for key '{named.name}'. Namespace {place} does not see it"
        return _with_field(found, named)


def _with_field(found: Found, named: NamedSecret) -> tuple[Outcome, str]:
    if "subkey" in named.computed:
        return Outcome.UNJUDGED, f"which field of '{named.name}' is worked out by a template; the secret is there"
    if named.name is not None and named.subkey is not None:
        try:
            field_of(named.name, found.value, named.subkey)
        except NoField as error:
            return Outcome.MISSING, str(error)
    return Outcome.FOUND, ""
