"""Rules over several properties of an object, and over the whole flow."""

import json

import pytest

from casemate.flows import to_json

CORE = "io.kestra.plugin.core."
LOG = {"id": "log", "type": CORE + "log.Log", "message": "x"}


def flow(**more):
    return json.dumps({"id": "f", "namespace": "a.b", "tasks": [LOG], **more})


def messages(told, text):
    return [problem.partition(" ")[2] for problem in told(text)]


def retry(**more):
    return {"tasks": [{**LOG, "retry": more}]}


def window(**more):
    flows = [{"namespace": "a.b", "flowId": "other"}]
    return trigger("trigger.Flow", preconditions={"id": "p", "flows": flows, "timeWindow": more})


def filtered(**more):
    where = [{"id": "c", "filters": [{"field": "FLOW_ID", **more}]}]
    return trigger("trigger.Flow", preconditions={"id": "p", "where": where})


def trigger(type_, **more):
    return {"triggers": [{"id": "t", "type": CORE + type_, **more}]}


def dag(**needs):
    entries = [{"task": {**LOG, "id": name}, "dependsOn": list(wanted)} for name, wanted in needs.items()]
    return {"tasks": [{"id": "dag", "type": CORE + "flow.Dag", "tasks": entries}]}


def inputs(**needs):
    return {
        "inputs": [{"id": name, "type": "STRING", "dependsOn": {"inputs": wanted}} for name, wanted in needs.items()]
    }


WINDOW = "triggers[0].preconditions.timeWindow: Time window of type "
FILTER = "triggers[0].preconditions.where[0].filters[0]: "

