"""`casemate.isolation.docker`: grants, networks and capabilities that are some, and who may run containers at all."""

from __future__ import annotations

import pytest

from casemate.core import catalog
from casemate.errors import Refused
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskRunId, TenantId
from casemate.jobs import Place
from casemate.settings import Loaded, load
from casemate.worker import rules_for

SHELL = "io.kestra.plugin.scripts.shell.Commands"
DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"


def loaded(text: str) -> Loaded:
    return load([("kestra.yml", text)], {})


def refusals(isolation: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        loaded(f"casemate: {{isolation: {isolation}}}")
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def rules(isolation: str, namespace: str = "company.data"):
    settings = loaded(f"casemate: {{isolation: {isolation}}}").settings
    manifest = catalog().find(SHELL)
    assert manifest is not None
    place = Place(
        tenant=TenantId("main"),
        namespace=Namespace(namespace),
        flow=FlowId("f"),
        flow_revision=1,
        execution=ExecutionId("e"),
        task_run=TaskRunId("r"),
        attempt=1,
    )
    return rules_for(settings.isolation)(manifest, place)


@pytest.mark.parametrize("grant", ["everything", "privileged:yes", "volumes:", "capAdd", "volumes:/", "volumes:/.:ro"])
def test_what_is_no_grant_is_refused_at_the_start(grant):
    (words,) = refusals(f"{{docker: {{grants: ['{grant}']}}}}")
    assert words.startswith(f"casemate.isolation.docker.grants: {grant} ")


def test_a_capability_that_engines_do_not_leave_is_refused():
    (words,) = refusals("{docker: {capabilities: [SYS_ADMIN, CHOWN]}}")
    assert "SYS_ADMIN is not a capability that a container can keep" in words


def test_a_network_for_containers_contradicts_a_closed_one():
    (words,) = refusals("{egress: {open: false}, docker: {network: bridge}}")
    assert "casemate.isolation.egress.open is false" in words


def test_a_profile_grants_for_its_tasks_alone():
    text = "{docker: {network: filtered}, profiles: [{namespaces: [company.data], docker: {grants: [privileged]}}]}"
    assert rules(text).grants == ("privileged",)
    assert rules(text).network == "filtered"
    assert rules(text, "company.web").grants == ()


def test_without_a_word_containers_may_run_and_nothing_is_granted():
    found = rules("{}")
    assert (found.refused, found.grants, found.network, found.read_only_root) == ("", (), "none", True)


def test_full_walls_that_are_asked_for_refuse_containers():
    assert "`casemate.isolation.required-level: full`" in rules("{required-level: full}").refused
    assert rules("{required-level: full, docker: {enabled: true}}").refused == ""
    assert rules("{required-level: container}").refused == ""


def test_a_profile_can_ask_for_full_walls_too():
    text = "{profiles: [{namespaces: [company.data], required-level: full}]}"
    assert "casemate.isolation.profiles[0].required-level" in rules(text).refused
    assert rules(text, "company.web").refused == ""


def test_containers_can_be_switched_off():
    assert "`casemate.isolation.docker.enabled`" in rules("{docker: {enabled: false}}").refused


@pytest.mark.parametrize("right", ["threads", "processes"])
def test_rights_that_no_container_can_be_kept_from_refuse_it(right):
    assert f"`casemate.isolation.{right}`" in rules(f"{{{right}: false}}").refused


def configured(values: str, more: str = "") -> Loaded:
    return loaded(f"kestra: {{plugins: {{configurations: [{{type: {DOCKER}, values: {values}}}]}}}}\n{more}")


@pytest.mark.parametrize("spelling", ["volume-enabled", "volumeEnabled"])
def test_kestras_switch_for_volumes_is_read(spelling):
    assert configured(f"{{{spelling}: false}}").settings.volume_enabled is False
    assert loaded("").settings.volume_enabled is None


def test_kestras_switch_alone_opens_nothing_and_that_is_said():
    (warning,) = configured("{volume-enabled: true}").warnings
    assert "lets no volume in by itself" in warning.message
    granted = "casemate: {isolation: {docker: {grants: ['volumes:/srv']}}}"
    assert configured("{volume-enabled: true}", granted).warnings == ()


def test_a_switch_that_is_no_flag_is_refused():
    with pytest.raises(Refused, match="must be true or false"):
        configured("{volume-enabled: 'no way'}")


def test_the_older_key_is_deprecated():
    found = loaded("kestra: {tasks: {scripts: {docker: {volume-enabled: false}}}}")
    assert found.settings.volume_enabled is False
    assert [warning.code for warning in found.warnings] == ["config.deprecated"]
