"""Rules that look at several properties of one object, by the name that its schema gives them (spec/engine 13.3).

Values that were refused or are missing have been reported already: a rule passes over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from casemate.catalog import Check, Holds, Role, refused
from casemate.flows.check_dag import check_dag
from casemate.flows.check_quotas import check_quotas
from casemate.flows.check_retry import check_retry
from casemate.flows.check_triggers import check_filter, check_schedule, check_time_window, check_webhook
from casemate.flows.findings import Finding
from casemate.flows.grammar import Grammar
from casemate.flows.labels import offending
from casemate.flows.script_runner import runner_of

Values: TypeAlias = Mapping[str, Any]


def _array_input(values: Values, _: Grammar) -> Iterator[Finding]:
    if values.get("itemType") == "ARRAY":
        yield Finding("`itemType` cannot be `ARRAY`", ("itemType",), whole=True)


def _file_input(values: Values, _: Grammar) -> Iterator[Finding]:
    if values.get("defaults") is not None:
        yield Finding("no `defaults` can be set for inputs of type 'FILE'", ("defaults",), whole=True)


def _no_system_labels(values: Values, _: Grammar) -> Iterator[Finding]:
    for index, label in offending(values["labels"]):
        message = f"System labels can only be set by Kestra itself, offending label: {label}."
        yield Finding(message, (index, "<list element>"))


def _plugin_default(values: Values, grammar: Grammar) -> Iterator[Finding]:
    given, name = values.get("values"), values.get("type")
    faults = [] if isinstance(given, dict) else ["No 'values' provided"]
    faults += [] if name else ["No 'type' provided"]
    if isinstance(given, dict) and isinstance(name, str):
        # A null that is forced takes a property away; one that is not would say nothing.
        nulls = [] if values.get("forced") is True else [key for key, value in given.items() if value is None]
        faults += [f"No value provided for key '{key}'" for key in nulls]
        faults += strange_properties(name, given, grammar)
    if faults:
        yield Finding("Invalid Plugin Default: " + ", ".join(faults), ("values",), whole=True)


def strange_properties(name: str, given: Iterable[str], grammar: Grammar) -> list[str]:
    """A sentence for each property that a type does not have; none for a prefix or an unknown type."""
    known = _properties_of(name, grammar)
    return [f"No property '{key}' exists in plugin '{name}'" for key in given if known and key.lower() not in known]


def _properties_of(name: str, grammar: Grammar) -> set[str]:
    """The properties of a type, in any version of it, in lower case; none for a prefix or an unknown type."""
    places = (Holds.TASK, Holds.TRIGGER, Holds.CONDITION, Holds.TASK_RUNNER)
    types = grammar.catalog
    versions = (None, *map(str, types.plugins.versions(types.canonical(name))))
    every = (grammar.find(place, name, version) for place in places for version in versions)
    return {key.lower() for kin in every if kin is not None for key in kin.schema.properties}


def _script_runner(values: Values, grammar: Grammar) -> Iterator[Finding]:
    """The runner that nobody named, or that an older property means, must be an allowed one, too."""
    runner = runner_of(values)
    if runner is not None and grammar.catalog.is_restricted(runner):
        yield Finding(refused(runner)[1], ("runner" if values.get("runner") else "taskRunner",), whole=True)


def _switch(values: Values, _: Grammar) -> Iterator[Finding]:
    if not values.get("cases") and not values.get("defaults"):
        yield Finding("No task defined, neither cases or default have any tasks", whole=True)


def _worker_group(values: Values, _: Grammar) -> Iterator[Finding]:
    if values.get("key"):
        yield Finding("Worker Group is an Enterprise Edition functionality", ("key",), whole=True)


def _working_directory(values: Values, grammar: Grammar) -> Iterator[Finding]:
    tasks = values.get("tasks")
    if not tasks:
        if not isinstance(tasks, list) and tasks is not None:
            return
        yield Finding("The 'tasks' property cannot be empty", ("tasks",), whole=True)
        return
    children = [(index, task) for index, task in enumerate(tasks) if isinstance(task, dict)]
    schedulers = [index for index, task in children if not _is_runnable(task, grammar)]
    if schedulers:
        text = "Only runnable tasks are allowed as children of a WorkingDirectory task"
        yield Finding(text, ("tasks", schedulers[0]), whole=True)
    grouped = [index for index, task in children if task.get("workerGroup")]
    if grouped:
        text = "Cannot set a Worker Group in any WorkingDirectory sub-tasks, "
        text += "it is only supported at the WorkingDirectory level"
        yield Finding(text, ("tasks", grouped[0], "workerGroup"), whole=True)


def _is_runnable(task: Values, grammar: Grammar) -> bool:
    kin = grammar.find(Holds.TASK, task["type"], task.get("version") or None)
    return kin is not None and kin.manifest is not None and kin.manifest.role is Role.RUNNABLE


CHECKS: Final[Mapping[Check, Callable[[Values, Grammar], Iterator[Finding]]]] = {
    Check.ARRAY_INPUT: _array_input,
    Check.DAG: check_dag,
    Check.FILE_INPUT: _file_input,
    Check.FILTER: check_filter,
    Check.NO_SYSTEM_LABELS: _no_system_labels,
    Check.PLUGIN_DEFAULT: _plugin_default,
    Check.QUOTAS: check_quotas,
    Check.RETRY: check_retry,
    Check.SCHEDULE: check_schedule,
    Check.SCRIPT_RUNNER: _script_runner,
    Check.SWITCH: _switch,
    Check.TIME_WINDOW: check_time_window,
    Check.WEBHOOK: check_webhook,
    Check.WORKER_GROUP: _worker_group,
    Check.WORKING_DIRECTORY: _working_directory,
}
