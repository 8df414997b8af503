"""Options that nobody is granted are refused when a flow is validated or saved, where that can be known by then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.docker_runner.conftest import RUNNER, SHELL
from tests.docker_runner.test_grants import UNSAFE

from casemate.api import Deps, app
from casemate.core import catalog
from casemate.dispatch import Embedded
from casemate.errors import Problem
from casemate.flows import Flow, read_flow
from casemate.identifiers import TenantId
from casemate.orchestrator import Orchestrator
from casemate.secrets import EnvironmentSecrets, Secrets
from casemate.settings import Settings, load
from casemate.storage import Storage
from casemate.store import Database
from casemate.worker import container_judge

GRANTS = "casemate: {isolation: {docker: {grants: [%s]}}}"
OF_THE_MACHINE = ("host",)


def settings(text: str = "") -> Settings:
    return load([("conf.yml", text)] if text else [], {}).settings


def flow_with(told: object, namespace: str = "tests.dock", extra: str = "") -> str:
    runner = json.dumps({"type": RUNNER, **told}) if isinstance(told, dict) else told
    task = f"{{id: t, type: {SHELL}, commands: [ls], taskRunner: {runner}}}"
    return f"id: f\nnamespace: {namespace}\ntasks:\n  - {task}\n{extra}"


def problems(text: str, configuration: str = "", tenant: str = "main") -> tuple[Problem, ...]:
    said = settings(configuration)
    types = catalog().with_rules(said.rules)
    found = read_flow(text, types, TenantId(tenant), judge=container_judge(types, said))
    return () if isinstance(found, Flow) else found


@pytest.mark.parametrize(("told", "option", "grant"), [each for each in UNSAFE if each[1] not in OF_THE_MACHINE])
def test_w7_what_is_written_out_is_refused_before_it_runs_with_its_place_and_the_key(told, option, grant):
    text = flow_with(told)
    (problem,) = problems(text)
    assert problem.path == f"tasks[0].taskRunner.{option}"
    assert f"`{option}`" in problem.message
    assert f"'{grant}'" in problem.remedy
    assert "casemate.isolation.docker.grants" in problem.remedy
    assert problem.line == 4
    (key,) = told
    assert text.splitlines()[3][(problem.column or 0) - 1 :] == text.partition(f'"{key}": ')[2].partition("\n")[0]


@pytest.mark.parametrize(("told", "grant"), [(told, grant) for told, _, grant in UNSAFE])
def test_what_is_granted_can_be_saved(told, grant):
    assert problems(flow_with(told), GRANTS % f'"{grant}"') == ()


@pytest.mark.parametrize(
    "told",
    [
        {"privileged": "{{ inputs.p }}"},
        {"user": "{{ 'root' }}", "networkMode": "{% if true %}host{% endif %}"},
        {"volumes": ["{{ inputs.folder }}:/a"]},
        {"volumes": "{{ inputs.volumes }}"},
        {
            "memory": {"memory": "{{ inputs.m }}"},
            "credentials": {"registry": "r.example", "password": "{{ secret('P') }}"},
        },
        {"config": '{"auths": {"r.example": {"auth": "{{ secret(\'P\') }}"}}}'},
    ],
)
def test_what_a_template_makes_is_judged_when_it_is_made(told):
    assert problems(flow_with(told)) == ()


def test_a_template_beside_a_literal_hides_nothing():
    (problem,) = problems(flow_with({"volumes": ["{{ inputs.folder }}:/a", "/:/b"], "networkMode": "{{ inputs.n }}"}))
    assert problem.path == "tasks[0].taskRunner.volumes"
    assert "'/'" in problem.message


def test_what_the_machine_of_a_worker_decides_is_left_to_it():
    assert problems(flow_with({"host": "tcp://other:2375"})) == ()
    below = flow_with({"volumes": ["/srv/shared/deep:/a:ro"]})
    assert problems(below, GRANTS % '"volumes:/srv/shared:ro"') == ()
    assert problems(below, GRANTS % '"volumes:/srv/shared"')
    assert problems(flow_with({"volumes": ["/srv/shared/deep:/a"]}), GRANTS % '"volumes:/srv/shared:ro"')


PROFILES = """
casemate:
  isolation:
    profiles:
      - {namespaces: [company.data], docker: {grants: [privileged]}}
      - {tenants: [lab], docker: {grants: [privileged]}}
      - {namespaces: [company.closed], docker: {enabled: false}}
