import pytest

MAIN = "/api/v1/main"
YAML = {"content-type": "application/x-yaml"}
CALL = """id: caller
namespace: company.team
tasks:
- {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: %s, flowId: %s}
"""
AFTER = """id: after
namespace: company
tasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: hi}]
triggers:
- id: w
  type: io.kestra.plugin.core.trigger.Flow
  conditions: [{type: io.kestra.plugin.core.condition.ExecutionFlow, namespace: company.team, flowId: caller}]
"""


@pytest.fixture
def save(client):
    def saving(*sources):
        for source in sources:
            assert client.post(f"{MAIN}/flows", content=source, headers=YAML).status_code == 200

    return saving


def test_a_flow_is_drawn_as_it_was_in_a_revision(client, save, source):
    save(source())
    more = source() + "  - {id: again, type: io.kestra.plugin.core.log.Log, message: hi}\n"
    client.put(f"{MAIN}/flows/company.team/hello", content=more, headers=YAML)
    sizes = [
        len(client.get(f"{MAIN}/flows/company.team/hello/graph{query}").json()["nodes"])
        for query in ("?revision=1", "")
    ]
    assert sizes == [3, 4]
    assert client.get(f"{MAIN}/flows/company.team/nowhere/graph").status_code == 404


def test_the_node_of_a_trigger_shows_its_state(client, save, source):
    trigger = "triggers: [{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 0 * * *'}]"
    save(source(extra=trigger))
    nodes = client.get(f"{MAIN}/flows/company.team/hello/graph").json()["nodes"]
    (node,) = [one for one in nodes if one["uid"] == "root.Triggers.daily"]
    assert (node["trigger"]["disabled"], node["triggerDeclaration"]["id"]) == (False, "daily")


def test_a_source_is_drawn_without_being_saved(client, source):
    answer = client.post(f"{MAIN}/flows/graph", content=source(), headers=YAML)
    assert [edge["target"] for edge in answer.json()["edges"]] == ["root.say", "root._end"]
    assert client.get(f"{MAIN}/flows/company.team/hello").status_code == 404
    assert client.post(f"{MAIN}/flows/graph", content="id: x", headers=YAML).status_code == 422


def test_a_subflow_is_drawn_where_it_is_asked_for(client, save, source):
    save(source(), CALL % ("company.team", "hello"))
    opened = client.get(f"{MAIN}/flows/company.team/caller/graph?subflows=root.call").json()
    assert "root.call.say" in [node["uid"] for node in opened["nodes"]]
    closed = client.get(f"{MAIN}/flows/company.team/caller/graph?subflows=root.other").json()
    assert len(closed["nodes"]) == 3


@pytest.mark.parametrize(
    ("flow", "status", "words"),
    [("gone", 404, "Unable to find subflow n.gone for task call"), ("'{{ inputs.x }}'", 422, "dynamic values")],
)
def test_a_subflow_that_cannot_be_drawn_says_why(client, save, flow, status, words):
    save(CALL % ("n", flow))
    answer = client.get(f"{MAIN}/flows/company.team/caller/graph?subflows=root.call")
    assert answer.status_code == status
    assert words in answer.json()["message"]


def links(graph):
    return {(edge["source"], edge["target"]): edge["relation"] for edge in graph["edges"]}


HELLO, CALLER, LAST = ("main_company.team_hello", "main_company.team_caller", "main_company_after")


def test_a_flow_depends_on_those_it_starts_and_those_that_start_it(client, save, source):
    save(source(), CALL % ("company.team", "hello"), AFTER, source(flow="lonely"))
    near = client.get(f"{MAIN}/flows/company.team/caller/dependencies").json()
    assert links(near) == {(CALLER, HELLO): "FLOW_TASK", (CALLER, LAST): "FLOW_TRIGGER"}
    assert {node["uid"] for node in near["nodes"]} == {HELLO, CALLER, LAST}
    assert links(client.get(f"{MAIN}/flows/company.team/hello/dependencies").json()) == {(CALLER, HELLO): "FLOW_TASK"}
    whole = client.get(f"{MAIN}/flows/company.team/hello/dependencies?expandAll=true").json()
    assert links(whole) == links(near)
    assert client.get(f"{MAIN}/flows/company.team/caller/dependencies?destinationOnly=true").json()["edges"] == []
    assert client.get(f"{MAIN}/flows/company.team/nowhere/dependencies").status_code == 404


def test_a_namespace_shows_all_its_flows_and_what_is_linked_to_them(client, save, source):
    save(source(), CALL % ("company.team", "hello"), AFTER, source(flow="lonely"))
    shown = client.get(f"{MAIN}/namespaces/company.team/dependencies").json()
    assert {node["id"] for node in shown["nodes"]} == {"hello", "caller", "after", "lonely"}
    inside = client.get(f"{MAIN}/namespaces/company.team/dependencies?destinationOnly=true").json()
    assert links(inside) == {(CALLER, HELLO): "FLOW_TASK"}
    assert client.get(f"{MAIN}/namespaces/nowhere/dependencies").json() == {"nodes": [], "edges": []}
