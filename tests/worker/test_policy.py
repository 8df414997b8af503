"""What a task type may do inside."""

import pytest

from casemate.catalog import Capability, Kind, Manifest
from casemate.sandbox import Level, Limits
from casemate.settings import EgressRules, Isolation, JavaSecurity, LimitOverrides
from casemate.worker import policy_for

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
        egress=EgressRules(open=egress, allow=("10.1.0.0/16",), deny=("8.8.8.8/32",)),
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
    assert policy.visible == ("/opt/tools",)
    assert (policy.limits.memory, policy.limits.open_files) == (1 << 20, 9)
    assert policy.limits.processes == Limits().processes


@pytest.mark.parametrize("enabled", [True, False])
def test_a_forbidden_prefix_takes_threads_and_processes_away(enabled):
    rules = JavaSecurity(
        enabled=enabled,
        forbidden_paths=("/etc",),
        authorized_class_prefix=(),
        forbidden_class_prefix=("io.kestra.plugin.core",),
    )
    policy = policy_for(manifest(Capability.RUNS_CODE), isolation(), rules)
    assert policy.rights.threads is not enabled
    assert policy.rights.processes is not enabled
    assert policy.forbidden == (("/etc",) if enabled else ())