"""


def test_the_rules_are_those_of_the_namespace_and_the_tenant():
    privileged = {"privileged": True}
    assert problems(flow_with(privileged, "company.data.team"), PROFILES) == ()
    assert problems(flow_with(privileged), PROFILES, tenant="lab") == ()
    assert problems(flow_with(privileged, "company.database"), PROFILES)


def test_where_containers_are_switched_off_no_flow_asks_for_one():
    (problem,) = problems(flow_with({}, "company.closed"), PROFILES)
    assert "switched off" in problem.message
    assert problem.path == "tasks[0].taskRunner"


def test_the_older_properties_and_nested_tasks_are_judged_too():
    task = f"{{id: t, type: {SHELL}, commands: [ls], runner: DOCKER, docker: {{image: x, privileged: true}}}}"
    kind = "io.kestra.plugin.core.flow.Sequential"
    text = f"id: f\nnamespace: n\ntasks:\n  - id: all\n    type: {kind}\n    tasks:\n      - {task}\n"
    (problem,) = problems(text)
    assert (problem.path, problem.line) == ("tasks[0].tasks[0].docker.privileged", 7)


def test_what_a_plugin_default_brings_in_is_told_at_the_task():
    extra = f"pluginDefaults:\n  - type: {RUNNER}\n    values: {{networkMode: host}}\n"
    (problem,) = problems(flow_with({}, extra=extra))
    assert (problem.path, problem.line) == ("tasks[0].taskRunner.networkMode", 4)
    assert problem.remedy.startswith("a policy or a plugin default makes it so; add 'networkMode:host'")


def test_what_a_forced_default_takes_away_is_no_fault():
    forced = f"kestra: {{plugins: {{defaults: [{{type: {RUNNER}, forced: true, values: {{privileged: false}}}}]}}}}"
    assert problems(flow_with({"privileged": True}), forced) == ()


def test_another_runner_is_asked_nothing():
    text = flow_with("{type: io.kestra.plugin.core.runner.Process}").replace("]", "], docker: {privileged: true}")
    assert problems(text) == ()


@pytest.fixture
def client(tmp_path: Path):
    said = settings(PROFILES)
    types, storage = catalog().with_rules(said.rules), Storage.local(tmp_path / "storage")
    db = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    orchestrator = Orchestrator(db, storage, Embedded(), Secrets(EnvironmentSecrets({})), types)
    deps = Deps(db=db, orchestrator=orchestrator, storage=storage, catalog=types, version="0")
    with TestClient(
        app(replace(deps, judge=container_judge(types, said))), base_url="http://localhost:8080"
    ) as serving:
        yield serving
    db.close()


def test_the_server_validates_and_saves_by_the_same_rules(client: TestClient):
    yaml = {"content-type": "application/x-yaml"}
    refused, granted = flow_with({"privileged": True}), flow_with({"privileged": True}, "company.data")
    (judged,) = client.post("/api/v1/main/flows/validate", content=refused, headers=yaml).json()
    assert "tasks[0].taskRunner.privileged: `privileged`" in judged["constraints"]
    assert judged["problems"][0]["line"] == 4
    answer = client.post("/api/v1/main/flows", content=refused, headers=yaml)
    assert answer.status_code == 422
    assert "`privileged` of the Docker task runner is not granted" in answer.text
    assert client.post("/api/v1/main/flows", content=granted, headers=yaml).status_code == 200
