"""What a flow becomes: typed values, defaults, branches."""

from datetime import timedelta

import pytest

from casemate.catalog import Role
from casemate.documents import read
from casemate.flows import Label, Task, Trigger, parse_task, parse_trigger

CORE = "io.kestra.plugin.core."
LOG = "{id: log, type: io.kestra.plugin.core.log.Log, message: x}"


def task_of(flow_of, properties):
    return flow_of(f"id: f\nnamespace: a.b\ntasks:\n  - id: t\n{properties}").tasks[0]


def test_a_flow_holds_what_was_written(flow_of):
    text = (
        "id: f\nnamespace: a.b\ndescription: yes\nrevision: '3'\nlabels: {team: data, count: 3, on: true}\n"
        "variables: {n: 012, empty: , list: [1_000, 2024-01-01]}\n"
        f"concurrency: {{limit: 2.9}}\ntasks: [{LOG}]\n"
    )
    flow = flow_of(text)
    assert (flow.id, flow.namespace, flow.description, flow.revision) == ("f", "a.b", "yes", 3)
    assert flow.labels == (Label("team", "data"), Label("count", "3"), Label("on", "true"))
    assert flow.variables == {"n": 10, "empty": "", "list": [1000, "2024-01-01"]}
    assert (flow.concurrency.limit, flow.concurrency.behavior) == (2, "QUEUE")
    assert flow.source == text
    assert flow.document["revision"] == "3"


def test_labels_may_be_a_list(flow_of):
    labels = "[{key: team, value: data}, {key: n, value: 1.50}]"
    flow = flow_of(f"id: f\nnamespace: a.b\nlabels: {labels}\ntasks: [{LOG}]\n")
    assert flow.labels == (Label("team", "data"), Label("n", "1.50"))


COERCED = {
    "text as written": ("    type: io.kestra.plugin.core.debug.Return\n    format: yes\n", "format", "yes"),
    "octal text": ("    type: io.kestra.plugin.core.debug.Return\n    format: 012\n", "format", "012"),
    "empty text": ("    type: io.kestra.plugin.core.debug.Return\n    format:\n", "format", ""),
    "a list as dynamic text": (
        "    type: io.kestra.plugin.core.kv.Set\n    key: k\n    value: [1, é]\n",
        "value",
        '[1,"é"]',
    ),
    "a decimal number cut": (
        f"    type: io.kestra.plugin.core.flow.Parallel\n    concurrent: 2.7\n    tasks: [{LOG}]\n",
        "concurrent",
        2,
    ),
    "a quoted number": (
        f"    type: io.kestra.plugin.core.flow.Parallel\n    concurrent: '3'\n    tasks: [{LOG}]\n",
        "concurrent",
        3,
    ),
    "an expression for a number": (
        "    type: io.kestra.plugin.core.storage.Split\n    from: x\n    rows: '{{ inputs.n }}'\n",
        "rows",
        "{{ inputs.n }}",
    ),
    "a number for a flag": (
        "    type: io.kestra.plugin.core.kv.Get\n    key: k\n    errorOnMissing: 1\n",
        "errorOnMissing",
        True,
    ),
    "a bare number of seconds": (
        "    type: io.kestra.plugin.core.flow.Sleep\n    duration: 90\n",
        "duration",
        "PT1M30S",
    ),
    "a list of messages": ("    type: io.kestra.plugin.core.log.Log\n    message: [a, 1]\n", "message", ["a", 1]),
    "a default": ("    type: io.kestra.plugin.core.log.Log\n    message: x\n", "level", "INFO"),
    "a default in place of null": (
        "    type: io.kestra.plugin.core.log.Log\n    message: x\n    level: ~\n",
        "level",
        "INFO",
    ),
    "the sandboxed runner": (
        "    type: io.kestra.plugin.scripts.shell.Commands\n    commands: [ls]\n",
        "taskRunner",
        {"type": "io.kestra.plugin.core.runner.Process"},
    ),
}


