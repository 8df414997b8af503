"""Kestra's official Python client, unchanged, against the whole product."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .plugins.wheels import TYPE, digest, greeting
from .running import Server

# The client imports `regex` without declaring it.
pytest.importorskip("regex", reason="kestrapy needs the package regex, which its own metadata forgets")
kestrapy = pytest.importorskip("kestrapy")

TENANT = "main"
NAMESPACE = "company.team"

GREET = """
id: greet
namespace: company.team
labels:
  team: data
inputs:
  - id: name
    type: STRING
  - id: letter
    type: FILE
    required: false
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }}"
  - id: give
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.name }}!"
outputs:
  - id: greeting
    type: STRING
    value: "{{ outputs.give.value }}"
"""

NAP = """
id: nap
namespace: company.team
tasks:
  - id: sleep
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT10M
"""

HOOK = """
id: hook
namespace: company.team
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: called
triggers:
  - id: called
    type: io.kestra.plugin.core.trigger.Webhook
    key: s3cret-key
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[kestrapy.KestraClient]:
    server = Server(tmp_path_factory.mktemp("kestrapy"))
    try:
        connected = kestrapy.KestraClient(host=server.url, timeout=60)
        for source in (GREET, NAP, HOOK):
            connected.flows.create_flow(TENANT, source)
        yield connected
    finally:
        server.stop()


def greet(client, **more):
    return client.executions.create_execution(
        TENANT, NAMESPACE, "greet", wait=True, **{"inputs": {"name": "Marmot"}, **more}
    )


def only(field, value):
    return kestrapy.QueryFilter(var_field=field, operation=kestrapy.QueryFilterOp.EQUALS, value={"value": value})


def test_a_flow_is_written_read_changed_and_deleted(client):
    source = GREET.replace("id: greet", "id: other")
    made = client.flows.create_flow(TENANT, source)
    assert (made.id, made.revision, made.disabled, made.deleted) == ("other", 1, False, False)
    assert made.tasks[0].additional_properties["message"] == "Hello {{ inputs.name }}"
    changed = client.flows.update_flow(NAMESPACE, "other", TENANT, source.replace("Hello", "Bye"))
    assert changed.revision == 2
    assert client.flows.flow(NAMESPACE, "other", TENANT, source=True).source == source.replace("Hello", "Bye")
    assert [one.revision for one in client.flows.list_flow_revisions(NAMESPACE, "other", TENANT)] == [1, 2]
    found = client.flows.search_flows(TENANT, filters=[only(kestrapy.QueryFilterField.FLOW_ID, "other")])
    assert (found.total, found.results[0].id) == (1, "other")
    client.flows.delete_flow(NAMESPACE, "other", TENANT)
    with pytest.raises(kestrapy.ApiException) as gone:
        client.flows.flow(NAMESPACE, "other", TENANT)
    assert gone.value.status == 404


def test_a_flow_is_checked(client):
    (good,) = client.flows.validate_flows(TENANT, GREET)
    assert good.constraints is None
    (bad,) = client.flows.validate_flows(TENANT, GREET.replace("log.Log", "log.Nothing"))
    assert "Invalid type: io.kestra.plugin.core.log.Nothing" in bad.constraints


def test_an_execution_runs_with_a_file_and_labels(client):
    execution = greet(client, inputs={"name": "Marmot", "letter": b"Dear Marmot"}, labels=["env:test"])
    assert execution.state.current == kestrapy.StateType.SUCCESS
    assert [run.task_id for run in execution.task_run_list] == ["say", "give"]
    assert ("env", "test") in [(label.key, label.value) for label in execution.labels]
    letter = execution.inputs["letter"]
    assert client.executions.download_file_from_execution(execution.id, letter, TENANT) == b"Dear Marmot"
    assert client.executions.file_metadatas_from_execution(execution.id, letter, TENANT).size == 11


