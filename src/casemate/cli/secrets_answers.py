"""Who says whether a secret that a flow names is there: the stores themselves, or a server, which tells names alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from casemate.cli.connecting import Unasked
from casemate.cli.secrets_of_servers import Declined, There
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
    """It cannot be known before the flow runs, or not from here."""


Answer: TypeAlias = tuple[Outcome, str]
"""What became of asking, and why; no text quotes a value."""


class Answerer(Protocol):
    """Whoever is asked for what flows of a namespace name. The names that it is asked for are none of templates."""

    def answer(self, caller: Namespace, place: Namespace, name: str, named: NamedSecret) -> Answer:
        """Whether flows of the namespace `caller` get the secret as the namespace `place` sees it."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one tenant, asked as a task asks."""

    secrets: Secrets
    tenant: TenantId

    def answer(self, caller: Namespace, place: Namespace, name: str, named: NamedSecret) -> Answer:
        """See `Answerer`."""
        other = None if place == caller else caller
        try:
            found = self.secrets.find(_AS, self.tenant, place, name, caller=other, inherit=named.inherit)
        except NotAllowed as error:
            return Outcome.MISSING, f"'{name}' of {place}: {error}"
        except (BackendFailed, Denied) as error:
            return Outcome.FAILED, f"'{name}' of {place}: {error}"
        return _missing(name, place) if found is None else _with_field(name, found, named)


@dataclass(frozen=True, slots=True)
class Served:
    """A server, which tells the names that flows of a namespace see, and nothing of what is in them."""

    server: There
    _seen: dict[Namespace, frozenset[str] | str] = field(default_factory=dict)

    def answer(self, caller: Namespace, place: Namespace, name: str, named: NamedSecret) -> Answer:
        """See `Answerer`."""
        if place not in self._seen:
            self._seen[place] = self._names(place)
        seen = self._seen[place]
        if isinstance(seen, str):
            return Outcome.FAILED, f"'{name}' of {place}: {seen}"
        if name in seen:
            return self._of_a_name(name, caller, place, named)
        if name.upper() in seen:
            # Variables do not tell upper from lower case, and a server does not tell what is one.
            return (
                Outcome.UNJUDGED,
                f"'{name}' is there if '{name.upper()}' is a variable, which a server does not tell",
            )
        return _missing(name, place)

    def _names(self, place: Namespace) -> frozenset[str] | str:
        """What flows of a namespace see, or why that cannot be known."""
        try:
            return self.server.seen_from(place)
        except Declined as error:
            return str(error)
        except Unasked as error:
            if error.status is None or error.status < _BROKEN:
                raise
            return error.told or str(error)

    def _of_a_name(self, name: str, caller: Namespace, place: Namespace, named: NamedSecret) -> Answer:
        if named.subkey is not None or "subkey" in named.computed:
            return Outcome.UNJUDGED, f"a server does not tell the fields of '{name}'; the secret is there"
        if not named.inherit:
            return Outcome.UNJUDGED, f"a server does not tell whether '{name}' is {place}'s own; it sees the secret"
        if place != caller:
            return Outcome.UNJUDGED, f"a server does not tell whom {place} lets have '{name}'; the secret is there"
        return Outcome.FOUND, ""


_BROKEN: Final = 500


def _missing(name: str, place: Namespace) -> Answer:
    return Outcome.MISSING, f"Cannot find secret for key '{name}'. Namespace {place} does not see it"


def _with_field(name: str, found: Found, named: NamedSecret) -> Answer:
    if "subkey" in named.computed:
        return Outcome.UNJUDGED, f"which field of '{name}' is worked out by a template; the secret is there"
    if named.subkey is not None:
        try:
            field_of(name, found.value, named.subkey)
        except NoField as error:
            return Outcome.MISSING, str(error)
    return Outcome.FOUND, ""
