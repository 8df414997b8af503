"""The rules of a place applied to a whole document, or to a single object of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.documents import Document, Mapping, Node, Path
from casemate.documents import Sequence as List
from casemate.errors import Problem
from casemate.governance.choosing import NAMED, REFS, Around
from casemate.governance.defaults import declared
from casemate.governance.enforcing import Pass
from casemate.governance.errors import Unable
from casemate.governance.laws import Law
from casemate.governance.matching import Types
from casemate.governance.outcome import UNABLE, Outcome


def govern(document: Document, laws: Sequence[Law], types: Types, *, records: bool = False) -> Outcome:
    """What the rules make of a flow: those of its place, and the plugin defaults that it declares itself.

    `records`: the outcome names every change, which takes a while.
    """
    return _governed(document, (*laws, *declared(document.root)), types, Around(root=True), records=records)


def govern_part(document: Document, laws: Sequence[Law], types: Types, refs: frozenset[str] = frozenset()) -> Outcome:
    """What the rules make of a single task or trigger; `refs` are the policies that it stands under by reference."""
    return _governed(document, laws, types, Around(refs))


def _governed(
    document: Document, laws: Sequence[Law], types: Types, around: Around, *, records: bool = False
) -> Outcome:
    if not isinstance(document.root, Mapping) or not (laws or _refers(document.root)):
        return Outcome(document=document, resolved=document)
    work = Pass([replace(law, order=order) for order, law in enumerate(laws)], types, records=records)
    try:
        root = work.object(document.root, around, ())
    except Unable as reason:
        fault = _unable(reason, document.root)
        return Outcome(document=document, resolved=document, faults=(fault,), unable=fault)
    return Outcome(
        document=replace(document, root=root),
        resolved=replace(document, root=_without(root, work.implied, ())),
        mutations=tuple(work.mutations),
        violations=tuple(work.violations),
        conflicts=tuple(work.conflicts),
        faults=tuple(work.faults),
        notes=tuple(work.notes),
    )


def _unable(reason: Unable, root: Mapping) -> Problem:
    entry = root.entry("pluginDefaults")
    mark, path = (root.mark, "") if entry is None else (entry.value.mark, entry.key)
    return Problem(code="yaml-limit", message=f"{UNABLE}{reason}", path=path, line=mark.line, column=mark.column)


def _refers(node: Node) -> bool:
    """Does anything in it refer to a policy or to a named default?"""
    waiting = [node]
    while waiting:
        match waiting.pop():
            case Mapping(entries=entries):
                if any(entry.key in (REFS, NAMED) for entry in entries):
                    return True
                waiting += [entry.value for entry in entries]
            case List(items=items):
                waiting += items
    return False


def _without(node: Node, implied: dict[Path, Node], path: Path) -> Node:
    """The tree without the implied objects that are as they were."""
    if isinstance(node, List):
        items = []
        for index, item in enumerate(node.items):
            items.append(_without(item, implied, (*path, index)))
        return replace(node, items=tuple(items))
    return _without_in(node, implied, path) if isinstance(node, Mapping) else node


def _without_in(node: Mapping, implied: dict[Path, Node], path: Path) -> Mapping:
    entries = []
    for entry in node.entries:
        place = (*path, entry.key)
        if implied.get(place) != entry.value:
            entries.append(replace(entry, value=_without(entry.value, implied, place)))
    return replace(node, entries=tuple(entries))
