"""What is wrong with the runner's properties is told when a flow is saved, unless a template has to say it first."""

from __future__ import annotations

import pytest

from casemate.containers.options import PROPERTIES
from casemate.core import catalog
from casemate.documents import read
from casemate.flows import Flow, parse
from casemate.identifiers import MAIN

SHELL = "io.kestra.plugin.scripts.shell.Commands"
RUNNER = "io.kestra.plugin.scripts.runner.docker.Docker"


def parsed(runner: str, kind: str = RUNNER):
    task = f"{{id: t, type: {SHELL}, commands: [ls], taskRunner: {{type: {kind}{runner}}}}}"
    return parse(read(f"id: f\nnamespace: n\ntasks:\n  - {task}\n"), catalog(), MAIN)


@pytest.mark.parametrize(
    ("runner", "place"),
    [
        (", memory: {memory: lots}", "tasks[0].taskRunner.memory.memory"),
        (", shmSize: big", "tasks[0].taskRunner.shmSize"),
        (", pullPolicy: SOMETIMES", "tasks[0].taskRunner.pullPolicy"),
        (", fileHandlingStrategy: COPY", "tasks[0].taskRunner.fileHandlingStrategy"),
        (", privileged: perhaps", "tasks[0].taskRunner.privileged"),
        (", killGracePeriod: soon", "tasks[0].taskRunner.killGracePeriod"),
        (", cpu: {cpus: -1}", "tasks[0].taskRunner.cpu.cpus"),
        (", capAdd: [SYS_ADMIN]", "tasks[0].taskRunner.capAdd"),
        (", credentials: {token: x}", "tasks[0].taskRunner.credentials.token"),
    ],
)
def test_a_literal_that_means_nothing_is_refused_with_its_place(runner, place):
    problems = parsed(runner)
    assert isinstance(problems, tuple)
    assert place in [problem.path for problem in problems]


def test_templates_are_looked_at_when_they_are_rendered():
    templated = ", memory: {memory: '{{ inputs.m }}'}, privileged: '{{ inputs.p }}', pullPolicy: '{{ inputs.q }}'"
    assert isinstance(parsed(templated), Flow)


def test_the_older_name_of_the_runner_is_known():
    assert isinstance(parsed("", f"{RUNNER}TaskRunner"), Flow)


def test_the_manifest_and_the_runner_know_the_same_properties():
    manifest = catalog().find(RUNNER)
    assert manifest is not None
    assert frozenset(manifest.schema.properties) == PROPERTIES
