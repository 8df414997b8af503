"""What the properties of flows, inputs, retries and the like are for; `vocabulary` says what they may hold.

By the last part of the name that Kestra's messages give to the object, `*` for any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casemate.catalog import Schema

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "Flow": {
        "id": "The name of the flow within its namespace.",
        "namespace": "Where the flow lies: names divided by dots.",
        "revision": "Counted by the server; what is written here has no effect.",
        "tenantId": "The tenant of the flow.",
        "labels": "Labels of the flow and of all its executions.",
        "inputs": "What executions are given when they start.",
        "outputs": "What executions give when they have ended.",
        "disabled": "A disabled flow cannot be started, and its triggers do nothing.",
        "variables": "Values that templates see as vars, rendered where they are used.",
        "deleted": "Whether the flow was deleted.",
        "tasks": "The tasks, run one after the other.",
        "errors": "Tasks that run after one of the others has failed.",
        "listeners": "Tasks that run after the end of an execution. Use afterExecution instead.",
        "triggers": "What starts executions by itself.",
        "pluginDefaults": "Properties for all tasks and triggers of a type, or of types whose names begin so.",
        "concurrency": "How many executions may run at once.",
        "retry": "How tasks without a retry of their own are tried again.",
        "sla": "What is promised of each execution, and what happens otherwise.",
        "finally": "Tasks that run after all others, however those ended.",
        "afterExecution": "Tasks that run after the end of an execution and see its state.",
        "draft": "Whether it is not to be run yet.",
        "checks": "Conditions that are judged before an execution starts.",
        "quotas": "How many executions may be created in a stretch of time.",
    },
    "Task": {
        "timeout": "How long the task may take, waiting for a worker included.",
        "allowFailure": "A failure becomes a warning, and the next task runs.",
        "allowWarning": "A warning counts as success.",
        "logToFile": "Keep the logs in a file instead of the database.",
        "runIf": "The task runs only if this is true.",
        "taskCache": "Keep the results for later executions.",
    },
    "AbstractTrigger": {
        "conditions": "Conditions that must all hold.",
        "labels": "Labels of the executions that it starts.",
        "stopAfter": "When an execution that it started ends in one of these states, the trigger is disabled.",
        "logToFile": "Keep the logs in a file instead of the database.",
    },
    "Input": {
        "displayName": "The name that people see.",
        "dependsOn": "Ask for it only after others, and only if a condition is true.",
        "required": "Whether a value must be given.",
        "prefill": "A value that people can change before they start.",
        "defaults": "The value when none is given.",
        "values": "What may be chosen.",
        "options": "What may be chosen. Use values instead.",
        "expression": "Renders to the list of what may be chosen.",
        "isRadio": "Show all that may be chosen at once.",
        "allowCustomValue": "Accept values that are not in the list.",
        "itemType": "The type of each value.",
        "validator": "A regular expression that the whole value must match.",
        "min": "The least value.",
        "max": "The largest value.",
        "after": "The value must be after this one.",
        "before": "The value must be before this one.",
        "extension": "The ending of the name of the file.",
        "accept": "The types of files that people are offered.",
    },
    "DependsOn": {
        "inputs": "The inputs that it depends on.",
        "condition": "It is asked for only if this is true.",
    },
    "Output": {
        "value": "The value, rendered when all tasks have ended.",
        "displayName": "The name that people see.",
        "itemType": "The type of each value of an array.",
        "required": "Whether it must have a value.",
    },
    "Retry": {
        "type": "How the time between two attempts is found.",
        "maxDuration": "How long may be tried altogether.",
        "maxAttempt": "How often is tried, the first attempt included.",
        "warningOnRetry": "A success after a failure is a warning.",
        "behavior": "Try the task again, or the whole execution.",
        "interval": "The time between two attempts; the first time of an exponential retry.",
        "maxInterval": "The longest time between two attempts.",
        "minInterval": "The shortest time between two attempts.",
        "delayFactor": "By how much the time between two attempts grows.",
    },
    "SLA": {
        "id": "The name of the promise.",
        "type": "What is promised: a duration, or that an expression is true.",
        "behavior": "What happens to the execution when the promise is broken.",
        "labels": "Labels that the execution gets when the promise is broken.",
        "duration": "How long the execution may take.",
        "assert": "What must be true.",
    },
    "Listener": {
        "conditions": "Conditions that must all hold.",
        "tasks": "The tasks, run one after the other.",
    },
    "PluginDefault": {
        "type": "The type, or how the names of several begin.",
        "forced": "Replace what is given.",
        "ref": "A name: it then applies only where pluginDefaultsRef gives it.",
        "values": "The properties.",
    },
    "Concurrency": {
        "limit": "How many executions may run at once.",
        "behavior": "What happens to further ones: they wait, or end at once.",
    },
    "Quota": {
        "duration": "The stretch of time: a minute or more, in fixed units.",
        "limit": "How many executions may be created in it.",
        "behavior": "What becomes of further ones: they are CANCELLED or FAILED at once.",
    },
    "WorkerGroup": {
        "key": "The worker group.",
        "fallback": "What happens when no worker of the group is there.",
    },
    "*": {
        "id": "The name, unique within the flow.",
        "type": "The type, which decides over the other properties.",
        "description": "A text for people.",
        "disabled": "Whether it is left out.",
        "retry": "How a failure is tried again.",
        "workerGroup": "Which workers may run it.",
        "workerSelector": "Which workers may run it.",
        "logLevel": "The least level of log entries that are kept.",
        "policyRefs": "Policies that apply to it.",
        "pluginDefaultsRef": "The named plugin default that applies to it.",
        "version": "The version of the plugin.",
    },
}


def purpose(owner: str, name: str, schema: Schema) -> str:
    """What a property is for, in one or two sentences; empty if nobody has said. `owner` is a name such as `Flow`."""
    if schema.alias_of:
        words = f"The same as {schema.alias_of}."
    else:
        words = schema.description or _WORDS.get(owner, {}).get(name) or _WORDS["*"].get(name, "")
    return f"{words} Without effect here: {schema.unused}.".strip() if schema.unused else words
