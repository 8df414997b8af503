"""The properties that every flow, task, trigger, condition, input, retry and SLA may have (spec/engine 1.2, 2, 3, 9).

Written in the same dialect of JSON Schema as manifests, and read by the same reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Written: TypeAlias = dict[str, Any]

ID: Final = "^[a-zA-Z0-9][a-zA-Z0-9_-]*"
INPUT_ID: Final = "^[a-zA-Z0-9][.a-zA-Z0-9_-]*"
MODELS: Final = "io.kestra.core.models"


def text(**more: Any) -> Written:
    """A text property."""
    return {"type": "string", **more}


def integer(**more: Any) -> Written:
    """A property for a whole number."""
    return {"type": "integer", **more}


def flag(default: bool | None = None, **more: Any) -> Written:
    """A property that is true or false."""
    return {"type": "boolean", "default": default, **more}


def formatted(name: str, **more: Any) -> Written:
    """A text property that must mean something: a duration, a date..."""
    return {"type": "string", "format": name, **more}


def choice(java: str, *values: str, **more: Any) -> Written:
    """A property that takes one of several words; `java` is the name Kestra's messages give it."""
    return {"type": "string", "x-class": java, "enum": list(values), **more}


def many(items: Written, **more: Any) -> Written:
    """A property that holds a list."""
    return {"type": "array", "items": items, **more}


def record(java: str, properties: Mapping[str, Written], **more: Any) -> Written:
    """A property that holds an object with known properties."""
    return {"type": "object", "x-class": java, "properties": dict(properties), **more}


def newer(**schema: Any) -> Written:
    """A property that came after the version whose messages we repeat."""
    return {"x-newer": True, **schema}


def held(kind: str) -> Written:
    """An object whose `type` decides."""
    return {"x-holds": kind}


def labels(*checks: str) -> Written:
    """A map or a list of labels."""
    return {"type": ["object", "array"], "format": "labels", "x-checks": list(checks)}


