"""What a task type may do inside."""

from dataclasses import replace

import pytest

from casemate.catalog import Capability, Kind, Manifest
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskRunId, TenantId
from casemate.jobs import Place
from casemate.sandbox import Level, Limits
from casemate.settings import EgressRules, Isolation, JavaSecurity, LimitOverrides, load
from casemate.worker import policy_for
from casemate.worker.errors import TaskFailed

NO_LIMITS = LimitOverrides(
    memory=None, processes=None, open_files=None, file_size=None, temporary=None, output=None, line=None
)


def manifest(*capabilities: Capability) -> Manifest:
    return Manifest(
        type="io.kestra.plugin.core.x.X", kind=Kind.TASK, title="x", properties={}, capabilities=frozenset(capabilities)
    )


def isolation(*, egress: bool = True, limits: LimitOverrides = NO_LIMITS) -> Isolation:
    return Isolation(
        required_level="full",
        egress=EgressRules(open=egress, public=False, allow=("10.1.0.0/16",), deny=("8.8.8.8/32",)),
        visible_paths=("/opt/tools",),
        limits=limits,
    )


def test_a_type_without_capabilities_gets_nothing():
    policy = policy_for(manifest(), isolation())
    assert (policy.rights.threads, policy.rights.processes, policy.egress.open) == (False, False, False)
    assert policy.required is Level.FULL
    assert policy.limits == Limits()


@pytest.mark.parametrize(
    ("capability", "threads", "processes", "connects"),
    [
        (Capability.RUNS_CODE, True, True, True),
        (Capability.STARTS_THREADS, True, False, False),
        (Capability.STARTS_PROCESSES, False, True, False),
        (Capability.NETWORK, False, False, True),
        (Capability.STORAGE, False, False, False),
    ],
)
def test_each_capability_gives_its_right_and_no_other(capability, threads, processes, connects):
    policy = policy_for(manifest(capability), isolation())
    assert (policy.rights.threads, policy.rights.processes, policy.egress.open) == (threads, processes, connects)


def test_the_operator_can_close_the_network_for_all():
    assert not policy_for(manifest(Capability.NETWORK), isolation(egress=False)).egress.open


def test_rules_paths_and_limits_come_from_the_settings():
    limits = LimitOverrides(
        memory=1 << 20, processes=None, open_files=9, file_size=None, temporary=None, output=None, line=None
    )
    policy = policy_for(manifest(Capability.NETWORK), isolation(limits=limits))
    assert policy.egress.allow == ("10.1.0.0/16",)
    assert policy.egress.deny == ("8.8.8.8/32",)
    assert not policy.egress.public
    assert policy.visible == ("/opt/tools",)
    assert (policy.limits.memory, policy.limits.open_files) == (1 << 20, 9)
    assert policy.limits.processes == Limits().processes


def java_security(*, enabled: bool = True, authorized: str = "", forbidden: str = "") -> JavaSecurity:
    return JavaSecurity(
        enabled=enabled,
        forbidden_paths=("/etc",),
        authorized_class_prefix=(authorized,) if authorized else (),
        forbidden_class_prefix=(forbidden,) if forbidden else (),
    )


@pytest.mark.parametrize("capability", [Capability.RUNS_CODE, Capability.STARTS_THREADS, Capability.STARTS_PROCESSES])
@pytest.mark.parametrize(
    ("rules", "key"),
    [
        (java_security(forbidden="io.kestra.plugin.core"), "kestra.ee.java-security.forbidden-class-prefix"),
        (java_security(authorized="io.kestra.plugin.other"), "kestra.ee.java-security.authorized-class-prefix"),
    ],
)
def test_a_type_that_needs_what_is_forbidden_says_by_which_key(capability, rules, key):
    with pytest.raises(TaskFailed) as caught:
        policy_for(manifest(capability), isolation(), rules)
    assert caught.value.messages == (f"Thread creation is forbidden for 'io.kestra.plugin.core.x.X' by '{key}'.",)


