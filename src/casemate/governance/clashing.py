"""Policies that contradict each other wherever both hold: found when one is saved, before any flow meets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from casemate.governance.laws import Placed
from casemate.governance.model import Add, Delete
from casemate.governance.words import Enforcement

_ACTING = (Enforcement.ACTIVE, Enforcement.REFERENCE)


def clashes(new: Placed, others: Iterable[Placed]) -> Iterator[str]:
    """A sentence for each property that one policy adds and the other deletes from the same objects.

    Only rules with the same conditions can be compared here; of others each flow is asked (spec/isolation 4.2).
    """
    for other in others:
        if other.policy.id == new.policy.id and _place(other) == _place(new):
            continue
        if _is_acting(new) and _is_acting(other) and _meet(new, other):
            for name in {*_contradictions(new, other), *_contradictions(other, new)}:
                yield f"policy '{other.policy.id}' ({other.scope}) says the contrary of {name}"


def _place(placed: Placed) -> tuple[object, ...]:
    return placed.scope, placed.tenant, placed.namespace


def _is_acting(placed: Placed) -> bool:
    return placed.policy.enforcement in _ACTING


def _meet(one: Placed, other: Placed) -> bool:
    """Is there a flow that both may be for?"""
    if one.tenant is not None and other.tenant is not None and one.tenant != other.tenant:
        return False
    inner, outer = sorted((one.namespace or "", other.namespace or ""), key=len, reverse=True)
    return not outer or inner == outer or inner.startswith(f"{outer}.")


def _contradictions(adding: Placed, deleting: Placed) -> Iterator[str]:
    deletions = [rule for rule in deleting.policy.rules if isinstance(rule, Delete)]
    for add in (rule for rule in adding.policy.rules if isinstance(rule, Add)):
        for delete in deletions:
            if (add.on, add.where) == (delete.on, delete.where):
                yield from (name for name in delete.properties if name.partition(".")[0] in add.values)
