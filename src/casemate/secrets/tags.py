"""Tags of secrets: which are written beside a value, which of them are people's own, and which secrets they hide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casemate.secrets.backend import Address, Entry
from casemate.secrets.options import Choice

RESERVED: Final = ("namespace", "tenant", "key", "prefix")
"""What every managed secret says of itself; people's tags cannot say otherwise (spec/security 2.9)."""

DESCRIPTION: Final = "casemate-description"
"""Where a store keeps a description that has no field of its own for one."""

HIDDEN: Final = (*RESERVED, DESCRIPTION)
"""Tags that people neither see nor write."""


def of_address(address: Address, prefix: str | None) -> dict[str, str]:
    """What a secret says of its address; a prefix that is empty is not said."""
    said = {"namespace": address.namespace, "tenant": address.tenant, "key": address.name, "prefix": prefix or ""}
    return {name: value for name, value in said.items() if value}


def written(entry: Entry, choice: Choice, prefix: str | None) -> dict[str, str]:
    """Everything that is written beside a value: the configured tags, those of the entry over them, the reserved ones
    over all, and the description (spec/security 2.5, 2.9). Stores with a field for descriptions take it out.
    """
    described = {DESCRIPTION: entry.description} if entry.description else {}
    # Also an empty prefix is one's own: a tag that names another would show the secret to the instance of that prefix.
    asked = {name: value for name, value in {**(choice.tags or {}), **entry.tags}.items() if name not in HIDDEN}
    return {**asked, **described, **of_address(entry.address, prefix)}


def own(tags: Mapping[str, str], choice: Choice) -> dict[str, str]:
    """Of everything beside a value, what people wrote: neither reserved, nor the description, nor as configured."""
    configured = choice.tags or {}
    return {name: value for name, value in tags.items() if name not in HIDDEN and configured.get(name) != value}


def entry(address: Address, tags: Mapping[str, str], choice: Choice) -> Entry:
    """What people see of a secret that has these tags in its store."""
    return Entry(address=address, description=tags.get(DESCRIPTION), tags=own(tags, choice))


def shown(tags: Mapping[str, str], choice: Choice) -> bool:
    """Whether the filters let a secret be seen: it has all pairs of `filter-on-tags`, and none of `excluded-tags`."""
    if any(tags.get(name) == value for name, value in (choice.excluded_tags or {}).items()):
        return False
    return all(tags.get(name) == value for name, value in (choice.filter_on_tags or {}).items())
