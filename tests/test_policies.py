"""Policies that the server keeps, through Kestra's official Python client, against the whole product."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .running import Server

pytest.importorskip("regex", reason="kestrapy needs the package regex, which its own metadata forgets")
kestrapy = pytest.importorskip("kestrapy")

TENANT = "main"
TEAM = "company.policed"
STATIC = """
kestra:
  policies:
    - id: static-levels
      rules:
        - {type: io.kestra.plugin.ee.rules.Restrict, on: PLUGIN, property: level, enum: [INFO, WARN, ERROR]}
"""
FLOW = """\
id: talk
namespace: company.policed
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hello}
"""


def policy(name: str, *rules: str, **more: str) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in {"id": name, **more}.items())
    return head + "rules:\n" + "".join(f"  - {{type: io.kestra.plugin.ee.rules.{rule}}}\n" for rule in rules)


WARN = "Add, on: PLUGIN, override: true, values: {level: WARN}, where: [{field: type, operator: ENDS_WITH, value: Log}]"
DENY = "Deny, on: PLUGIN, where: [{field: type, operator: ENDS_WITH, value: .Return}], errorMessage: Ask us first."
ALONE = "Deny, on: PLUGIN, where: [{field: type, operator: ENDS_WITH, value: .Log}]"
TEAMS = "Require, on: FLOW, properties: [labels.team], action: warn"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("policies")
    (folder / "conf.yml").write_text(STATIC)
    running = Server(folder / "state", "-c", str(folder / "conf.yml"))
    yield running
    running.stop()


@pytest.fixture
def client(server: Server) -> Iterator[kestrapy.KestraClient]:
    """A client; what its test has made is gone after it."""
    connected = kestrapy.KestraClient(host=server.url, timeout=60)
    yield connected
    policies = connected.policies
    policies.delete_instance_policies_by_ids(_ids(policies.search_instance_policies(size=100)))
    policies.delete_tenant_policies_by_ids(TENANT, _ids(policies.search_tenant_policies(TENANT, size=100)))
    policies.delete_namespace_policies_by_ids(TEAM, TENANT, _ids(policies.search_namespace_policies(TEAM, TENANT)))
    for flow in connected.flows.search_flows(TENANT, size=100).results:
        connected.flows.delete_flow(flow.namespace, flow.id, TENANT)


def _ids(found) -> list[str]:
    return [each.id for each in found.results if each.scope != "STATIC"]


def scopes(client):
    """The calls of each scope, without the arguments that name it."""
    api = client.policies
    return {
        "instance": lambda name, *given, **more: getattr(api, name.format("instance"))(*given, **more),
        "tenant": lambda name, *given, **more: getattr(api, name.format("tenant"))(*given, tenant=TENANT, **more),
        "namespace": lambda name, *given, **more: getattr(api, name.format("namespace"))(
            TEAM, *given, tenant=TENANT, **more
        ),
    }


@pytest.mark.parametrize("scope", ["instance", "tenant", "namespace"])
def test_a_policy_is_written_read_changed_and_deleted(client, scope):
    api = scopes(client)[scope]
    made = api("create_{}_policy", source=policy("one", WARN, DENY))
    assert (made.id, made.enforcement, made.deleted, len(made.rules)) == ("one", "ACTIVE", False, 2)
    assert made.rules[1].additional_properties["errorMessage"] == "Ask us first."
    with pytest.raises(kestrapy.ApiException) as again:
        api("create_{}_policy", source=policy("one", WARN))
    assert again.value.status == 422
    changed = api("update_{}_policy", id="one", source=policy("one", TEAMS, enforcement="EVALUATE"))
    assert changed.enforcement == "EVALUATE"
    found = api("search_{}_policies")
    (mine,) = [each for each in found.results if each.id == "one"]
    assert (mine.scope, mine.rules.mutate, mine.rules.validate) == (scope.upper(), 0, 1)
    assert api("{}_policy", id="one").source == policy("one", TEAMS, enforcement="EVALUATE")
    api("delete_{}_policy", id="one")
    with pytest.raises(kestrapy.ApiException) as gone:
        api("{}_policy", id="one")
    assert gone.value.status == 404


@pytest.mark.parametrize("scope", ["instance", "tenant", "namespace"])
def test_a_policy_is_checked_and_not_kept(client, scope):
    api = scopes(client)[scope]
    assert api("validate_{}_policy", source=policy("one", WARN)).constraints is None
    wrong = api("validate_{}_policy", source=policy("one", "Forbid, on: PLUGIN"))
    assert wrong.constraints.startswith("rules[0]: a rule's type is one of io.kestra.plugin.ee.rules.Add, ")
    assert not [each for each in api("search_{}_policies").results if each.id == "one"]


def test_policies_that_contradict_each_other_are_refused(client):
    client.policies.create_instance_policy(policy("one", WARN))
    against = "Delete, on: PLUGIN, properties: [level], where: [{field: type, operator: ENDS_WITH, value: Log}]"
    with pytest.raises(kestrapy.ApiException) as refused:
        client.policies.create_namespace_policy(TEAM, TENANT, policy("two", against))
    assert "policy 'one' (INSTANCE) says the contrary of level" in str(refused.value.body)


def test_policies_of_the_configuration_are_shown_and_cannot_be_changed(client):
    found = client.policies.search_instance_policies()
    assert [(each.id, each.scope) for each in found.results] == [("static-levels", "STATIC")]
    shown = client.policies.instance_policy("static-levels", scope="STATIC")
    assert shown.rules[0].additional_properties["enum"] == ["INFO", "WARN", "ERROR"]
    with pytest.raises(kestrapy.ApiException) as refused:
        client.policies.update_instance_policy("static-levels", policy("static-levels", WARN))
    assert refused.value.status == 404


def test_what_a_policy_refuses_is_neither_valid_nor_saved_nor_run(client, server):
    source = FLOW.replace("log.Log, message: hello", "debug.Return, format: x")
    client.flows.create_flow(TENANT, source)
    client.policies.create_namespace_policy("company", TENANT, policy("no-returns", DENY))
    message = (
        "Flow 'company.policed.talk' is refused: Policy 'no-returns' (NAMESPACE), rule 1 (Deny): "
        "'say' of type 'io.kestra.plugin.core.debug.Return' is not allowed. Ask us first."
    )
    (checked,) = client.flows.validate_flows(TENANT, source)
    assert message in checked.constraints
    with pytest.raises(kestrapy.ApiException) as refused:
        client.flows.update_flow(TEAM, "talk", TENANT, source + "description: new\n")
    assert message in str(refused.value.body)
    with pytest.raises(kestrapy.ApiException):
        client.executions.create_execution(TENANT, TEAM, "talk", wait=True)
    # It is not disabled for good: without the policy it runs.
    client.policies.delete_namespace_policy("company", "no-returns", TENANT)
    assert client.executions.create_execution(TENANT, TEAM, "talk", wait=True).state.current == "SUCCESS"


def test_what_a_policy_adds_is_in_what_is_run_and_not_in_the_source(client):
    client.flows.create_flow(TENANT, FLOW)
    client.policies.create_tenant_policy(TENANT, policy("warn", WARN))
    execution = client.executions.create_execution(TENANT, TEAM, "talk", wait=True)
    (entry,) = client.logs.list_logs_from_execution(execution.id, TENANT, task_id="say")
    assert entry.level == "WARN"
    assert client.flows.flow(TEAM, "talk", TENANT, source=True).source == FLOW


def test_a_policy_that_only_warns_is_told(client):
    client.policies.create_instance_policy(policy("teams", TEAMS))
    (checked,) = client.flows.validate_flows(TENANT, FLOW)
    assert checked.constraints is None
    assert checked.warnings == ["Policy 'teams' (INSTANCE), rule 1 (Require): the flow needs labels.team."]


def test_a_flow_is_previewed_under_the_policies_of_a_namespace(client):
    client.policies.create_namespace_policy(TEAM, TENANT, policy("mine", WARN, TEAMS))
    asked = kestrapy.PolicyPreviewRequest(namespace=TEAM, source=FLOW)
    preview = client.flows.preview_policies(TENANT, asked)
    assert "level: WARN" in preview.resolved_source
    (mutation,) = preview.mutations
    assert (mutation.action, mutation.target, mutation.value) == ("ADDED", "tasks[0].level", {"value": "WARN"})
    assert [(each.policy_id, each.severity) for each in preview.violations] == [("mine", "WARN")]
    elsewhere = client.flows.preview_policies(TENANT, kestrapy.PolicyPreviewRequest(namespace="other", source=FLOW))
    assert elsewhere.mutations == []


def test_a_policy_is_held_against_every_flow_before_it_is_meant_seriously(client):
    client.flows.create_flow(TENANT, FLOW)
    client.flows.create_flow(TENANT, FLOW.replace("id: talk", "id: calm\nlabels: {team: a}"))
    client.policies.create_tenant_policy(TENANT, policy("try", WARN, TEAMS, enforcement="EVALUATE"))
    found = client.policies.evaluate_tenant_policy("try", TENANT)
    assert found["counts"] == {"scanned": 2, "mutated": 2, "violating": 1, "conflicting": 0}
    assert [each["resource"]["id"] for each in found["results"]] == ["calm", "talk"]
    client.policies.update_tenant_policy("try", TENANT, policy("try", WARN, TEAMS, enforcement="DISABLED"))
    assert client.policies.evaluate_tenant_policy("try", TENANT)["counts"] == found["counts"]
    assert (
        client.policies.evaluate_tenant_policy("try", TENANT, page=2, size=1)["results"][0]["resource"]["id"] == "talk"
    )


def test_policies_leave_and_come_back_at_their_places(client):
    api = client.policies
    api.create_tenant_policy(TENANT, policy("two", TEAMS))
    api.create_namespace_policy(TEAM, TENANT, policy("three", DENY))
    texts = [api.export_tenant_policies_by_ids(TENANT, ["two"]), api.export_namespace_policies(TEAM, TENANT)]
    assert api.delete_tenant_policies_by_ids(TENANT, ["two", "missing"]).count == 1
    assert api.delete_namespace_policies_by_ids(TEAM, TENANT, ["three"]).count == 1
    result = api.import_policies(TENANT, yaml_file(*texts, "id: no\n"))
    assert (result["imported"], [each["document"] for each in result["errors"]]) == (2, ["2"])
    assert api.tenant_policy("two", TENANT).id == "two"
    assert api.namespace_policy(TEAM, "three", TENANT).rules[0].additional_properties["errorMessage"] == "Ask us first."


def yaml_file(*texts: str | bytes) -> bytes:
    return b"---\n".join(text if isinstance(text, bytes) else text.encode() for text in texts)


def test_an_import_into_a_tenant_reaches_nothing_outside_of_it(client):
    api = client.policies
    api.create_instance_policy(policy("one", DENY))
    exported = api.export_instance_policies()
    foreign = policy("two", WARN, tenantId="other")
    nowhere = policy("three", WARN, scope="[INSTANCE]")
    result = api.import_policies(TENANT, yaml_file(policy("one", WARN, scope="INSTANCE"), foreign, nowhere))
    assert result["imported"] == 0
    assert [each["message"] for each in result["errors"]] == [
        "scope: a policy of the instance is created at /api/v1/instance/policies",
        "tenantId: it is for another tenant than the one it is sent to",
        "scope: its scope and namespace do not fit",
    ]
    assert api.instance_policy("one").rules[0].additional_properties["errorMessage"] == "Ask us first."
    with pytest.raises(kestrapy.ApiException, match="the text names another place"):
        api.create_tenant_policy(TENANT, foreign)
    # What was exported comes back where it says that it goes.
    api.delete_instance_policy("one")
    assert api.create_instance_policy(exported if isinstance(exported, str) else exported.decode()).id == "one"


def test_every_flow_is_held_against_a_policy_not_only_a_page_of_them(client):
    for number in range(26):
        client.flows.create_flow(TENANT, FLOW.replace("id: talk", f"id: talk-{number}"))
    client.policies.create_tenant_policy(TENANT, policy("try", WARN, enforcement="EVALUATE"))
    found = client.policies.evaluate_tenant_policy("try", TENANT, size=2)
    assert (found["counts"]["scanned"], found["total"], len(found["results"])) == (26, 26, 2)


def test_rules_that_cannot_be_applied_are_told_where_they_are_tried(client):
    costly = 'Restrict, on: PLUGIN, property: message, regex: "(a|aa|b?){500}"'
    logs = "".join(
        f"  - {{id: t{number}, type: io.kestra.plugin.core.log.Log, message: {'c' * 5_000}}}\n" for number in range(60)
    )
    source = f"id: talk\nnamespace: {TEAM}\ntasks:\n{logs}"
    client.flows.create_flow(TENANT, source)
    client.policies.create_tenant_policy(TENANT, policy("slow", costly))
    message = "Unable to apply plugin defaults: the patterns of policies would take too long on the flow"
    preview = client.flows.preview_policies(TENANT, kestrapy.PolicyPreviewRequest(namespace=TEAM, source=source))
    assert [(each.severity, each.message, each.policy_id) for each in preview.violations] == [("BLOCK", message, None)]
    evaluated = client.policies.evaluate_tenant_policy("slow", TENANT)
    assert evaluated["counts"]["violating"] == 1
    assert [each["message"] for each in evaluated["results"][0]["violations"]] == [message]


def test_a_reference_to_no_policy_is_told_in_a_preview(client):
    asked = kestrapy.PolicyPreviewRequest(namespace=TEAM, source=f"{FLOW}policyRefs: [gone]\n")
    (found,) = client.flows.preview_policies(TENANT, asked).violations
    assert (found.target, found.message) == ("policyRefs", "no policy 'gone' can be referred to here")


def test_policies_are_enforced_again_after_a_crash(tmp_path: Path):
    first = Server(tmp_path / "state")
    kestrapy.KestraClient(host=first.url).policies.create_instance_policy(policy("one", DENY))
    first.kill()
    second = Server(tmp_path / "state")
    try:
        refused = second.save(FLOW.replace("log.Log, message: hello", "debug.Return, format: x"))
        assert refused.status_code == 422
        assert "Policy 'one' (INSTANCE)" in refused.text
    finally:
        second.stop()


def test_a_task_that_only_a_template_says_is_held_to_policies_too(client, server):
    spec = "{id: inner, type: io.kestra.plugin.core.debug.Return, format: x}"
    templated = f"{{id: say, type: io.kestra.plugin.core.templating.TemplatedTask, spec: '{spec}'}}"
    source = FLOW.replace("{id: say, type: io.kestra.plugin.core.log.Log, message: hello}", templated)
    client.flows.create_flow(TENANT, source)
    client.policies.create_tenant_policy(TENANT, policy("no-returns", DENY))
    made = requests.post(f"{server.api}/executions/{TEAM}/talk?wait=true", timeout=60).json()
    until = time.monotonic() + 30
    while made["state"]["current"] not in ("FAILED", "SUCCESS") and time.monotonic() < until:
        made = requests.get(f"{server.api}/executions/{made['id']}", timeout=30).json()
    assert made["state"]["current"] == "FAILED"
    logs = client.logs.list_logs_from_execution(made["id"], TENANT)
    assert any("Policy 'no-returns' (TENANT), rule 1 (Deny)" in entry.message for entry in logs)


INNER = "{id: inner, type: io.kestra.plugin.core.log.Log, message: x}"
WRITTEN = f"{{id: say, type: io.kestra.plugin.core.templating.TemplatedTask, spec: '{INNER}'}}"


@pytest.mark.parametrize(
    "refers",
    [
        WRITTEN.replace("spec:", "policyRefs: [loud], spec:"),
        f"{{id: all, type: io.kestra.plugin.core.flow.Sequential, policyRefs: [loud], tasks: [{WRITTEN}]}}",
        WRITTEN.replace("x}", "x, policyRefs: [loud]}"),
        f"{WRITTEN}\npolicyRefs: [loud]",
    ],
    ids=["task", "parent", "written", "flow"],
)
def test_a_policy_that_is_referred_to_reaches_what_a_template_says(client, refers):
    # What it adds is added; what it would refuse it refuses nowhere.
    client.policies.create_tenant_policy(TENANT, policy("loud", WARN, DENY, ALONE, enforcement="REFERENCE"))
    client.flows.create_flow(TENANT, f"id: talk\nnamespace: {TEAM}\ntasks:\n  - {refers}\n")
    made = client.executions.create_execution(TENANT, TEAM, "talk", wait=True)
    (entry,) = client.logs.list_logs_from_execution(made.id, TENANT, task_id="say")
    assert (entry.message, entry.level) == ("x", "WARN")


def test_a_limit_that_a_policy_gives_a_flow_is_counted(client):
    limit = "Add, on: FLOW, override: true, values: {concurrency: {limit: 1, behavior: CANCEL}}"
    client.policies.create_tenant_policy(TENANT, policy("one-at-a-time", limit))
    nap = FLOW.replace(
        "io.kestra.plugin.core.log.Log, message: hello", "io.kestra.plugin.core.flow.Sleep, duration: PT1M"
    )
    client.flows.create_flow(TENANT, nap)
    first = client.executions.create_execution(TENANT, TEAM, "talk")
    assert client.executions.create_execution(TENANT, TEAM, "talk", wait=True).state.current == "CANCELLED"
    client.executions.kill_execution(first.id, TENANT)