def test_logs_and_outputs_are_read(client):
    execution = greet(client)
    assert client.outputs.execution_outputs(execution.id, TENANT) == {"greeting": "Marmot!"}
    (with_outputs,) = client.outputs.task_outputs_information(execution.id, TENANT)
    assert with_outputs.task_id == "give"
    outputs = client.outputs.task_run_outputs(execution.id, with_outputs.task_run_id, TENANT)
    assert outputs["value"] == "Marmot!"
    logs = client.logs.list_logs_from_execution(execution.id, TENANT, task_id="say")
    assert [entry.message for entry in logs] == ["Hello Marmot"]
    assert "Hello Marmot" in client.logs.download_logs_from_execution(execution.id, TENANT)
    found = client.logs.search_logs(TENANT, filters=[only(kestrapy.QueryFilterField.EXECUTION_ID, execution.id)])
    assert found.total >= 1


def test_executions_are_found(client):
    execution = greet(client, labels=["seek:me"])
    by_label = kestrapy.QueryFilter(
        var_field=kestrapy.QueryFilterField.LABELS, operation=kestrapy.QueryFilterOp.EQUALS, value={"seek": "me"}
    )
    assert [one["id"] for one in client.executions.search_executions(TENANT, filters=[by_label])["results"]] == [
        execution.id
    ]
    latest = client.executions.latest_executions(
        TENANT, [kestrapy.ExecutionRepositoryInterfaceFlowFilter(namespace=NAMESPACE, id="greet")]
    )
    assert latest[0].flow_id == "greet"
    assert client.executions.flow_from_execution_by_id(execution.id, TENANT).id == "greet"


def test_an_execution_is_followed_and_killed(client):
    execution = client.executions.create_execution(TENANT, NAMESPACE, "nap")
    killed, states = False, []
    for seen in client.executions.follow_execution(execution.id, TENANT):
        states.append(seen.state.current)
        if not killed:
            client.executions.kill_execution(execution.id, TENANT)
            killed = True
    assert states[-1] == kestrapy.StateType.KILLED
    with pytest.raises(kestrapy.ApiException) as over:
        client.executions.kill_execution(execution.id, TENANT, is_on_kill_cascade=False)
    assert over.value.status == 409


def test_logs_are_followed(client):
    execution = greet(client)
    messages = [entry.message for entry in client.logs.follow_logs_from_execution(execution.id, TENANT)]
    assert "Hello Marmot" in messages


def test_an_expression_is_tried_out(client):
    execution = greet(client)
    assert client.executions.eval_expression(execution.id, TENANT, "{{ outputs.give.value }}") == {"result": "Marmot!"}


def test_a_webhook_starts_its_flow(client):
    started = client.executions.trigger_execution_by_get_webhook(TENANT, NAMESPACE, "hook", "s3cret-key")
    assert (started.namespace, started.flow_id) == (NAMESPACE, "hook")
    with pytest.raises(kestrapy.ApiException) as wrong:
        client.executions.trigger_execution_by_get_webhook(TENANT, NAMESPACE, "hook", "guess")
    assert wrong.value.status == 404


def test_what_does_not_exist_yet_is_named(client):
    with pytest.raises(kestrapy.ApiException) as missing:
        client.flows.list_promotions(NAMESPACE, "greet", TENANT)
    assert missing.value.status == 501
    assert "list_promotions" in missing.value.body


def test_plugins_are_looked_up_as_ever(client):
    log = "io.kestra.plugin.core.log.Log"
    plugins = client.plugins
    assert plugins.list_plugins(size=100)["total"] > 0
    assert [each["name"] for each in plugins.list_plugins_by_subgroups()]
    assert plugins.plugin_triggers()["total"] > 0
    assert (plugins.plugin_icons(), plugins.plugin_group_icons()) == ({}, {})
    assert plugins.plugin_icon(log)["icon"] is None
    assert [each["type"] for each in plugins.plugin_input_types()]
    assert plugins.plugin_input_schema("STRING")["schema"]
    assert plugins.plugin_properties("flow")["properties"]
    assert plugins.plugin_schema("task", array_of=True)["type"] == "array"
    assert plugins.plugin_documentation(log)["markdown"]
    [version] = plugins.plugin_versions(log)["versions"]
    assert plugins.plugin_documentation_for_version(log, version)["markdown"]
    assert plugins.plugin_ui_manifest({}) == {}