@pytest.mark.parametrize(("properties", "name", "value"), COERCED.values(), ids=COERCED)
def test_a_property_becomes_what_its_type_wants(flow_of, properties, name, value):
    found = task_of(flow_of, properties).properties[name]
    assert found == value
    assert type(found) is type(value)


def test_common_properties_are_fields_of_a_task(flow_of):
    task = task_of(
        flow_of,
        "    type: io.kestra.core.tasks.log.Log\n    message: x\n    timeout: '{{ x }}'\n    disabled: true\n"
        "    runIf: 'false'\n    allowFailure: true\n    allowWarning: true\n    logLevel: WARN\n    logToFile: true\n"
        "    description: d\n    workerSelector: {tags: [a]}\n    policyRefs: []\n",
    )
    assert (task.type, task.canonical, task.role) == ("io.kestra.core.tasks.log.Log", CORE + "log.Log", Role.RUNNABLE)
    assert (task.timeout, task.disabled, task.run_if, task.description) == ("{{ x }}", True, "false", "d")
    assert (task.allow_failure, task.allow_warning, task.log_level, task.log_to_file) == (True, True, "WARN", True)
    assert set(task.properties) == {"message", "level"}
    assert task.defaulted == {"level"}


@pytest.mark.parametrize("name", ["maxAttempt", "maxAttempts"])
def test_a_retry_is_read_with_either_name_of_its_limit(flow_of, name):
    retry = f"{{type: exponential, interval: 1, maxInterval: PT9S, delayFactor: 1.5, maxDuration: PT1M, {name}: 4}}"
    found = task_of(flow_of, f"    type: io.kestra.plugin.core.log.Log\n    message: x\n    retry: {retry}\n").retry
    assert (found.kind, found.max_attempt, found.delay_factor) == ("exponential", 4, 1.5)
    assert (found.interval, found.max_interval, found.max_duration) == (
        timedelta(seconds=1),
        timedelta(seconds=9),
        timedelta(minutes=1),
    )
    assert found.behavior == "RETRY_FAILED_TASK"


def log(name):
    return f"{{id: {name}, type: io.kestra.plugin.core.log.Log, message: x}}"


BRANCHES = {
    "Parallel": (f"tasks: [{log('a')}, {log('b')}]", {"tasks": ["a", "b"]}),
    "If": (f"condition: x\n    then: [{log('a')}]\n    else: [{log('b')}]", {"then": ["a"], "else": ["b"]}),
    "Switch": (
        f"value: x\n    cases: {{yes: [{log('a')}], 1: [{log('b')}]}}\n    defaults: [{log('c')}]",
        {"case:yes": ["a"], "case:1": ["b"], "defaults": ["c"]},
    ),
    "ForEach": (f"values: [1, 2]\n    tasks: [{log('a')}]", {"tasks": ["a"]}),
    "Dag": (f"tasks: [{{task: {log('a')}}}, {{task: {log('b')}, dependsOn: [a]}}]", {"tasks": ["a", "b"]}),
    "WorkingDirectory": (f"tasks: [{log('a')}]", {"tasks": ["a"]}),
    "Pause": (f"delay: PT1S\n    tasks: [{log('a')}]", {"tasks": ["a"]}),
    "WaitFor": (f"condition: x\n    tasks: [{log('a')}]", {"tasks": ["a"]}),
}


@pytest.mark.parametrize(("kind", "written", "branches"), [(k, *v) for k, v in BRANCHES.items()], ids=BRANCHES)
def test_children_are_found_by_their_branch(flow_of, kind, written, branches):
    properties = f"    type: io.kestra.plugin.core.flow.{kind}\n    {written}\n    errors: [{log('e')}]\n"
    task = task_of(flow_of, properties)
    assert {name: [child.id for child in tasks] for name, tasks in task.branches.items()} == branches
    assert [child.id for child in task.errors] == ["e"]
    assert not set(task.properties) & {"tasks", "then", "else", "cases", "defaults", "errors"}


def test_a_dag_knows_what_waits_for_what(flow_of):
    kind, (written, _) = "Dag", BRANCHES["Dag"]
    task = task_of(flow_of, f"    type: io.kestra.plugin.core.flow.{kind}\n    {written}\n")
    assert task.depends_on == {"a": (), "b": ("a",)}


