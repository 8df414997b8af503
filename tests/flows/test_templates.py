"""Templates as values: read, refused with places, taken into flows."""

import pytest

from casemate.flows import Template, names_of, read_template, with_templates
from casemate.identifiers import MAIN

GREETING = """
id: greeting
namespace: company.team
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: "{{ parent.outputs.args.who }}"
errors:
  - id: sorry
    type: io.kestra.plugin.core.log.Log
    message: Sorry
"""

FLOW = """
id: flow
namespace: company.team
tasks:
  - id: outer
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - id: greet
        type: io.kestra.plugin.core.flow.Template
        namespace: company.team
        templateId: greeting
pluginDefaults:
  - type: io.kestra.plugin.core.log.Log
    values: {level: ERROR}
"""


@pytest.fixture(scope="session")
def template_of(catalog):
    return lambda text: read_template(text, catalog, MAIN)


def test_a_template_gives_its_tasks_to_every_task_that_names_it(flow_of, template_of):
    flow, template = flow_of(FLOW), template_of(GREETING)
    assert isinstance(template, Template)
    assert names_of(flow) == {template.name}
    full = with_templates(flow, {template.name: template})
    assert [task.id for task in full.all_tasks()] == ["outer", "greet", "hello", "sorry"]


def test_the_defaults_of_a_flow_do_not_reach_into_its_templates(flow_of, template_of):
    template = template_of(GREETING)
    full = with_templates(flow_of(FLOW), {template.name: template})
    hello = next(task for task in full.all_tasks() if task.id == "hello")
    assert hello.properties.get("level", "INFO") == "INFO"


def test_a_missing_template_leaves_its_task_empty(flow_of):
    assert [task.id for task in with_templates(flow_of(FLOW), {}).all_tasks()] == ["outer", "greet"]


@pytest.mark.parametrize(
    ("broken", "line", "message"),
    [
        (GREETING + "inputs: []\n", 12, 'Unrecognized field "inputs"'),
        (GREETING.replace("log.Log", "log.Lag", 1), 6, "Invalid type: io.kestra.plugin.core.log.Lag"),
        ("id: x\n\tnamespace: y\n", 2, "Illegal template yaml"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_with_its_place(template_of, broken, line, message):
    (problem, *_) = template_of(broken)
    assert problem.line == line
    assert message in problem.message


def test_templates_are_not_nested(template_of):
    found = template_of(FLOW.replace("id: flow", "id: greeting").partition("pluginDefaults")[0])
    assert [problem.message for problem in found] == ["greet: a template can not take in another one"]
