"""Kestra's JSON form of a flow (spec/engine 1.2): without nulls, and of tasks and triggers without defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from casemate import durations
from casemate.flows.model import MADE, Concurrency, Flow, Input, Listener, Output, Quota, Retry, Task, Trigger

Json = dict[str, Any]

_CASE = "case:"


def to_json(flow: Flow) -> Json:
    """The flow as Kestra's API shows it, without its source."""
    return _without_nulls(
        {
            "id": flow.id,
            "namespace": flow.namespace,
            "revision": flow.revision,
            "description": flow.description,
            "disabled": flow.disabled,
            "deleted": flow.deleted,
            "labels": [{"key": label.key, "value": label.value} for label in flow.labels] or None,
            "inputs": [input_to_json(each) for each in flow.inputs] or None,
            "outputs": [_output(each) for each in flow.outputs] or None,
            "variables": dict(flow.variables) or None,
            "tasks": _tasks(flow.tasks),
            "errors": None if flow.errors is None else _tasks(flow.errors),
            "finally": _tasks(flow.finally_) or None,
            "afterExecution": _tasks(flow.after_execution) or None,
            "listeners": [_listener(each) for each in flow.listeners] or None,
            "triggers": [trigger_to_json(each) for each in flow.triggers] or None,
            "pluginDefaults": [dict(each) for each in flow.plugin_defaults] or None,
            "concurrency": _concurrency(flow.concurrency),
            "quotas": [_quota(each) for each in flow.quotas] or None,
            "retry": _retry(flow.retry),
            "sla": [_without_nulls(each.written) for each in flow.sla] or None,
        }
    )


def task_to_json(task: Task) -> Json:
    """One task with all its children."""
    own = {name: value for name, value in task.properties.items() if name not in task.defaulted}
    return _without_nulls(
        {
            "id": task.id,
            "type": task.type,
            "version": task.version,
            "description": task.description,
            **own,
            **_branches(task),
            "errors": None if task.errors is None else _tasks(task.errors),
            "retry": _retry(task.retry),
            "timeout": task.timeout,
            "disabled": task.disabled or None,
            "logLevel": task.log_level,
            "allowFailure": task.allow_failure or None,
            "allowWarning": task.allow_warning or None,
            "logToFile": task.log_to_file or None,
            "runIf": None if task.run_if == "true" else task.run_if,
        }
    )


def trigger_to_json(trigger: Trigger) -> Json:
    """One trigger."""
    own = {name: value for name, value in trigger.properties.items() if name not in trigger.defaulted}
    head = {"id": trigger.id, "type": trigger.type, "description": trigger.description}
    own.pop("logToFile", None) if own.get("logToFile") is False else None
    return _without_nulls({**head, **own, "disabled": trigger.disabled or None})


def input_to_json(declared: Input) -> Json:
    """One input."""
    depends_on = _without_nulls({"inputs": list(declared.depends_on) or None, "condition": declared.condition})
    return _without_nulls(
        {
            "id": declared.id,
            "type": declared.type,
            "description": declared.description,
            "dependsOn": depends_on or None,
            "required": declared.required,
            "defaults": declared.defaults,
            "displayName": declared.display_name,
            **declared.properties,
        }
    )


def _branches(task: Task) -> Json:
    """The children under the names they are written under."""
    shown: Json = {}
    for name, tasks in task.branches.items():
        if name == MADE:
            continue
        if name.startswith(_CASE):
            shown.setdefault("cases", {})[name.removeprefix(_CASE)] = _tasks(tasks)
        elif task.depends_on:
            shown[name] = [_entry(task, child) for child in tasks]
        else:
            shown[name] = _tasks(tasks)
    return shown


def _entry(dag: Task, child: Task) -> Json:
    waits_for = dag.depends_on.get(child.id)
    return _without_nulls({"task": task_to_json(child), "dependsOn": list(waits_for) if waits_for else None})


def _tasks(tasks: Iterable[Task]) -> list[Json]:
    return [task_to_json(task) for task in tasks]


def _listener(listener: Listener) -> Json:
    conditions = [_without_nulls(each.written) for each in listener.conditions] or None
    return _without_nulls(
        {"description": listener.description, "conditions": conditions, "tasks": _tasks(listener.tasks)}
    )


def _output(output: Output) -> Json:
    head = {"id": output.id, "type": output.type, "description": output.description, "value": output.value}
    return _without_nulls({**head, "displayName": output.display_name, **output.properties})


def _quota(quota: Quota) -> Json:
    return {"duration": quota.id, "limit": quota.limit, "behavior": quota.behavior}


def _concurrency(concurrency: Concurrency | None) -> Json | None:
    return None if concurrency is None else {"limit": concurrency.limit, "behavior": concurrency.behavior}


def _retry(retry: Retry | None) -> Json | None:
    if retry is None:
        return None
    return _without_nulls(
        {
            "type": retry.kind,
            "interval": _printed(retry.interval),
            "minInterval": _printed(retry.min_interval),
            "maxInterval": _printed(retry.max_interval),
            "delayFactor": retry.delay_factor,
            "maxDuration": _printed(retry.max_duration),
            "maxAttempt": retry.max_attempt,
            "warningOnRetry": retry.warning_on_retry,
            "behavior": retry.behavior,
        }
    )


def _printed(duration: timedelta | None) -> str | None:
    return None if duration is None else durations.printed(duration)


def _without_nulls(values: Mapping[str, Any]) -> Json:
    return {name: value for name, value in values.items() if value is not None}
