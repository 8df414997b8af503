"""What a rule finds: a text and where to look, before anyone knows lines and columns."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence


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
