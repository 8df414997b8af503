"""The truth table of places: whose store has the secrets of a namespace, what holds there (spec/security 2.9, 2.10).

Pure: the records of namespaces come in, and what an instance says of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from casemate.identifiers import Namespace
from casemate.secrets.places import lineage
from casemate.settings import Service
from casemate.store import StoredNamespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for all namespaces. `read_only` is said of the instance's own store, `all_read_only` of every one."""

    denied: frozenset[Service] = frozenset()
    read_only: bool = False
    all_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A namespace that a secret is looked for in. `store` is the one that brings the store, None: the instance does."""

    namespace: Namespace
    store: StoredNamespace | None
    denied: frozenset[Service]
    read_only: bool


def levels(
    namespace: Namespace, records: Mapping[Namespace, StoredNamespace], rules: Rules, *, inherit: bool = True
) -> tuple[Level, ...]:
    """Where a secret is looked for, the nearest first; nothing for what is no namespace.

    The store of a namespace is its own, or that of the nearest namespace above that has one, at last the instance's.
    Services that are denied above are denied below, too. Not to `inherit` leaves the namespace itself.
    """
    found: list[Level] = []
    level = Level(namespace=namespace, store=None, denied=rules.denied, read_only=rules.read_only)
    for place in reversed(lineage(namespace)):
        record = records.get(place)
        level = _below(level, place, record, rules)
        if record is not None and record.blocks:
            found.clear()
        found.append(level)
    return tuple(reversed(found)) if inherit else tuple(found[-1:])


def alone(namespace: Namespace, records: Mapping[Namespace, StoredNamespace], rules: Rules) -> Level:
    """The level of a namespace itself; what is no namespace is in the instance's store like everything else."""
    own = levels(namespace, records, rules, inherit=False)
    return own[0] if own else Level(namespace=namespace, store=None, denied=rules.denied, read_only=rules.read_only)


def _below(above: Level, place: Namespace, record: StoredNamespace | None, rules: Rules) -> Level:
    if record is None:
        return replace(above, namespace=place)
    denied = above.denied | frozenset(Service(name) for name in record.denied)
    # Whoever brings a store says anew whether it may be written to.
    before = (
        above
        if record.secret_type is None
        else Level(namespace=place, store=record, denied=denied, read_only=rules.all_read_only)
    )
    return replace(before, namespace=place, denied=denied, read_only=before.read_only or record.read_only)
