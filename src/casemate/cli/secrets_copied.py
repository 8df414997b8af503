"""Secrets copied from one store to another, one by one: what was done is seen by looking, so it can be begun again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import ANYWHERE, Address, BackendFailed, Denied, Entry, Found, ReadOnly, Secrets, keepable
from casemate.settings import Service

_AS: Final = Service.WEBSERVER
_FAILURES: Final = (BackendFailed, Denied, ReadOnly)


class Outcome(StrEnum):
    """What became of one secret."""

    COPIED = "copied"
    REPLACED = "replaced"
    COMPLETED = "completed"
    """Its value was there; description and tags were not."""
    SAME = "there already"
    GONE = "gone meanwhile"
    DIFFERENT = "left as it is"
    """Something else is there, and was not to be replaced."""
    FAILED = "failed"


IN_PLACE: Final = (Outcome.COPIED, Outcome.REPLACED, Outcome.COMPLETED, Outcome.SAME)


@dataclass(frozen=True, slots=True)
class Step:
    """One secret: what it is called where it comes from, and where it goes to."""

    entry: Entry
    source: Address
    target: Address


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a step, and what is to be said of it; never anything of its value."""

    step: Step
    outcome: Outcome
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`notes` are descriptions and tags; a dry run only says what would be done."""

    replace: bool = False
    notes: bool = True
    dry: bool = False


def steps(entries: Iterable[Entry], namespace: Namespace | None, into: Sequence[Namespace]) -> Iterator[Step]:
    """What is to be copied: of a namespace and those below, or all; what belongs to no namespace goes into those."""
    for entry in entries:
        address = entry.address
        if address.namespace == ANYWHERE:
            for place in into:
                moved = Address(tenant=address.tenant, namespace=place, name=address.name)
                yield Step(entry, moved, moved)
        elif namespace is None or address.namespace == namespace or address.namespace.startswith(f"{namespace}."):
            yield Step(entry, address, address)


@dataclass(slots=True)
class Copying:
    """From one instance's secrets to another's, for one tenant."""

    source: Secrets
    target: Secrets
    tenant: TenantId
    rules: Rules
    _there: dict[Namespace, Mapping[str, Entry]] = field(default_factory=dict)

    def copied(self, step: Step) -> Copied:
        """Copies one, unless it is there. What fails for one need not fail for the next."""
        if not keepable(step.target.name):
            return Copied(step, Outcome.FAILED, "secrets are not given such a name")
        try:
            found = self.source.read(_AS, step.source)
            if found is None:
                return Copied(step, Outcome.GONE)
            return Copied(step, self._put(step, found.value), _lost(found))
        except _FAILURES as error:
            return Copied(step, Outcome.FAILED, str(error))

    def compared(self, step: Step) -> str | None:
        """Reads both once more: None if they are the same, else what is not."""
        try:
            here, there = self.source.read(_AS, step.source), self.target.read(_AS, step.target)
            kept = self._before(step.target)
        except _FAILURES as error:
            return str(error)
        if here is None:
            return None
        if there is None or there.value != here.value:
            return "it is not the same after copying"
        alike = kept is not None and self._as_told(step.entry, kept)
        return None if alike else "the store did not keep its description or its tags as they are"

    def look_again(self) -> None:
        """Forget what was there before."""
        self._there.clear()

    def _put(self, step: Step, value: Secret) -> Outcome:
        held, before = self.target.read(_AS, step.target), self._before(step.target)
        outcome = self._outcome(step, value, held, before)
        entry = self._entry(step, before)
        if not self.rules.dry and outcome in (Outcome.COPIED, Outcome.REPLACED):
            self.target.write(_AS, entry, value)
        elif not self.rules.dry and outcome is Outcome.COMPLETED:
            self.target.write(_AS, entry, None)
        return outcome

    def _outcome(self, step: Step, value: Secret, held: Found | None, before: Entry | None) -> Outcome:
        if held is None:
            return Outcome.COPIED
        if held.value != value:
            return Outcome.REPLACED if self.rules.replace else Outcome.DIFFERENT
        if before is None or self._as_told(step.entry, before):
            return Outcome.SAME
        # Whoever was interrupted between a value and its notes has left none; other notes are somebody's own.
        bare = not before.description and not before.tags
        return Outcome.COMPLETED if bare or self.rules.replace else Outcome.DIFFERENT

    def _entry(self, step: Step, before: Entry | None) -> Entry:
        told = step.entry if self.rules.notes else before or Entry(address=step.target)
        return Entry(address=step.target, description=told.description, tags=told.tags)

    def _as_told(self, wanted: Entry, kept: Entry) -> bool:
        same = (wanted.description or None, dict(wanted.tags)) == (kept.description or None, dict(kept.tags))
        return same or not self.rules.notes

    def _before(self, address: Address) -> Entry | None:
        """What is there. A namespace is listed once, until `look_again`."""
        if address.namespace not in self._there:
            found = self.target.entries(_AS, self.tenant, address.namespace)
            self._there[address.namespace] = {
                entry.address.name: entry for entry in found if entry.address.namespace == address.namespace
            }
        return self._there[address.namespace].get(address.name)


def _lost(found: Found) -> str:
    """What a store keeps beside a value is its own; others have no place for it, unless the value holds it all."""
    try:
        fields = json.loads(found.value.reveal())
    except ValueError:
        fields = None
    names = sorted(found.fields.keys() - (fields.keys() if isinstance(fields, dict) else ()))
    return f"what stands beside its value is not copied: {', '.join(names)}" if names else ""