def test_all_tasks_are_those_of_every_branch_and_listener(flow_of):
    flow = flow_of(
        "id: f\nnamespace: a.b\n"
        f"tasks:\n  - id: p\n    type: io.kestra.plugin.core.flow.Sequential\n    tasks: [{log('a')}]\n"
        f"errors: [{log('b')}]\nfinally: [{log('c')}]\nafterExecution: [{log('d')}]\n"
        f"listeners: [{{tasks: [{log('e')}]}}]\n"
    )
    assert [task.id for task in flow.all_tasks()] == ["p", "a", "b", "c", "d", "e"]


def test_inputs_keep_typed_defaults_and_their_own_properties(flow_of):
    flow = flow_of(
        "id: f\nnamespace: a.b\ninputs:\n"
        "  - {name: n, type: INT, defaults: '7', min: 1, dependsOn: {inputs: [s], condition: '{{ x }}'}}\n"
        "  - {id: s, type: SELECT, values: [a, 1], required: false, displayName: S}\n"
        "  - {id: d, type: DURATION, defaults: 60, max: PT2H}\n"
        "  - {id: m, type: MULTISELECT, options: [a], defaults: [a]}\n"
        "  - {id: e, type: DATETIME, defaults: '{{ now() }}'}\n"
        f"tasks: [{LOG}]\n"
    )
    number, select, duration, several, date = flow.inputs
    assert (number.id, number.defaults, number.properties["min"]) == ("n", 7, 1)
    assert (number.depends_on, number.condition) == (("s",), "{{ x }}")
    assert (select.required, select.display_name, select.properties["values"]) == (False, "S", ["a", "1"])
    assert (duration.defaults, duration.properties["max"]) == ("PT1M", "PT2H")
    assert several.properties["options"] == ["a"]
    assert date.defaults == "{{ now() }}"


def test_triggers_keep_conditions_among_their_properties(flow_of):
    condition = "{type: io.kestra.plugin.core.condition.DayWeekCondition, dayOfWeek: MONDAY}"
    flow = flow_of(
        "id: f\nnamespace: a.b\ntriggers:\n"
        f"  - {{id: s, type: io.kestra.plugin.core.trigger.Schedule, cron: '@daily', conditions: [{condition}]}}\n"
        f"tasks: [{LOG}]\n"
    )
    (trigger,) = flow.triggers
    assert trigger.canonical == CORE + "trigger.Schedule"
    assert trigger.properties["cron"] == "@daily"
    assert trigger.properties["conditions"][0]["dayOfWeek"] == "MONDAY"
    assert trigger.properties["conditions"][0]["date"] == "{{ trigger.date }}"


def test_names_that_came_later_are_accepted(flow_of):
    flow = flow_of(
        f"id: f\nnamespace: a.b\ndraft: false\nchecks: []\nworkerSelector: {{tags: [a]}}\npolicyRefs: []\n"
        f"finally: [{log('z')}]\ntasks: [{LOG}]\n"
    )
    assert [task.id for task in flow.finally_] == ["z"]


def test_a_single_task_or_trigger_is_read(catalog):
    task = parse_task(read('{"id": "t", "type": "io.kestra.plugin.core.log.Log", "message": "x"}'), catalog)
    trigger = parse_trigger(read('{"id": "t", "type": "io.kestra.plugin.core.trigger.Webhook", "key": "k"}'), catalog)
    assert isinstance(task, Task)
    assert isinstance(trigger, Trigger)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('{"id": "t", "type": "io.kestra.plugin.core.log.Log"}', "message: must not be null"),
        ('{"id": "t", "type": "a.B"}', ": Invalid type: a.B"),
        ("[]", ": Illegal flow yaml: Cannot deserialize value of type `io.kestra.core.models.tasks.Task`"),
    ],
)
def test_a_single_task_is_refused_with_paths_that_begin_at_it(catalog, text, printed):
    (problem,) = parse_task(read(text), catalog)
    assert problem.printed().startswith(printed)
