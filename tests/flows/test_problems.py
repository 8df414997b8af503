"""What is wrong with a flow: the text, the path and the place of every problem."""

import pytest

from casemate.flows import read_flow
from casemate.identifiers import MAIN

FLOW = "id: f\nnamespace: a.b\n"
LOG = "type: io.kestra.plugin.core.log.Log"
TASKS = f"tasks:\n  - {{id: t, {LOG}, message: hi}}\n"

KNOWN = (
    '"id", "type", "description", "retry", "timeout", "disabled", "workerGroup", "logLevel", "allowFailure", '
    '"allowWarning", "logToFile", "runIf", "format"'
)

PROBLEMS = {
    "nothing but an id": (
        "id: f\n",
        ["1:1 namespace: must not be null", "1:1 tasks: must not be empty"],
    ),
    "an empty map": (
        "{}",
        [
            "1:1 id: must not be null",
            "1:1 id: must not be blank",
            "1:1 namespace: must not be null",
            "1:1 tasks: must not be empty",
        ],
    ),
    "an empty id": (
        f'id: ""\nnamespace: a.b\n{TASKS}',
        [
            "1:1 id: must not be blank",
            '1:1 id: must match "^[a-zA-Z0-9][a-zA-Z0-9._-]*"',
            "1:1 id: size must be between 1 and 100",
        ],
    ),
    "a namespace in capitals": (
        f"id: f\nnamespace: Team\n{TASKS}",
        ['2:12 namespace: must match "^[a-z0-9][a-z0-9._-]*"'],
    ),
    "an empty list of tasks": (f"{FLOW}tasks: []\n", ["3:8 tasks: must not be empty"]),
    "tasks left empty": (
        f"{FLOW}tasks:\n",
        ['3:7 tasks: Illegal flow yaml: Cannot coerce empty String ("") to element of `java.util.ArrayList`'],
    ),
    "labels left empty": (
        f"{FLOW}labels:\n{TASKS}",
        [
            '3:8 labels: Illegal flow yaml: Cannot coerce empty String ("") to element of '
            "`java.util.ArrayList<io.kestra.core.models.Label>`"
        ],
    ),
    "text where tasks belong": (
        f"{FLOW}tasks: none\n",
        [
            "3:8 tasks: Illegal flow yaml: Cannot construct instance of `java.util.ArrayList`: "
            "no String-argument constructor/factory method to deserialize from String value ('none')"
        ],
    ),
    "a list where a flow belongs": (
        "- a\n",
        [
            "1:1 : Illegal flow yaml: Cannot deserialize value of type `io.kestra.core.models.flows.Flow` "
            "from Array value (token `JsonToken.START_ARRAY`)"
        ],
    ),
    "a list where text belongs": (
        f"{FLOW}description: [a]\n{TASKS}",
        [
            "3:14 description: Illegal flow yaml: Cannot deserialize value of type `java.lang.String` "
            "from Array value (token `JsonToken.START_ARRAY`)"
        ],
    ),
    "text where a flag belongs": (
        f"{FLOW}disabled: 'yes'\n{TASKS}",
        [
            "3:11 disabled: Illegal flow yaml: Cannot deserialize value of type `java.lang.Boolean` "
            'from String "yes": only "true" or "false" recognized'
        ],
    ),
    "a flag where a number belongs": (
        f"{FLOW}revision: true\n{TASKS}",
        [
            "3:11 revision: Illegal flow yaml: Cannot deserialize value of type `java.lang.Integer` "
            "from Boolean value (token `JsonToken.VALUE_TRUE`)"
        ],
    ),
    "words where a number belongs": (
        f"{FLOW}revision: first\n{TASKS}",
        [
            "3:11 revision: Illegal flow yaml: Cannot deserialize value of type `java.lang.Integer` "
            'from String "first": not a valid `java.lang.Integer` value'
        ],
    ),
    "a number too large": (
        f"{FLOW}revision: 3000000000\n{TASKS}",
        ["3:11 revision: Illegal flow yaml: Numeric value (3000000000) out of range of int (-2147483648 - 2147483647)"],
    ),
    "a number too small": (f"{FLOW}revision: 0\n{TASKS}", ["3:11 revision: must be greater than or equal to 1"]),
    "no room for an execution": (
        f"{FLOW}concurrency: {{limit: 0}}\n{TASKS}",
        ["3:22 concurrency.limit: must be greater than 0"],
    ),
    "a word that is no choice": (
        f"{FLOW}concurrency: {{limit: 1, behavior: WAIT}}\n{TASKS}",
        [
            "3:35 concurrency.behavior: Illegal flow yaml: Cannot deserialize value of type "
            '`io.kestra.core.models.flows.Concurrency$Behavior` from String "WAIT": '
            "not one of the values accepted for Enum class: [QUEUE, CANCEL, FAIL]"
        ],
    ),
    "an unknown property of the flow": (
        f"{FLOW}task: []\n{TASKS}",
        [
            '3:1 task: Unrecognized field "task" (class io.kestra.core.models.flows.Flow), not marked as ignorable '
            '(21 known properties: "id", "namespace", "revision", "tenantId", "description", "labels", "inputs", '
            '"outputs", "disabled", "variables", "workerGroup", "deleted", "tasks", "errors", "listeners", "triggers", '
            '"pluginDefaults", "taskDefaults", "concurrency", "retry", "sla"])'
        ],
    ),
    "an unknown property of a task": (
        f"{FLOW}tasks:\n  - id: t\n    type: io.kestra.plugin.core.debug.Return\n    fromat: x\n",
        [
            '6:5 tasks[0].fromat: Unrecognized field "fromat" (class io.kestra.plugin.core.debug.Return), '
            f"not marked as ignorable (13 known properties: {KNOWN}])"
        ],
    ),
    "an unknown type": (
        f"{FLOW}tasks:\n  - id: t\n    type: io.kestra.plugin.core.log.Logg\n    anything: 1\n",
        ["5:11 tasks[0]: Invalid type: io.kestra.plugin.core.log.Logg"],
    ),
    "no type": (f"{FLOW}tasks:\n  - id: t\n", ["4:5 tasks[0]: Invalid type: null"]),
    "a trigger among the tasks": (
        f"{FLOW}tasks:\n  - {{id: t, type: io.kestra.plugin.core.trigger.Webhook, key: k}}\n",
        ["4:19 tasks[0]: Invalid type: io.kestra.plugin.core.trigger.Webhook"],
    ),
    "a bad id of an unknown type": (
        f"{FLOW}tasks:\n  - {{id: -t, type: a.B}}\n",
        ['4:10 tasks[0].id: must match "^[a-zA-Z0-9][a-zA-Z0-9_-]*"', "4:20 tasks[0]: Invalid type: a.B"],
    ),
    "a property that is missing": (
        f"{FLOW}tasks:\n  - id: t\n    {LOG}\n",
        ["4:5 tasks[0].message: must not be null"],
    ),
    "a property that is null": (
        f"{FLOW}tasks:\n  - id: t\n    {LOG}\n    message: ~\n",
        ["6:14 tasks[0].message: must not be null"],
    ),
    "null among tasks": (f"{FLOW}tasks:\n  - ~\n", ["4:5 tasks[0]: must not be null"]),
    "a task that is text": (
        f"{FLOW}tasks:\n  - hello\n",
        [
            "4:5 tasks[0]: Illegal flow yaml: Cannot construct instance of `io.kestra.core.models.tasks.Task`: "
            "no String-argument constructor/factory method to deserialize from String value ('hello')"
        ],
    ),
    "a flowable without children": (
        f"{FLOW}tasks:\n  - {{id: p, type: io.kestra.plugin.core.flow.Parallel}}\n",
        ["4:5 tasks[0].tasks: must not be null", "4:5 tasks[0].tasks: must not be empty"],
    ),
    "a deep problem": (
        f"{FLOW}tasks:\n  - id: p\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"
        f"      - id: l\n        {LOG}\n        message: x\n        timeout: 5 minutes\n",
        [
            "10:18 tasks[0].tasks[0].timeout: Illegal flow yaml: Cannot deserialize value of type "
            '`java.time.Duration` from String "5 minutes": Failed to deserialize java.time.Duration: '
            "(java.time.format.DateTimeParseException) Text cannot be parsed to a Duration"
        ],
    ),
    "a worker group": (
        f"{FLOW}tasks:\n  - {{id: t, {LOG}, message: x, workerGroup: {{key: gpu}}}}\n",
        ["4:81 tasks[0].workerGroup: Worker Group is an Enterprise Edition functionality"],
    ),
    "an unknown retry": (
        f"{FLOW}{TASKS}retry: {{type: sometimes}}\n",
        ["5:15 retry: Invalid type: sometimes"],
    ),
    "a label that is a list": (
        f"{FLOW}labels: {{team: [a]}}\n{TASKS}",
        ["3:9 labels: Illegal flow yaml: Unsupported type for key: team"],
    ),
    "a nameless output": (
        f"{FLOW}outputs:\n  - {{type: STRING, value: x}}\n{TASKS}",
        ["4:5 outputs[0].id: must not be null", "4:5 outputs[0].id: must not be blank"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_has_kestras_text_a_path_and_a_place(told, text, expected):
    assert told(text) == expected


def test_every_problem_of_a_flow_is_told_at_once_in_the_order_of_places(told):
    text = (
        "id: f\nnamespace: a.b\nid: g\nlabels: {system.x: y}\ntasks:\n"
        f"  - id: t\n    {LOG}\n    mesage: hi\n"
        "  - id: t\n    type: io.kestra.plugin.core.debug.Retrun\n"
        "triggers:\n  - {id: s, type: io.kestra.plugin.core.trigger.Schedule, cron: every day}\n"
    )
    problems = told(text)
    for place, message in (
        ("3:1", "Duplicate field 'id'"),
        ("4:10", "offending label: system.x=y"),
        ("6:5", "message: must not be null"),
        ("8:5", 'Unrecognized field "mesage"'),
        ("9:9", "Duplicate task id with name [t]"),
        ("10:11", "Invalid type: io.kestra.plugin.core.debug.Retrun"),
        ("12:65", "invalid cron expression 'every day'"),
    ):
        assert any(each.startswith(place + " ") and message in each for each in problems), (place, problems)
    assert len(problems) == 7


REMEDIES = {
    "tasks": (f"{FLOW}task: []\n{TASKS}", "did you mean tasks?"),
    "a property": (f"{FLOW}tasks:\n  - {{id: t, {LOG}, mesage: x, message: y}}\n", "did you mean message?"),
    "a type": (f"{FLOW}tasks:\n  - {{id: t, type: log.Logg}}\n", "did you mean io.kestra.plugin.core.log.Log?"),
    "a duration": (f"{FLOW}tasks:\n  - {{id: t, {LOG}, message: x, timeout: 5m}}\n", "PT5M"),
}


@pytest.mark.parametrize(("text", "remedy"), REMEDIES.values(), ids=REMEDIES)
def test_a_problem_says_what_to_do(catalog, text, remedy):
    assert any(remedy in problem.remedy for problem in read_flow(text, catalog, MAIN))
