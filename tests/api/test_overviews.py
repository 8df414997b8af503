"""What was executed and can be: values, averages, exports, graphs, and what belongs together."""

import csv
import io
import json
import threading

import pytest

from .live import live

GREET = """
id: greet
namespace: company.team
labels: {team: data}
inputs: [{id: name, type: STRING, defaults: Ada}]
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.name }}"}
  - id: either
    type: io.kestra.plugin.core.flow.If
    condition: "{{ inputs.name == 'Ada' }}"
    then:
      - {id: give, type: io.kestra.plugin.core.debug.Return, format: x}
"""

CALL = """
id: call
namespace: company
inputs: [{id: flow, type: STRING, defaults: greet}]
tasks:
  - id: start
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: "{{ inputs.flow }}"
"""

NAP = """
id: nap
namespace: company.team
tasks:
  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("overviews")) as running:
        for source in (GREET, CALL, NAP):
            running.save(source)
        yield running


@pytest.fixture
def run(call):
    def running(flow, query=""):
        answer = call("POST", f"executions/{flow}?wait=true&{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return running


def test_the_values_of_a_field_are_listed(call, run):
    run("company/call")
    found = call("GET", "executions/distinct-field-values?field=NAMESPACE").json()
    assert found == sorted(found)
    assert {"company", "company.team"} <= set(found)
    query = "field=flowId&filters[namespace][EQUALS]=company&size=1"
    assert call("GET", f"executions/distinct-field-values?{query}").json() == ["call"]
    for wrong in ("field=inputs", "field=document", "", "field=state&size=0"):
        assert call("GET", f"executions/distinct-field-values?{wrong}").status_code == 422


def test_what_can_be_executed_is_listed_without_what_it_does(call):
    assert call("GET", "executions/namespaces").json() == ["company", "company.team"]
    greet, nap = call("GET", "executions/namespaces/company.team/flows").json()
    assert (greet["id"], nap["id"]) == ("greet", "nap")
    assert greet["inputs"][0]["id"] == "name"
    assert greet["tasks"][0] == {"id": "say", "type": "io.kestra.plugin.core.log.Log"}
    assert call("GET", "executions/namespaces/nowhere/flows").json() == []


def test_the_average_is_that_of_executions_which_have_ended(call, run):
    path = "executions/namespaces/company.team/flows/{}/average-duration"
    assert call("GET", path.format("nap")).json() == {"count": 0}
    begun = call("POST", "executions/company.team/nap").json()["id"]
    assert call("GET", path.format("nap")).json() == {"count": 0}
    call("DELETE", f"executions/{begun}/actions/kill")
    run("company.team/greet")
    found = call("GET", path.format("greet")).json()
    assert found["count"] >= 1
    assert 0 <= found["avgDurationMs"] < 20_000


def test_an_export_has_a_row_for_each_and_no_formula(call, run):
    names = [run("company.team/greet", f"labels=batch:1&labels=n:={n}")["id"] for n in range(3)]
    answer = call("GET", "executions/export/by-query/csv?filters[labels][EQUALS][batch]=1")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="executions.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == names[::-1]
    assert {row["state"] for row in rows} == {"SUCCESS"}
    assert '"batch":"1"' in rows[0]["labels"]
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    nothing = call("GET", "executions/export/by-query/csv?filters[namespace][EQUALS]=nowhere")
    assert nothing.text.splitlines() == [",".join(rows[0])]
    assert call("GET", "executions/export/by-query/csv?filters[colour][EQUALS]=x").status_code == 422


def test_a_graph_shows_what_became_of_each_task(call, run):
    execution = run("company.team/greet")
    shown = call("GET", f"executions/{execution['id']}/graph").json()
    runs = {node["task"]["id"]: node["taskRun"]["state"]["current"] for node in shown["nodes"] if "taskRun" in node}
    assert runs == {"say": "SUCCESS", "either": "SUCCESS", "give": "SUCCESS"}
    assert shown["flowables"] == ["either"]


def test_a_graph_expands_the_subflow_that_was_started(call, run):
    execution = run("company/call")
    shown = call("GET", f"executions/{execution['id']}/graph?subflows=root.start").json()
    tasks = {node["task"]["id"]: node for node in shown["nodes"] if "task" in node}
    assert set(tasks) == {"start", "say", "either", "give"}
    assert [name for name, node in tasks.items() if "taskRun" in node] == ["start"]
    assert call("GET", "executions/nothing/graph").status_code == 404


def events(response):
    found, name = [], None
    for line in response.iter_lines(decode_unicode=True):
        if line.startswith("id: "):
            name = line.removeprefix("id: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_what_an_execution_started_is_followed_to_its_end(call, run):
    top = run("company/call")
    seen = events(call("GET", f"executions/{top['id']}/follow-dependencies", stream=True))
    assert [name for name, _ in seen] == ["start", "end", "end", "end-all"]
    assert {event["flowId"] for _, event in seen} == {"call", "greet"}
    child = next(event["executionId"] for _, event in seen if event["flowId"] == "greet")
    upwards = events(call("GET", f"executions/{child}/follow-dependencies?expandAll=true", stream=True))
    assert {event["executionId"] for _, event in upwards} == {child, top["id"]}
    alone = events(call("GET", f"executions/{child}/follow-dependencies?destinationOnly=true", stream=True))
    assert {event["executionId"] for _, event in alone} == {child}
    assert set(alone[0][1]) == {"executionId", "tenantId", "namespace", "flowId", "state"}


def test_what_starts_later_is_followed_too(call, server):
    top = call("POST", "executions/company/call", files={"flow": (None, "nap")}).json()["id"]
    found = []

    def follow():
        found.extend(events(call("GET", f"executions/{top}/follow-dependencies", stream=True)))

    following = threading.Thread(target=follow)
    following.start()
    while not (children := call("GET", f"executions/search?triggerExecutionId={top}").json()["results"]):
        server.reached(top, "RUNNING")
    call("DELETE", f"executions/{top}/actions/kill")
    following.join(20)
    assert not following.is_alive()
    ended = {event["executionId"]: event["state"]["current"] for name, event in found if name == "end"}
    assert ended == {top: "KILLED", children[0]["id"]: "KILLED"}