def test_a_type_that_needs_no_threads_runs_under_every_rule():
    policy = policy_for(manifest(Capability.NETWORK), isolation(), java_security(forbidden="io.kestra"))
    assert (policy.rights.threads, policy.rights.processes) == (False, False)
    assert policy.forbidden == ("/etc",)


def test_rules_that_are_switched_off_forbid_nothing():
    rules = java_security(enabled=False, forbidden="io.kestra")
    policy = policy_for(manifest(Capability.RUNS_CODE), isolation(), rules)
    assert (policy.rights.threads, policy.rights.processes, policy.forbidden) == (True, True, ())


HERE = Place(
    tenant=TenantId("main"),
    namespace=Namespace("company.team"),
    flow=FlowId("flow"),
    flow_revision=1,
    execution=ExecutionId("e"),
    task_run=TaskRunId("t"),
    attempt=1,
)


def configured(text: str) -> Isolation:
    return load([("kestra.yml", text)], {}).settings.isolation


def test_a_profile_changes_what_its_tasks_get():
    walls = configured(
        "casemate: {isolation: {profiles: [{namespaces: [company], limits: {memory: 1MB}, visible-paths: [/srv/x], "
        "writable-paths: [/srv/y], egress: {open: false}}]}}"
    )
    policy = policy_for(manifest(Capability.RUNS_CODE), walls, None, HERE)
    assert (policy.limits.memory, policy.visible, policy.writable) == (1 << 20, ("/srv/x",), ("/srv/y",))
    assert not policy.egress.open
    elsewhere = policy_for(manifest(Capability.RUNS_CODE), walls, None, replace(HERE, namespace=Namespace("companies")))
    assert elsewhere.limits == Limits()


@pytest.mark.parametrize("right", ["threads", "processes"])
def test_a_profile_takes_a_right_away_and_the_policy_says_who_did(right):
    walls = configured(f"casemate: {{isolation: {{profiles: [{{types: [io.kestra], {right}: false}}]}}}}")
    rights = policy_for(manifest(Capability.RUNS_CODE), walls, None, HERE).rights
    assert (rights.threads, rights.processes) == (right != "threads", right != "processes")
    assert rights.denied_by == (f"casemate.isolation.profiles[0].{right}",)


def test_a_profile_gives_nothing_that_the_type_does_not_ask_for_or_that_is_forbidden():
    walls = configured("casemate: {isolation: {profiles: [{types: [io.kestra], threads: true, processes: true}]}}")
    rights = policy_for(manifest(), walls, None, HERE).rights
    assert (rights.threads, rights.processes) == (False, False)
    with pytest.raises(TaskFailed, match="authorized-class-prefix"):
        policy_for(manifest(Capability.RUNS_CODE), walls, java_security(authorized="other"), HERE)


def test_a_type_that_the_operator_authorises_may_start_threads_and_no_processes():
    rights = policy_for(manifest(), isolation(), java_security(authorized="io.kestra.plugin.core")).rights
    assert (rights.threads, rights.processes) == (True, False)
    other = policy_for(manifest(), isolation(), java_security(authorized="io.kestra.plugin.cor")).rights
    assert (other.threads, other.denied_by) == (False, ("kestra.ee.java-security.authorized-class-prefix",))


def test_a_prefix_may_name_a_type_by_its_older_name():
    old = Manifest(
        type="io.kestra.plugin.core.x.X",
        kind=Kind.TASK,
        title="x",
        properties={},
        aliases=("io.kestra.core.tasks.X",),
        capabilities=frozenset((Capability.RUNS_CODE,)),
    )
    with pytest.raises(TaskFailed, match=r"Thread creation is forbidden for 'io\.kestra\.plugin\.core\.x\.X'"):
        policy_for(old, isolation(), java_security(forbidden="io.kestra.core.tasks"))
    assert policy_for(old, isolation(), java_security(authorized="io.kestra.core.tasks.X")).rights.threads