CASES = {
    "constant within its patience": (retry(type="constant", interval="PT1S", maxDuration="PT1S"), []),
    "constant beyond its patience": (
        retry(type="constant", interval="PT10S", maxDuration="PT1S"),
        ["tasks[0].retry: 'interval' must be less than 'maxDuration' but is PT10S"],
    ),
    "exponential beyond its patience": (
        retry(type="exponential", interval="PT2S", maxInterval="PT1S", maxDuration="PT1S"),
        ["tasks[0].retry: 'interval' must be less than 'maxDuration' but is PT2S"],
    ),
    "exponential that starts above its ceiling": (
        retry(type="exponential", interval="PT3S", maxInterval="PT1S"),
        ["tasks[0].retry: 'interval' must be less than 'maxInterval' but is PT3S"],
    ),
    "random that may wait as long as its patience": (
        retry(type="random", minInterval="PT1S", maxInterval="PT9S", maxDuration="PT9S"),
        [],
    ),
    "random the wrong way round": (
        retry(type="random", minInterval="PT9S", maxInterval="PT1S"),
        ["tasks[0].retry: 'minInterval' must be less than 'maxInterval' but is PT9S"],
    ),
    "retry without interval": (
        retry(type="constant"),
        ["tasks[0].retry.interval: must not be null"],
    ),
    "retry without attempts": (
        retry(type="constant", interval="PT1S", maxAttempt=0),
        ["tasks[0].retry.maxAttempt: must be greater than or equal to 1"],
    ),
    "filter with a value": (filtered(type="EQUAL_TO", value="x"), []),
    "filter with values": (filtered(type="IN", values=["x"]), []),
    "filter without a value": (filtered(type="REGEX"), [FILTER + "`value` cannot be null for type REGEX"]),
    "filter with both": (
        filtered(type="EQUAL_TO", value="x", values=["y"]),
        [FILTER + "`values` must be null for type EQUAL_TO"],
    ),
    "filter with a value instead of values": (
        filtered(type="NOT_IN", value="x"),
        [FILTER + "`value` must be null for type NOT_IN"],
    ),
    "filter without values": (filtered(type="IN"), [FILTER + "`values` cannot be null for type IN"]),
    "window by default": (window(), []),
    "window of a day": (window(type="DAILY_TIME_WINDOW", startTime="06:00:00", endTime="09:00:00"), []),
    "window without deadline": (
        window(type="DAILY_TIME_DEADLINE"),
        [WINDOW + "`DAILY_TIME_DEADLINE` must have a deadline."],
    ),
    "window of a day without end": (
        window(type="DAILY_TIME_WINDOW", startTime="06:00:00"),
        [WINDOW + "`DAILY_TIME_WINDOW` must have an end time."],
    ),
    "sliding window with a deadline": (
        window(type="SLIDING_WINDOW", window="PT1H", deadline="09:00:00"),
        [WINDOW + "`SLIDING_WINDOW` cannot have a deadline."],
    ),
    "window that mixes everything": (
        window(type="DURATION_WINDOW", deadline="09:00:00", startTime="06:00:00"),
        [
            WINDOW + "`DURATION_WINDOW` cannot have a deadline.",
            WINDOW + "`DURATION_WINDOW` cannot have a start time.",
        ],
    ),
    "schedule with an interval": (
        trigger("trigger.Schedule", cron="* * * * *", interval="PT5S"),
        ["triggers[0].interval: must be null"],
    ),
    "schedule in no zone": (
        trigger("trigger.Schedule", cron="* * * * *", timezone="Foo/Bar"),
        ["triggers[0].timezone: timezone '(Foo/Bar)' is not a valid time-zone ID"],
    ),
    "webhook that waits for several": (
        trigger(
            "trigger.Webhook",
            key="k",
            conditions=[{"id": "m", "type": CORE + "condition.MultipleCondition", "conditions": {}}],
        ),
        ["triggers[0]: invalid webhook: conditions of type MultipleCondition are not supported"],
    ),
    "webhook with a long key": (
        trigger("trigger.Webhook", key="k" * 257),
        ["triggers[0].key: size must be between 0 and 256"],
    ),
    "system label of a trigger": (
        trigger("trigger.Webhook", key="k", labels={"a": "b", "system.x": "y"}),
        [
            "triggers[0].labels[1].<list element>: "
            "System labels can only be set by Kestra itself, offending label: system.x=y."
        ],
    ),
    "switch that leads nowhere": (
        {"tasks": [{"id": "s", "type": CORE + "flow.Switch", "value": "x"}]},
        ["s: No task defined, neither cases or default have any tasks"],
    ),
    "switch without a value": (
        {"tasks": [{"id": "s", "type": CORE + "flow.Switch", "defaults": [LOG]}]},
        ["tasks[0].value: must not be blank"],
    ),
    "dag in order": (dag(a=[], b=["a"], c=["a", "b"]), []),
    "dag that waits for nobody": (dag(a=["x"], b=["a"]), ["dag: Not existing task id in dependency: x"]),
    "dag in a circle": (
        dag(a=["b"], b=["a"], c=["b"], d=["d"]),
        ["dag: Cyclic dependency detected: a, b, d"],
    ),
    "dag without tasks": (
        {"tasks": [{"id": "dag", "type": CORE + "flow.Dag", "tasks": []}]},
        ["tasks[0].tasks: must not be empty", "dag: No task defined"],
    ),
    "empty working directory": (
        {"tasks": [{"id": "w", "type": CORE + "flow.WorkingDirectory"}]},
        ["w: The 'tasks' property cannot be empty"],
    ),
    "working directory that schedules": (
        {
            "tasks": [
                {
                    "id": "w",
                    "type": CORE + "flow.WorkingDirectory",
                    "tasks": [{"id": "q", "type": CORE + "flow.Sequential"}],
                }
            ]
        },
        ["w: Only runnable tasks are allowed as children of a WorkingDirectory task"],
    ),
    "plugin default without values": (
        {"pluginDefaults": [{"type": "a.b"}]},
        ["pluginDefaults[0]: Invalid Plugin Default: No 'values' provided"],
    ),
    "plugin default with all faults": (
        {
            "pluginDefaults": [
                {"values": {"a": None}},
                {"type": CORE + "log.Log", "values": {"LEVEL": "x", "colour": 1}},
            ]
        },
        [
            "pluginDefaults[0]: Invalid Plugin Default: No 'type' provided",
            f"pluginDefaults[1]: Invalid Plugin Default: No property 'colour' exists in plugin '{CORE}log.Log'",
        ],
    ),
    "file with a default": (
        {"inputs": [{"id": "file", "type": "FILE", "defaults": "x"}]},
        ["file: no `defaults` can be set for inputs of type 'FILE'"],
    ),
    "array of arrays": (
        {"inputs": [{"id": "array", "type": "ARRAY", "itemType": "ARRAY"}]},
        ["array: `itemType` cannot be `ARRAY`"],
    ),
    "pattern that is none": (
        {"inputs": [{"id": "i", "type": "STRING", "validator": "["}]},
        ["inputs[0].validator: invalid pattern [[]"],
    ),
    "default of another type": (
        {"inputs": [{"id": "i", "type": "INT", "defaults": "many"}]},
        [
            "inputs[0].defaults: Illegal flow yaml: Cannot deserialize value of type `java.lang.Integer` "
            'from String "many": not a valid `java.lang.Integer` value'
        ],
    ),
    "number that is none": (
        {"inputs": [{"id": "i", "type": "FLOAT", "max": "inf"}]},
        [
            "inputs[0].max: Illegal flow yaml: Cannot deserialize value of type `java.lang.Double` "
            'from String "inf": not a valid `Double` value'
        ],
    ),
    "input without a type": ({"inputs": [{"id": "wrong one"}]}, ["inputs[0]: Invalid type: null"]),
    "input of no type": ({"inputs": [{"id": "i", "type": "FOO"}]}, ["inputs[0]: Invalid type: FOO"]),
    "date that is none": (
        {"inputs": [{"id": "d", "type": "DATE", "after": "2023-13-01"}]},
        [
            "inputs[0].after: Illegal flow yaml: Cannot deserialize value of type `java.time.LocalDate` from String "
            '"2023-13-01": Failed to deserialize java.time.LocalDate: '
            "(java.time.format.DateTimeParseException) Text '2023-13-01' could not be parsed"
        ],
    ),
    "sla with a system label": (
        {
            "sla": [
                {"id": "s", "type": "MAX_DURATION", "duration": "PT1S", "behavior": "FAIL", "labels": {"system.s": "v"}}
            ]
        },
        [
            "sla[0].labels[0].<list element>: "
            "System labels can only be set by Kestra itself, offending label: system.s=v."
        ],
    ),
    "names given twice": (
        {
            "tasks": [LOG, {"id": "p", "type": CORE + "flow.Parallel", "tasks": [LOG]}],
            "errors": [{**LOG, "id": "p"}],
            "outputs": [{"id": "o", "type": "STRING", "value": "x"}] * 2,
        },
        [
            ": Invalid Flow: Duplicate task id with name [log, p]",
            ": Invalid Flow: Duplicate output with name [o]",
        ],
    ),
    "triggers and inputs given twice": (
        {"inputs": [{"id": "i", "type": "INT"}] * 2, "triggers": trigger("trigger.Webhook", key="k")["triggers"] * 2},
        [
            ": Invalid Flow: Duplicate input with name [i]",
            ": Invalid Flow: Duplicate trigger id with name [t]",
        ],
    ),
    "flow that calls itself": (
        {"errors": [{"id": "s", "type": "io.kestra.core.tasks.flows.Flow", "namespace": "a.b", "flowId": "f"}]},
        [": Invalid Flow: Recursive call to flow [a.b.f]"],
    ),
    "inputs that wait for nobody": (
        inputs(a=["x"]),
        [": Invalid Flow: Input with id 'a' depends on a non-existent input 'x'."],
    ),
    "inputs in a circle": (
        inputs(a=["b"], b=["a"], c=["a"]),
        [
            ": Invalid Flow: Cycle dependency detected for input with id 'a': [b]",
            ": Invalid Flow: Cycle dependency detected for input with id 'b': [a]",
        ],
    ),
    "system labels of the flow": (
        {"labels": {"system.readOnly": "true", "system.a": 1, "team": "x"}},
        [": Invalid Flow: System labels can only be set by Kestra itself, offending label: system.a=1"],
    ),
}


