"""Namespaces and names of secrets as people write them: which are asked for at all, and where (spec/security 2.9)."""

from __future__ import annotations

import re
from typing import Final

from casemate.identifiers import Namespace

LONGEST: Final = 255
"""Characters of a name."""

_NAMESPACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", re.ASCII)
_KEPT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


def lineage(namespace: Namespace) -> tuple[Namespace, ...]:
    """`a.b.c`, `a.b`, `a`: where a secret is looked for, the nearest first. Nothing for what is no namespace."""
    if not _NAMESPACE.fullmatch(namespace):
        return ()
    parts = namespace.split(".")
    return tuple(Namespace(".".join(parts[:count])) for count in range(len(parts), 0, -1))


def askable(name: str) -> bool:
    """May a store be asked for this name? Templates make names of anything, and stores make paths of names."""
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        return False
    return not {"", ".", ".."} & set(name.split("/"))


def keepable(name: str) -> bool:
    """May a secret be given this name? Fewer than may be asked for: others can come from stores that are not ours."""
    return len(name) <= LONGEST and _KEPT.fullmatch(name) is not None
