"""Where in its file a flow declares an input: the place to name when a value for that input will not do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from casemate.documents import Mapping, Mark, Node, Sequence, plain, read
from casemate.errors import Problem
from casemate.flows import Flow


def placed(problems: Iterable[Problem], flow: Flow) -> tuple[Problem, ...]:
    """Problems with inputs, each at the declaration of the input that its path names."""
    declared = dict(_declarations(read(flow.source).root))
    return tuple(_at(one, declared[one.path]) if one.path in declared else one for one in problems)


def _at(problem: Problem, mark: Mark) -> Problem:
    return replace(problem, line=mark.line, column=mark.column)


def _declarations(root: Node) -> Iterator[tuple[str, Mark]]:
    inputs = root.entry("inputs") if isinstance(root, Mapping) else None
    items = inputs.value.items if inputs and isinstance(inputs.value, Sequence) else ()
    for item in items:
        name = item.entry("id") if isinstance(item, Mapping) else None
        if name:
            yield str(plain(name.value)), item.mark
