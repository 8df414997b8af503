"""What a rule finds: a text and where to look, before anyone knows lines and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from casemate.catalog import Manifest
from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence
from casemate.identifiers import Namespace, TenantId


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of a rule over an object.

    `at` leads from the object to the place to look at. `whole` says that the violation is the object's own, however
    deep that place is: a task is then named by its id.
    """

    message: str
    at: Path = ()
    whole: bool = False
    remedy: str = ""


Judge: TypeAlias = Callable[[Manifest, AnyMapping[str, Any], TenantId, Namespace], Iterable[Finding]]
"""Says what stands in the way of one task with these unrendered properties in this namespace, whatever its type lets
pass: rules of whoever carries tasks out, of which flows know nothing."""


def mark_of(node: Node, at: Path) -> Mark:
    """The place that a path leads to from a node, or the last place on the way that exists."""
    mark = node.mark
    for step in at:
        match node:
            case Mapping() if (entry := node.entry(str(step))) is not None:
                # An empty value stands nowhere in particular; its key can be seen.
                mark = entry.mark if isinstance(entry.value, Scalar) and not entry.value.text else entry.value.mark
                node = entry.value
            case Mapping(entries=entries) if isinstance(step, int) and step < len(entries):  # a map read as a list
                mark, node = entries[step].mark, entries[step].value
            case Sequence(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
                mark = node.mark
            case _:
                break
    return mark


def stands(node: Node, at: Path) -> bool:
    """Is there anything at this path from a node?"""
    for step in at:
        match node:
            case Mapping() if (entry := node.entry(str(step))) is not None:
                node = entry.value
            case Sequence(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
            case _:
                return False
    return True
