from hashlib import sha256

FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}
OLD = """id: old
namespace: company
tasks:
- {id: echo, type: io.kestra.plugin.core.debug.Echo, format: hi}
- {id: log, type: io.kestra.core.tasks.log.Log, message: hi}
- {id: new, type: io.kestra.plugin.core.log.Log, message: hi}
"""


def test_hashes_compare_the_sources_of_two_servers(client, source):
    client.post(FLOWS, content=source(), headers=YAML)
    names = [{"namespace": "company.team", "id": flow} for flow in ("hello", "gone")]
    here, gone = client.post(f"{FLOWS}/hashes/by-ids", json=names).json()["hashes"]
    assert (here["hash"], here["revision"]) == (sha256(source().encode()).hexdigest(), 1)
    assert (gone["hash"], gone["revision"]) == (None, None)


def test_deprecated_tasks_are_listed_with_what_to_use_instead(client, source):
    for text in (OLD, source()):
        client.post(FLOWS, content=text, headers=YAML)
    (found,) = client.get(f"{FLOWS}/deprecated").json()
    assert (found["namespace"], found["flowId"], found["revision"]) == ("company", "old", 1)
    assert {task["taskId"]: task["replacement"] for task in found["deprecatedTasks"]} == {
        "echo": "io.kestra.plugin.core.log.Log",
        "log": "io.kestra.plugin.core.log.Log",
    }
    assert client.get(f"{FLOWS}/deprecated?namespace=elsewhere").json() == []


def test_an_editor_is_told_what_templates_may_use(client):
    text = """id: f
namespace: n
inputs: [{id: age, type: INT}]
variables: {place: here}
tasks:
- {id: one, type: io.kestra.plugin.core.debug.Return, format: x}
- {id: two, type: not.known.Yet}
"""
    found = client.post(f"{FLOWS}/expressions?taskId=two", content=text, headers=YAML).json()["categories"]
    assert (found["taskOutputs"], found["inputs"], found["variables"]) == (
        ["outputs.one.value"],
        ["inputs.age"],
        ["vars.place"],
    )
    assert "execution.id" in found["executionContext"]
    everything = client.post(f"{FLOWS}/expressions", content=text, headers=YAML).json()["categories"]
    assert everything["taskOutputs"] == ["outputs.one.value", "outputs.two"]
    assert client.post(f"{FLOWS}/expressions", content="id: [", headers=YAML).status_code == 422
    assert client.post(f"{FLOWS}/expressions", content="[1]", headers=YAML).json()["categories"]["inputs"] == []