@pytest.mark.parametrize(("more", "expected"), CASES.values(), ids=CASES)
def test_a_rule_that_is_broken_is_told_in_kestras_words(told, more, expected):
    assert messages(told, flow(**more)) == expected


def test_a_long_chain_of_dependencies_is_no_circle(told):
    names = [f"n{number}" for number in range(5000)]
    chain = dict(zip(names, [[], *([name] for name in names)], strict=False))
    assert told(flow(**dag(**chain))) == []


def test_a_long_circle_of_dependencies_is_found(told):
    names = [f"n{number}" for number in range(3000)]
    circle = dict(zip(names, [[names[-1]], *([name] for name in names)], strict=False))
    (problem,) = told(flow(**dag(**circle)))
    assert "Cyclic dependency detected: n0, n1, " in problem


EACH = {"id": "each", "type": CORE + "flow.ForEachItem", "items": "{{ x }}", "namespace": "a.b", "flowId": "other"}


def test_the_parts_of_a_for_each_item_have_ids_like_other_tasks(told):
    assert messages(told, flow(tasks=[EACH])) == []
    taken = {**LOG, "id": "each_items"}
    assert messages(told, flow(tasks=[taken, EACH])) == [": Invalid Flow: Duplicate task id with name [each_items]"]


def test_no_flow_names_the_parts_of_a_for_each_item(told):
    part = {"id": "x", "type": CORE + "flow.ForEachItem$ForEachItemMergeOutputs"}
    assert any("Invalid type" in message for message in messages(told, flow(tasks=[part])))


def test_the_parts_of_a_for_each_item_are_not_shown(flow_of):
    shown = to_json(flow_of(flow(tasks=[EACH])))["tasks"][0]
    assert set(shown) == {"id", "type", "items", "namespace", "flowId"}
