"""From checked values to the flow itself. Nothing can be wrong any more: what could be was reported by the walk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from casemate import durations
from casemate.catalog import Holds, Installed, Manifest
from casemate.flows.for_each_item import FOR_EACH_ITEM, made_tasks
from casemate.flows.grammar import Grammar, common
from casemate.flows.model import (
    MADE,
    Concurrency,
    Condition,
    Flow,
    Input,
    Label,
    Listener,
    Output,
    Quota,
    Retry,
    Sla,
    Task,
    Trigger,
)
from casemate.identifiers import FlowId, Namespace, TaskId, TenantId

Values = Mapping[str, Any]

_INPUT_FIELDS: Final = frozenset(("id", "type", "description", "required", "defaults", "displayName", "dependsOn"))
_OUTPUT_FIELDS: Final = frozenset(("id", "type", "value", "description", "displayName"))


def build_flow(values: Values, grammar: Grammar, tenant: TenantId, source: str, document: Values) -> Flow:
    """The flow that these values say."""
    return Flow(
        tenant=tenant,
        namespace=Namespace(values["namespace"]),
        id=FlowId(values["id"]),
        tasks=_tasks(values["tasks"], grammar),
        source=source,
        document=document,
        revision=values.get("revision") or 1,
        description=values.get("description"),
        labels=tuple(Label(label["key"], label["value"]) for label in values.get("labels") or ()),
        inputs=tuple(build_input(each) for each in values.get("inputs") or ()),
        outputs=tuple(_output(each) for each in values.get("outputs") or ()),
        variables=values.get("variables") or {},
        errors=_some_tasks(values.get("errors"), grammar),
        finally_=_tasks(values.get("finally"), grammar),
        after_execution=_tasks(values.get("afterExecution"), grammar),
        listeners=tuple(_listener(each, grammar) for each in values.get("listeners") or ()),
        triggers=tuple(build_trigger(each, grammar) for each in values.get("triggers") or ()),
        plugin_defaults=tuple(values.get("pluginDefaults") or ()),
        concurrency=_concurrency(values.get("concurrency")),
        quotas=tuple(_quota(each) for each in values.get("quotas") or ()),
        policy_refs=frozenset(values.get("policyRefs") or ()),
        retry=_retry(values.get("retry")),
        sla=tuple(_sla(each) for each in values.get("sla") or ()),
        disabled=values.get("disabled") or False,
        deleted=values.get("deleted") or False,
    )


def build_task(values: Values, grammar: Grammar) -> Task:
    """The task that these values say, with all its children."""
    manifest = _manifest(Holds.TASK, values, grammar)
    branches, depends_on = _branches(values, manifest, grammar)
    shared = common(Holds.TASK).properties
    own = manifest.schema.properties
    apart = {*manifest.branches, "errors", *(name for name in shared if name not in own)}
    timeout = values.get("timeout")
    properties = {name: value for name, value in values.items() if name not in apart and value is not None}
    if manifest.type == FOR_EACH_ITEM:
        branches = {MADE: made_tasks(values, properties)}
    return Task(
        id=TaskId(values["id"]),
        type=values["type"],
        canonical=manifest.type,
        version=str(manifest.origin.version) if isinstance(manifest, Installed) else None,
        role=manifest.role,
        properties=properties,
        defaulted=_defaulted(values, manifest),
        description=values.get("description"),
        retry=_retry(values.get("retry")),
        timeout=timeout,
        disabled=values.get("disabled") or False,
        run_if=values.get("runIf") or "true",
        allow_failure=values.get("allowFailure") or False,
        allow_warning=values.get("allowWarning") or False,
        log_level=values.get("logLevel"),
        log_to_file=values.get("logToFile") or False,
        branches=branches,
        errors=_some_tasks(values.get("errors"), grammar),
        depends_on=depends_on,
        policy_refs=frozenset(values.get("policyRefs") or ()),
    )


def build_trigger(values: Values, grammar: Grammar) -> Trigger:
    """The trigger that these values say."""
    manifest = _manifest(Holds.TRIGGER, values, grammar)
    apart = {"id", "type", "description", "disabled"}
    return Trigger(
        id=values["id"],
        type=values["type"],
        canonical=manifest.type,
        properties={name: value for name, value in values.items() if name not in apart and value is not None},
        defaulted=_defaulted(values, manifest),
        conditions=tuple(
            build_condition(each, grammar)
            for name in ("conditions", "scheduleConditions")
            for each in values.get(name) or ()
        ),
        description=values.get("description"),
        disabled=values.get("disabled") or False,
    )


def build_condition(values: Values, grammar: Grammar) -> Condition:
    """The condition that these values say, with those it is made of."""
    inner = values.get("conditions") or ()
    # A MultipleCondition names those it is made of; what they are called decides nothing.
    made_of = inner.values() if isinstance(inner, dict) else inner
    return Condition(
        canonical=_manifest(Holds.CONDITION, values, grammar).type,
        properties={name: value for name, value in values.items() if name != "type" and value is not None},
        conditions=tuple(build_condition(each, grammar) for each in made_of),
        written=values,
    )


def build_input(values: Values) -> Input:
    """The input that these values say."""
    depends_on = values.get("dependsOn") or {}
    return Input(
        id=values["id"],
        type=values["type"],
        description=values.get("description"),
        required=values.get("required") is not False,
        defaults=values.get("defaults"),
        display_name=values.get("displayName"),
        depends_on=tuple(depends_on.get("inputs") or ()),
        condition=depends_on.get("condition"),
        properties={key: value for key, value in values.items() if key not in _INPUT_FIELDS and value is not None},
    )


def _manifest(place: Holds, values: Values, grammar: Grammar) -> Manifest:
    kin = grammar.find(place, values["type"], values.get("version") or None)
    assert kin is not None
    assert kin.manifest is not None
    return kin.manifest


def _defaulted(values: Values, manifest: Manifest) -> frozenset[str]:
    """The properties that hold their default, whether someone wrote it down or not."""
    schemas = manifest.schema.properties
    return frozenset(
        name for name, schema in schemas.items() if schema.default is not None and values.get(name) == schema.default
    )


def _tasks(values: Iterable[Values] | None, grammar: Grammar) -> tuple[Task, ...]:
    return tuple(build_task(each, grammar) for each in values or ())


def _some_tasks(values: Iterable[Values] | None, grammar: Grammar) -> tuple[Task, ...] | None:
    return None if values is None else _tasks(values, grammar)


def _branches(
    values: Values, manifest: Manifest, grammar: Grammar
) -> tuple[dict[str, tuple[Task, ...]], dict[TaskId, tuple[TaskId, ...]]]:
    """The children by branch, and what each waits for (only a Dag's do)."""
    branches: dict[str, tuple[Task, ...]] = {}
    depends_on: dict[TaskId, tuple[TaskId, ...]] = {}
    for name in manifest.branches:
        match values.get(name):
            case dict(cases):
                branches |= {f"case:{key}": _tasks(tasks, grammar) for key, tasks in cases.items()}
            case [{"task": _}, *_] as entries:
                branches[name] = _tasks([entry["task"] for entry in entries], grammar)
                depends_on |= {entry["task"]["id"]: tuple(entry.get("dependsOn") or ()) for entry in entries}
            case list(tasks):
                branches[name] = _tasks(tasks, grammar)
    return branches, depends_on


def _listener(values: Values, grammar: Grammar) -> Listener:
    return Listener(
        tasks=_tasks(values["tasks"], grammar),
        conditions=tuple(build_condition(each, grammar) for each in values.get("conditions") or ()),
        description=values.get("description"),
    )


def _output(values: Values) -> Output:
    return Output(
        id=values["id"],
        type=values["type"],
        value=values["value"],
        description=values.get("description"),
        display_name=values.get("displayName"),
        properties={key: value for key, value in values.items() if key not in _OUTPUT_FIELDS and value is not None},
    )


def _concurrency(values: Values | None) -> Concurrency | None:
    return None if values is None else Concurrency(limit=values["limit"], behavior=values["behavior"])


def _quota(values: Values) -> Quota:
    return Quota(duration=durations.parse(values["duration"]), limit=values["limit"], behavior=values["behavior"])


def _sla(values: Values) -> Sla:
    duration = values.get("duration")
    return Sla(
        id=values["id"],
        kind=values["type"],
        behavior=values["behavior"],
        labels=tuple(Label(label["key"], label["value"]) for label in values.get("labels") or ()),
        duration=durations.parse(duration) if duration else None,
        assertion=values.get("assert"),
        written=values,
    )


def _retry(values: Values | None) -> Retry | None:
    if values is None:
        return None
    dates = {name: durations.parse(values[name]) if values.get(name) else None for name in _DURATIONS}
    return Retry(
        kind=values["type"],
        max_attempt=values.get("maxAttempt"),
        warning_on_retry=values.get("warningOnRetry") or False,
        behavior=values["behavior"],
        delay_factor=values.get("delayFactor"),
        max_duration=dates["maxDuration"],
        interval=dates["interval"],
        max_interval=dates["maxInterval"],
        min_interval=dates["minInterval"],
    )


_DURATIONS: Final = ("maxDuration", "interval", "maxInterval", "minInterval")
