"""Rules over the whole flow (spec/engine 13.2): names given twice, flows that call themselves, inputs in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from casemate.catalog import Holds
from casemate.documents import Path
from casemate.errors import Problem
from casemate.flows.circles import circles_of
from casemate.flows.findings import Finding
from casemate.flows.for_each_item import FOR_EACH_ITEM, made_ids
from casemate.flows.labels import offending
from casemate.flows.walk import Seen

INVALID: Final = "Invalid Flow: "

_SUBFLOW: Final = "io.kestra.plugin.core.flow.Subflow"
_ORDER: Final = (
    *(f"Duplicate {what} with name" for what in ("task id", "trigger id", "input", "output")),
    *("Recursive call", "Input with id", "Cycle dependency", "System labels"),
)
_LISTS: Final = ("tasks", "errors", "listeners")
"""The lists of tasks in the order in which Kestra goes through them; others come last."""


def rank(problem: Problem) -> int:
    """The place of a broken rule among the others in Kestra's one text of them."""
    text = problem.message.removeprefix(INVALID)
    return next((place for place, start in enumerate(_ORDER) if text.startswith(start)), len(_ORDER))


def broken_rules(values: Mapping[str, Any], seen: Iterable[Seen]) -> Iterator[Finding]:
    """What is wrong with the flow as a whole; the places are paths from the root."""
    known = list(seen)
    yield from _twice("task id", _tasks(known))
    yield from _twice("trigger id", [(each.path, each.values) for each in known if each.place is Holds.TRIGGER])
    inputs = [(each.path, each.values) for each in known if each.place is Holds.INPUT and each.path[0] == "inputs"]
    yield from _twice("input", inputs)
    yield from _twice("output", _records(values, "outputs"))
    yield from _recursive_calls(values, known)
    yield from _dependencies(inputs)
    yield from _system_labels(values)


def _invalid(message: str, at: Path) -> Finding:
    return Finding(INVALID + message, at, whole=True)


def _records(values: Mapping[str, Any], name: str) -> list[tuple[Path, Mapping[str, Any]]]:
    found = values.get(name)
    records = found if isinstance(found, list) else []
    return [((name, index), each) for index, each in enumerate(records) if isinstance(each, dict)]


def _tasks(known: Iterable[Seen]) -> list[tuple[Path, Mapping[str, Any]]]:
    """All tasks, with the children that a ForEachItem has by its type."""
    tasks = [(each.path, each.values) for each in known if each.place is Holds.TASK]
    loops = [each for each in known if each.manifest is not None and each.manifest.type == FOR_EACH_ITEM]
    made = [(each.path, {"id": name}) for each in loops if each.values.get("id") for name in made_ids(each.values)]
    return sorted((*tasks, *made), key=lambda task: _LISTS.index(task[0][0]) if task[0][0] in _LISTS else len(_LISTS))


def _twice(what: str, objects: Iterable[tuple[Path, Mapping[str, Any]]]) -> Iterator[Finding]:
    first: dict[str, Path] = {}
    again: dict[str, Path] = {}
    for path, values in objects:
        name = values.get("id")
        if isinstance(name, str) and name:
            (again if name in first else first).setdefault(name, path)
    if again:
        place = next(iter(again.values()))
        names = ", ".join(name for name in first if name in again)
        yield _invalid(f"Duplicate {what} with name [{names}]", (*place, "id"))


def _recursive_calls(values: Mapping[str, Any], seen: Iterable[Seen]) -> Iterator[Finding]:
    for each in seen:
        calls = each.manifest is not None and each.manifest.type == _SUBFLOW
        if calls and all(
            each.values.get(own) == values.get(name) for own, name in (("flowId", "id"), ("namespace",) * 2)
        ):
            message = f"Recursive call to flow [{values.get('namespace')}.{values.get('id')}]"
            yield _invalid(message, (*each.path, "flowId"))
            return


def _dependencies(inputs: list[tuple[Path, Mapping[str, Any]]]) -> Iterator[Finding]:
    needs: dict[str, tuple[str, ...]] = {}
    places: dict[str, Path] = {}
    for path, values in inputs:
        if isinstance(name := values.get("id"), str):
            needs[name] = (*needs.get(name, ()), *_wanted(values))
            places.setdefault(name, (*path, "dependsOn", "inputs"))
    circles = circles_of(needs)
    for name, wanted in needs.items():
        for missing in (each for each in wanted if each not in needs):
            message = f"Input with id '{name}' depends on a non-existent input '{missing}'."
            yield _invalid(message, places[name])
        for circle in (each for each in circles if name in each):
            others = ", ".join(each for each in needs if each in circle and each != name)
            yield _invalid(f"Cycle dependency detected for input with id '{name}': [{others}]", places[name])


def _wanted(values: Mapping[str, Any]) -> tuple[str, ...]:
    depends_on = values.get("dependsOn")
    names = depends_on.get("inputs") if isinstance(depends_on, dict) else None
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _system_labels(values: Mapping[str, Any]) -> Iterator[Finding]:
    labels = values.get("labels")
    for index, label in offending(labels if isinstance(labels, list) else ()):
        message = f"System labels can only be set by Kestra itself, offending label: {label}"
        yield _invalid(message, ("labels", index))