def test_versions_of_a_plugin_are_uploaded_used_and_removed(client):
    instance, name, content = client.instance, "com.example:casemate-greeting", greeting("1.0.0")
    with pytest.raises(kestrapy.ApiException):
        instance.upload_versioned_plugin(content, "greeting.whl")
    uploaded = instance.upload_versioned_plugin(content, f"greeting.whl#sha256={digest(content)}")
    assert (uploaded.group_id, uploaded.artifact_id, uploaded.version) == ("com.example", "casemate-greeting", "1.0.0")
    assert [each.versions for each in instance.list_versioned_plugins().results] == [["1.0.0"]]
    details = instance.versioned_plugin_details(uploaded.group_id, uploaded.artifact_id)
    assert [each.version for each in details.versions] == ["1.0.0"]
    described = instance.versioned_plugin_details_for_version("com.example", "casemate-greeting", "1.0.0")
    assert [each.name for kind in described.classes for each in kind.classes] == [TYPE]
    assert instance.versioned_plugin_release_notes("com.example", "casemate-greeting", "1.0.0") == "The first version."
    assert instance.list_available_versioned_plugins() == []
    assert instance.list_available_versioned_plugins_for_storage() == []
    assert instance.resolve_versioned_plugins([f"{name}:LATEST"]).results[0]["resolved"] is False
    with pytest.raises(kestrapy.ApiException):
        instance.install_versioned_plugins([f"{name}:1.0.0@sha256:{digest(content)}"])
    assert instance.uninstall_versioned_plugins([f"{name}:1.0.0"]).total == 1
    assert instance.list_versioned_plugins().total == 0


# Stores of namespaces ------------------------------------------------------------------------------------------------

SEALED = """
kestra:
  encryption: {secret-key: "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="}
"""


def test_a_namespace_brings_a_store_and_its_credentials_are_stars(tmp_path):
    (tmp_path / "conf.yml").write_text(SEALED)
    server = Server(tmp_path / "state", "-c", str(tmp_path / "conf.yml"))
    try:
        namespaces = kestrapy.KestraClient(host=server.url, timeout=60).namespaces
        said = kestrapy.Namespace(
            id="own.store",
            deleted=False,
            description="with a store",
            secret_type="jdbc",
            secret_configuration={"jdbc": {"secret": "a-secret-of-more-than-32-characters"}},
            secret_isolation=kestrapy.Isolation(enabled=True, denied_services=[kestrapy.ServiceType.INDEXER]),
            allowed_namespaces=[kestrapy.NamespaceAllowedNamespace(namespace="own")],
            worker_secret_manager_mode="CONTROLLER_ONLY",
        )
        made = namespaces.create_namespace(TENANT, said)
        assert made.secret_configuration == {"jdbc": {"secret": "******"}}
        assert made.allowed_namespaces == said.allowed_namespaces
        made.description = "with the same store"
        assert namespaces.update_namespace("own.store", TENANT, made).description == "with the same store"
        assert namespaces.namespace("own.store", TENANT).secret_configuration == {"jdbc": {"secret": "******"}}
        assert [one.id for one in namespaces.search_namespaces(TENANT).results] == ["own", "own.store"]
        (secret,) = namespaces.put_secrets("own.store", TENANT, kestrapy.ApiSecretValue(key="K", value="v"))
        assert (secret.key, secret.namespace) == ("K", "own.store")
        namespaces.delete_namespace("own.store", TENANT)
        with pytest.raises(kestrapy.ApiException) as gone:
            namespaces.namespace("own.store", TENANT)
        assert gone.value.status == 404
    finally:
        server.stop()