LEVEL: Final = choice("org.slf4j.event.Level", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")
STATES: Final = (
    *("CREATED", "RUNNING", "PAUSED", "RESTARTED", "KILLING", "SUCCESS", "WARNING"),
    *("FAILED", "KILLED", "CANCELLED", "QUEUED", "RETRYING", "RETRIED", "SKIPPED"),
)
WORKER_GROUP: Final = record(
    f"{MODELS}.tasks.WorkerGroup",
    {"key": text(), "fallback": choice(f"{MODELS}.tasks.WorkerGroup$Fallback", "FAIL", "WAIT", "CANCEL")},
    **{"x-checks": ["worker-group"]},
)
_ONE_WORKER: Final = {"x-unused": "there is one worker only"}
_TYPE: Final = text(**{"x-not": "blank"})
_ID: Final = text(pattern=ID, **{"x-not": "blank"})
_INPUT_ID: Final = text(pattern=INPUT_ID, **{"x-not": "blank"})

TASK: Final = record(
    f"{MODELS}.tasks.Task",
    {
        "id": _ID,
        "type": _TYPE,
        "description": text(),
        "retry": held("retry"),
        "timeout": formatted("duration", **{"x-dynamic": True}),
        "disabled": flag(False),
        "workerGroup": WORKER_GROUP,
        "logLevel": LEVEL,
        "allowFailure": flag(False),
        "allowWarning": flag(False),
        "logToFile": flag(False),
        "runIf": text(default="true"),
        "workerSelector": newer(type="object", **_ONE_WORKER),
        "policyRefs": newer(**many(text())),
        "pluginDefaultsRef": newer(**text()),
        "version": newer(**text(), **{"x-unused": "the type comes with the server, in one version"}),
        "taskCache": newer(type="object", **{"x-unused": "results are not kept for later executions"}),
    },
    required=["id", "type"],
)

TRIGGER: Final = record(
    f"{MODELS}.triggers.AbstractTrigger",
    {
        "id": _ID,
        "type": _TYPE,
        "description": text(),
        "conditions": many(held("condition")),
        "disabled": flag(False),
        "workerGroup": WORKER_GROUP,
        "logLevel": LEVEL,
        "minLogLevel": {**LEVEL, "deprecated": True, "x-alias-of": "logLevel"},
        "labels": labels("no-system-labels"),
        "stopAfter": many(choice(f"{MODELS}.flows.State$Type", *STATES)),
        "logToFile": flag(False, **{"x-unused": "log entries of triggers are kept with the others"}),
        "workerSelector": newer(type="object", **_ONE_WORKER),
        "policyRefs": newer(**many(text())),
        "pluginDefaultsRef": newer(**text()),
        "version": newer(**text(), **{"x-unused": "the type comes with the server, in one version"}),
    },
    required=["id", "type"],
)

_PLUGIN: Final = {"type": _TYPE, "pluginDefaultsRef": newer(**text())}
CONDITION: Final = record(f"{MODELS}.conditions.Condition", _PLUGIN, required=["type"])
TASK_RUNNER: Final = record(f"{MODELS}.tasks.runners.TaskRunner", _PLUGIN, required=["type"])

INPUT: Final = record(
    f"{MODELS}.flows.Input",
    {
        "id": _INPUT_ID,
        "name": text(deprecated=True, **{"x-alias-of": "id"}),
        "type": _TYPE,
        "description": text(),
        "dependsOn": record(
            f"{MODELS}.flows.DependsOn",
            {"inputs": many(text()), "condition": text()},
        ),
        "required": flag(True),
        "displayName": text(maxLength=64),
        "prefill": newer(),
    },
    required=["id", "type"],
)


def _input(
    java: str, defaults: Written, *, required: tuple[str, ...] = (), checks: tuple[str, ...] = (), **own: Any
) -> Written:
    properties = {"defaults": {**defaults, "x-dynamic": True}, **own}
    return record(f"{MODELS}.flows.input.{java}", properties, required=list(required), **{"x-checks": list(checks)})


_ITEM_TYPE: Final = (
    *("STRING", "ENUM", "SELECT", "INT", "FLOAT", "BOOLEAN", "DATETIME", "DATE", "TIME", "DURATION"),
    *("FILE", "JSON", "URI", "SECRET", "ARRAY", "MULTISELECT", "YAML", "EMAIL"),
)
_VALUES: Final = many(text())
_CUSTOM: Final[dict[str, Any]] = {"allowCustomValue": flag(False)}

INPUTS: Final[Mapping[str, Written]] = {
    "STRING": _input("StringInput", text(), validator=formatted("regex")),
    "SECRET": _input("SecretInput", text(), validator=formatted("regex")),
    "ENUM": _input("EnumInput", text(), values=_VALUES, required=("values",)),
    "SELECT": _input("SelectInput", text(), values=_VALUES, expression=text(), isRadio=flag(False), **_CUSTOM),
    "MULTISELECT": _input(
        "MultiselectInput",
        many(text()),
        values=_VALUES,
        options={**_VALUES, "deprecated": True},
        expression=text(),
        itemType=choice(f"{MODELS}.flows.Type", *_ITEM_TYPE, default="STRING"),
        **_CUSTOM,
    ),
    "INT": _input("IntInput", integer(), min=integer(), max=integer()),
    "FLOAT": _input("FloatInput", {"type": "number"}, min={"type": "number"}, max={"type": "number"}),
    "BOOLEAN": _input("BooleanInput", flag()),
    "BOOL": _input("BoolInput", flag()),
    "DATETIME": _input("DateTimeInput", formatted("instant"), after=formatted("instant"), before=formatted("instant")),
    "DATE": _input("DateInput", formatted("date"), after=formatted("date"), before=formatted("date")),
    "TIME": _input("TimeInput", formatted("time"), after=formatted("time"), before=formatted("time")),
    "DURATION": _input("DurationInput", formatted("duration"), min=formatted("duration"), max=formatted("duration")),
    "FILE": _input("FileInput", text(), extension=text(default=".upl"), accept=newer(), checks=("file-input",)),
    "JSON": _input("JsonInput", {}),
    "YAML": _input("YamlInput", {}),
    "URI": _input("URIInput", text()),
    "ARRAY": _input(
        "ArrayInput",
        {"type": "array"},
        itemType=choice(f"{MODELS}.flows.Type", *_ITEM_TYPE),
        required=("itemType",),
        checks=("array-input",),
    ),
    "EMAIL": _input("EmailInput", text()),
}

RETRY: Final = record(
    f"{MODELS}.tasks.retrys.AbstractRetry",
    {
        "type": _TYPE,
        "maxDuration": formatted("duration"),
        "maxAttempt": integer(minimum=1),
        "maxAttempts": newer(**integer(minimum=1), **{"x-alias-of": "maxAttempt"}),
        "warningOnRetry": flag(False),
        "behavior": choice(
            f"{MODELS}.tasks.retrys.AbstractRetry$Behavior",
            *("RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"),
            default="RETRY_FAILED_TASK",
        ),
    },
    **{"x-checks": ["retry"]},
)


def _retry(java: str, *required: str, **own: Written) -> Written:
    durations = {name: formatted("duration") for name in required}
    return record(f"{MODELS}.tasks.retrys.{java}", {**durations, **own}, required=list(required))


RETRIES: Final[Mapping[str, Written]] = {
    "constant": _retry("Constant", "interval"),
    "exponential": _retry("Exponential", "interval", "maxInterval", delayFactor={"type": "number"}),
    "random": _retry("Random", "minInterval", "maxInterval"),
}

SLA: Final = record(
    f"{MODELS}.flows.sla.SLA",
    {
        "id": text(**{"x-not": "empty"}),
        "type": _TYPE,
        "behavior": choice(f"{MODELS}.flows.sla.SLA$Behavior", "FAIL", "CANCEL", "NONE"),
        "labels": labels("no-system-labels"),
    },
    required=["id", "behavior"],
)
SLAS: Final[Mapping[str, Written]] = {
    "MAX_DURATION": record(
        f"{MODELS}.flows.sla.types.MaxDurationSLA", {"duration": formatted("duration")}, required=["duration"]
    ),
    "EXECUTION_ASSERTION": record(
        f"{MODELS}.flows.sla.types.ExecutionAssertionSLA", {"assert": text(**{"x-not": "empty"})}, required=["assert"]
    ),
}

_OUTPUT: Final = record(
    f"{MODELS}.flows.Output",
    {
        "id": _INPUT_ID,
        "description": text(),
        "value": {},
        "type": choice(f"{MODELS}.flows.Type", *_ITEM_TYPE, "BOOL"),
        "displayName": text(maxLength=64),
        "itemType": newer(),
        "required": newer(),
    },
    required=["id", "value", "type"],
)
_LISTENER: Final = record(
    f"{MODELS}.listeners.Listener",
    {
        "description": text(),
        "conditions": many(held("condition")),
        "tasks": many(held("task"), minItems=1),
    },
)
_PLUGIN_DEFAULT: Final = record(
    f"{MODELS}.flows.PluginDefault",
    {"type": text(), "forced": flag(False), "values": {"type": "object"}, "ref": newer(**text())},
    **{"x-checks": ["plugin-default"]},
)
_CONCURRENCY: Final = record(
    f"{MODELS}.flows.Concurrency",
    {
        "limit": integer(exclusiveMinimum=0),
        "behavior": choice(f"{MODELS}.flows.Concurrency$Behavior", "QUEUE", "CANCEL", "FAIL", default="QUEUE"),
    },
    required=["limit"],
)

_QUOTA: Final = record(
    f"{MODELS}.flows.Quota",
    {
        "duration": formatted("duration"),
        "limit": integer(exclusiveMinimum=0),
        "behavior": choice(f"{MODELS}.flows.Quota$Behavior", "CANCEL", "FAIL"),
    },
    required=["duration", "limit", "behavior"],
)

FLOW: Final = record(
    f"{MODELS}.flows.Flow",
    {
        "id": text(pattern="^[a-zA-Z0-9][a-zA-Z0-9._-]*", minLength=1, maxLength=100, **{"x-not": "blank"}),
        "namespace": text(pattern="^[a-z0-9][a-z0-9._-]*", minLength=1, maxLength=150),
        "revision": integer(minimum=1),
        "tenantId": text(),
        "description": text(),
        "labels": labels(),
        "inputs": many(held("input")),
        "outputs": many(_OUTPUT),
        "disabled": flag(False),
        "variables": {"type": "object"},
        "workerGroup": WORKER_GROUP,
        "deleted": flag(False),
        "tasks": many(held("task"), minItems=1),
        "errors": many(held("task")),
        "listeners": many(_LISTENER, deprecated=True),
        "triggers": many(held("trigger")),
        "pluginDefaults": many(_PLUGIN_DEFAULT),
        "taskDefaults": {**many(_PLUGIN_DEFAULT), "deprecated": True, "x-alias-of": "pluginDefaults"},
        "concurrency": _CONCURRENCY,
        "retry": held("retry"),
        "sla": many(held("sla")),
        "finally": newer(**many(held("task"))),
        "afterExecution": newer(**many(held("task"))),
        "draft": newer(**flag(), **{"x-unused": "every flow that is saved can be run"}),
        "checks": newer(type="array", **{"x-unused": "checks are not evaluated"}),
        "quotas": newer(**many(_QUOTA)),
        "workerSelector": newer(type="object", **_ONE_WORKER),
        "policyRefs": newer(**many(text())),
    },
    required=["id", "namespace"],
    **{"x-checks": ["quotas"]},
)
