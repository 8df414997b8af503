import pytest
from jsonschema import Draft202012Validator

PLUGINS = "/api/v1/plugins"
LOG = "io.kestra.plugin.core.log.Log"


def test_types_are_listed_by_group(client):
    listed = client.get(PLUGINS).json()
    core = next(group for group in listed["results"] if group["group"] == "io.kestra.plugin.core")
    assert listed["total"] == len(listed["results"])
    assert {"cls": LOG, "deprecated": False} in [
        {"cls": one["cls"], "deprecated": one["deprecated"]} for one in core["tasks"]
    ]
    names = [group["name"] for group in client.get(f"{PLUGINS}?sort=name:desc&size=1").json()["results"]]
    assert names == ["io.kestra.plugin.scripts"]
    assert client.get(f"{PLUGINS}?sort=age:desc").status_code == 422


def test_types_are_listed_by_group_within_a_group(client):
    groups = {group["name"]: group for group in client.get(f"{PLUGINS}/groups/subgroups").json()}
    assert LOG in [one["cls"] for one in groups["io.kestra.plugin.core.log"]["tasks"]]
    assert groups["io.kestra.plugin.core.log"]["subGroup"] == "io.kestra.plugin.core.log"


def test_triggers_are_listed(client):
    listed = client.get(f"{PLUGINS}/triggers").json()
    assert listed["total"] == len(listed["results"])
    assert ("Schedule", "core") in [(one["name"], one["group"]) for one in listed["results"]]


def test_a_type_is_described_without_what_all_types_have(client):
    found = client.get(f"{PLUGINS}/{LOG}").json()
    assert found["markdown"].startswith("# Log one message")
    properties = found["schema"]["properties"]
    assert (set(properties["properties"]), properties["required"]) == (
        {"message", "level", "type"},
        ["type", "message"],
    )
    everything = client.get(f"{PLUGINS}/{LOG}?all=true").json()["schema"]
    assert "runIf" in everything["properties"]["properties"]
    assert everything["definitions"]["task.common"]["properties"]["runIf"]["default"] == "true"
    assert client.get(f"{PLUGINS}/nothing").status_code == 404
    assert client.get(f"{PLUGINS}/io.kestra.plugin.core.flow.ForEachItem$ForEachItemSplit").status_code == 404


def test_a_deprecated_type_says_what_to_use_instead(client):
    found = client.get(f"{PLUGINS}/io.kestra.plugin.core.flow.EachParallel").json()
    assert found["markdown"].endswith("Deprecated: use `io.kestra.plugin.core.flow.ForEach`.")


def test_a_type_has_the_version_of_the_server(client):
    assert client.get(f"{PLUGINS}/{LOG}/versions").json() == {"type": LOG, "versions": ["0.0.0-test"]}
    assert client.get(f"{PLUGINS}/{LOG}/versions/0.0.0-test").json() == client.get(f"{PLUGINS}/{LOG}").json()
    assert client.get(f"{PLUGINS}/{LOG}/versions/9").status_code == 404


@pytest.mark.parametrize("kind", ["flow", "FLOW", "task", "trigger"])
def test_a_schema_is_given_alone_and_for_a_list(client, kind):
    one = client.get(f"{PLUGINS}/schemas/{kind}").json()
    many = client.get(f"{PLUGINS}/schemas/{kind}?arrayOf=true").json()
    Draft202012Validator.check_schema(one)
    Draft202012Validator.check_schema(many)
    assert Draft202012Validator(many).is_valid([])
    assert not Draft202012Validator(many).is_valid([{"id": "x"}])
    assert client.get(f"{PLUGINS}/schemas/dashboard").status_code == 404


def test_properties_of_a_flow_and_of_every_task(client):
    assert client.get(f"{PLUGINS}/properties/flow").json()["required"] == ["id", "namespace", "tasks"]
    assert "runIf" in client.get(f"{PLUGINS}/properties/task").json()["properties"]
    assert client.get(f"{PLUGINS}/properties/apps").status_code == 404


def test_types_of_inputs_are_listed_and_described(client):
    types = client.get(f"{PLUGINS}/inputs").json()
    assert {"type": "STRING", "cls": "io.kestra.core.models.flows.input.StringInput"} in types
    described = client.get(f"{PLUGINS}/inputs/STRING").json()["schema"]["properties"]
    assert described["properties"]["validator"]["description"]
    assert client.get(f"{PLUGINS}/inputs/NOTHING").status_code == 404
