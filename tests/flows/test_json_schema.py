"""The schema of flows, judged by a validator that knows nothing of us."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from casemate.catalog import Holds
from casemate.documents import examine, plain
from casemate.flows import flow_json_schema, held_json_schema, type_json_schema

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
LOG = "type: io.kestra.plugin.core.log.Log, message: hi"


@pytest.fixture(scope="module")
def schema(catalog):
    return flow_json_schema(catalog)


@pytest.fixture(scope="module")
def faults(schema):
    """The places where a flow with these properties does not fit the schema."""
    validator = Draft202012Validator(schema)

    def found(text, head="id: f\nnamespace: n\n"):
        values = plain(examine(head + text).document.root)
        return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(values)]

    return found


def test_it_is_a_schema_of_the_newest_dialect(schema):
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert len(json.dumps(schema)) < 300_000


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_it_accepts_the_examples(faults, example):
    assert faults(example.read_text(), head="") == []


def properties(schema) -> Iterator[tuple[str, dict]]:
    if isinstance(schema, dict):
        inside = schema.get("properties")
        yield from inside.items() if isinstance(inside, dict) and schema.get("type") == "object" else ()
        for each in schema.values():
            yield from properties(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from properties(each)


def test_every_property_says_what_it_is_for(schema):
    plain_properties = [(name, one) for name, one in properties(schema) if "$ref" not in one]
    silent = [name for name, one in plain_properties if not one.get("description") and set(one) != {"type"}]
    assert [name for name in silent if name != "type"] == []
    assert len(plain_properties) > 300


def test_a_property_says_what_it_may_be(schema):
    log = schema["$defs"]["io.kestra.plugin.core.log.Log"]
    assert log["required"] == ["id", "type", "message"]
    level = log["properties"]["level"]
    assert level["default"] == "INFO"
    assert "ERROR" in json.dumps(level)
    assert log["properties"]["type"]["enum"] == ["io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log"]
    assert schema["$defs"]["io.kestra.plugin.core.flow.EachParallel"]["deprecated"] is True
    assert "Without effect here" in schema["properties"]["checks"]["description"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"tasks: [{{id: t, {LOG}, mesage: x}}]", "tasks.0"),
        (f"taks: []\ntasks: [{{id: t, {LOG}}}]", ""),
        ("tasks: [{id: t, type: io.kestra.plugin.core.log.Nothing}]", "tasks.0.type"),
        ("tasks: [{id: t, type: io.kestra.plugin.core.log.Log}]", "tasks.0"),
        (f"tasks: [{{id: 'a b', {LOG}}}]", "tasks.0.id"),
        ("tasks: []", "tasks"),
        ("labels: {a: [1]}", "labels"),
        (f"tasks: [{{id: t, {LOG}, disabled: perhaps}}]", "tasks.0.disabled"),
        (f"tasks: [{{id: t, {LOG}}}]\nconcurrency: {{limit: 0}}", "concurrency.limit"),
        (f"tasks: [{{id: t, {LOG}}}]\nconcurrency: {{limit: 1, behavior: HOPE}}", "concurrency.behavior"),
        (
            f"tasks: [{{id: t, {LOG}}}]\ntriggers: [{{id: s, type: io.kestra.plugin.core.trigger.Schedule}}]",
            "triggers.0",
        ),
        (f"tasks: [{{id: t, {LOG}}}]\ninputs: [{{id: i, type: INT, max: many}}]", "inputs.0.max"),
        (f"tasks: [{{id: t, {LOG}, retry: {{type: constant}}}}]", "tasks.0.retry"),
    ],
)
def test_what_the_reader_refuses_is_refused(faults, told, text, place):
    assert told(f"id: f\nnamespace: n\n{text}")
    assert any(fault.startswith(place) for fault in faults(text)), faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "tasks: [{id: 1, type: io.kestra.plugin.core.log.Log, message: 2, disabled: 'True', logLevel: null}]",
        "tasks: [{id: t, type: io.kestra.core.tasks.log.Log, message: [a, b]}]",
        "tasks: [{id: t, type: io.kestra.plugin.core.flow.Sleep, duration: 1.5}]",
        "tasks: [{id: t, type: io.kestra.plugin.core.flow.Sleep, duration: '{{ inputs.x }}'}]",
        f"tasks: [{{id: t, {LOG}}}]\nlabels: {{a: 1, b: true}}",
        f"tasks: [{{id: t, {LOG}}}]\nlabels: [{{key: a, value: 1}}]",
        f"tasks: [{{id: t, {LOG}}}]\ninputs: [{{name: old, type: INT, defaults: '{{{{ 1 }}}}', min: '1', max: 1.7}}]",
        f"tasks: [{{id: t, {LOG}}}]\ntaskDefaults: [{{type: io.kestra, values: {{logLevel: INFO}}}}]",
        "tasks: [{id: s, type: io.kestra.plugin.scripts.shell.Script, script: x, env: '{{ vars.env }}'}]",
    ],
)
def test_what_the_reader_turns_into_what_is_wanted_is_accepted(faults, told, text):
    assert told(f"id: f\nnamespace: n\n{text}") == []
    assert faults(text) == []


def test_tasks_in_tasks_take_no_longer_the_deeper_they_lie(faults):
    text = f"{{id: t, {LOG}, mesage: x}}"
    for depth in range(25):
        text = f"{{id: d{depth}, type: io.kestra.plugin.core.flow.Sequential, tasks: [{text}]}}"
    (fault,) = faults(f"tasks: [{text}]")
    assert fault == "tasks.0" + ".tasks.0" * 25


def test_one_type_has_a_schema_with_what_it_needs(catalog):
    log = type_json_schema(Holds.TASK, "io.kestra.core.tasks.log.Log", catalog)
    task = {"id": "t", "type": "io.kestra.plugin.core.log.Log", "message": "hi"}
    assert Draft202012Validator(log).is_valid(task)
    assert not Draft202012Validator(log).is_valid({**task, "mesage": "hi"})
    assert "io.kestra.plugin.core.flow.If" not in log["$defs"]
    assert type_json_schema(Holds.TRIGGER, "io.kestra.plugin.core.log.Log", catalog) is None
    assert type_json_schema(Holds.INPUT, "STRING", catalog)["properties"]["validator"]["description"]


def test_a_trigger_alone_has_a_schema(catalog):
    validator = Draft202012Validator(held_json_schema(Holds.TRIGGER, catalog))
    trigger = {"id": "t", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 0 * * *"}
    assert validator.is_valid(trigger)
    assert not validator.is_valid({**trigger, "type": "io.kestra.plugin.core.log.Log"})
