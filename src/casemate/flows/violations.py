"""Kestra's form of a list of problems (spec/engine 1.1, 1.4), for answers that its clients read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from casemate.errors import Problem
from casemate.flows.rules import INVALID, rank

_UNREADABLE: Final = ("unknown-type", "unknown-property", "wrong-type", "duplicate-key", "yaml-")
"""How the codes of problems begin that Kestra's parser stops at: it never comes to look at constraints."""


def violations(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same as Kestra tells them: of what cannot be parsed only the first, else every constraint.

    The broken rules of the whole flow are one violation, an unknown type is two.
    """
    found = list(problems)
    unreadable = next((problem for problem in found if problem.code.startswith(_UNREADABLE)), None)
    return tuple(_told(unreadable, found)) if unreadable is not None else tuple(_constraints(found))


def _constraints(found: list[Problem]) -> Iterator[Problem]:
    rules = sorted((problem for problem in found if problem.message.startswith(INVALID)), key=rank)
    yield from (problem for problem in found if problem not in rules)
    if rules:
        texts = (problem.message.removeprefix(INVALID) for problem in rules)
        yield replace(rules[0], message=INVALID + ", ".join(texts))


def _told(problem: Problem, found: Iterable[Problem]) -> Iterator[Problem]:
    placed = replace(problem, path=problem.reference or problem.path)
    yield placed
    restricted = [one for one in found if one.code == "restricted-type" and one.path == problem.path]
    if restricted:
        yield replace(placed, code=restricted[0].code, message=restricted[0].message, remedy=restricted[0].remedy)
    elif problem.code == "unknown-type":
        name = problem.message.removeprefix("Invalid type: ")
        place = problem.path.rpartition(".")[2].partition("[")[0]
        text = f"Could not resolve type id '{name}'" if name != "null" else "missing type id property 'type'"
        yield replace(placed, message=f"{text} (for POJO property '{place}')", remedy="")
