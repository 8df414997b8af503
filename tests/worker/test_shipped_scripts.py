"""The script types that ship with the product, as a worker gets them."""

import pytest

from casemate.catalog import Capability
from casemate.core import catalog
from casemate.documents import read
from casemate.flows import Flow, parse
from casemate.identifiers import MAIN
from casemate.worker.languages import recognise
from casemate.worker.runners import docker_properties

TYPES = [
    f"io.kestra.plugin.scripts.{language}.{form}"
    for language in ("shell", "python", "node")
    for form in ("Script", "Commands")
]


def task(canonical: str):
    body = "script: 'true'" if canonical.endswith("Script") else "commands: ['true']"
    flow = parse(read(f"id: f\nnamespace: n\ntasks:\n  - id: t\n    type: {canonical}\n    {body}\n"), catalog(), MAIN)
    assert isinstance(flow, Flow), flow
    return flow.tasks[0]


@pytest.mark.parametrize("canonical", TYPES)
def test_every_script_type_is_known_and_runs_code(canonical):
    manifest = catalog().find(canonical)
    assert manifest is not None
    assert manifest.body is None
    assert Capability.RUNS_CODE in manifest.capabilities
    assert recognise(canonical) is not None


@pytest.mark.parametrize("canonical", TYPES)
def test_a_script_without_a_task_runner_gets_one_that_can_be_served(canonical):
    assert docker_properties(task(canonical).properties, catalog().canonical) is None


@pytest.mark.parametrize("canonical", TYPES)
def test_what_a_flow_does_not_say_about_standard_error_is_known_as_a_default(canonical):
    assert "warningOnStdErr" in task(canonical).defaulted
