"""One change of a secret as `casemate secrets set` makes it: what is not given stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casemate.cli.secret_stores import Impossible, Keeper
from casemate.cli.secrets_given import Given
from casemate.secrets import Address, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a secret. None is what stays; `value` is asked for when it is known that it can be written."""

    address: Address
    description: str | None
    tags: Mapping[str, str] | None
    value: Callable[[], Given] | None


def changed(keeper: Keeper, change: Change) -> str:
    """Makes the change, and says what was stored. Raises `Impossible`, `ReadOnly`, and what the store fails with."""
    before = keeper.before(change.address)
    entry = _described(change, before)
    name, namespace = change.address.name, change.address.namespace
    if change.value is None:
        if before is None:
            raise Impossible(f"there is no secret {name} in {namespace}")
        keeper.write(entry, None)
        return f"✓ {name} of {namespace} has this description and these tags; its value is what it was"
    given = change.value()
    keeper.write(entry, given.value)
    without = ", without the line break that it ended with" if given.shortened else ""
    return f"✓ {name} of {namespace} is {'created' if before is None else 'replaced'}{without}"


def _described(change: Change, before: Entry | None) -> Entry:
    kept = before or Entry(address=change.address)
    description = kept.description if change.description is None else change.description
    tags = kept.tags if change.tags is None else change.tags
    return Entry(address=change.address, description=description or None, tags=tags)
