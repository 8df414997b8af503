"""Kestra's form of a list of problems (spec/engine 1.1, 1.4), for answers that its clients read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from casemate.errors import Problem
from casemate.flows.rules import INVALID


def violations(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same, with the broken rules of the whole flow in one violation, and two for each unknown type."""
    found = list(problems)
    rules = [problem for problem in found if problem.message.startswith(INVALID)]
    others = [each for problem in found if problem not in rules for each in _told(problem)]
    if not rules:
        return tuple(others)
    texts = (problem.message.removeprefix(INVALID) for problem in rules)
    return (*others, replace(rules[0], message=INVALID + ", ".join(texts)))


def _told(problem: Problem) -> Iterator[Problem]:
    yield problem
    if problem.code == "unknown-type":
        name = problem.message.removeprefix("Invalid type: ")
        place = problem.path.rpartition(".")[2].partition("[")[0]
        text = f"Could not resolve type id '{name}'" if name != "null" else "missing type id property 'type'"
        yield replace(problem, message=f"{text} (for POJO property '{place}')", remedy="")
