"""Executions that go on or run again, over HTTP: pause, resume, restart, replay, change of a state."""

import time

import pytest

from .live import live

ASK = """
id: ask
namespace: company.team
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: who
        type: STRING
      - id: letter
        type: FILE
        required: false
  - id: give
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.wait.onResume.who }}"
"""

WAIT = """
id: wait
namespace: company.team
tasks:
  - id: wait
    type: io.kestra.plugin.core.flow.Pause
"""

BROKEN = """
id: broken
namespace: company.team
inputs:
  - id: name
    type: STRING
    defaults: Ada
tasks:
  - id: greet
    type: io.kestra.plugin.core.debug.Return
    format: "Hello {{ inputs.name }}"
  - id: decide
    type: io.kestra.plugin.core.flow.If
    condition: "{{ %s }}"
    then:
      - id: say
        type: io.kestra.plugin.core.log.Log
        message: fine
"""

NAP = """
id: nap
namespace: company.team
tasks:
  - id: sleep
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT1H
"""


CALL = """
id: call
namespace: company.team
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: nap
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("live")) as running:
        for source in (ASK, WAIT, BROKEN % "nothing", NAP, CALL):
            running.save(source)
        assert running.save(BROKEN % "true", "flows/company.team/broken", "PUT")["revision"] == 2
        yield running


@pytest.fixture
def begun(call, server):
    def beginning(flow, state, query=""):
        key = call("POST", f"executions/company.team/{flow}?{query}").json()["id"]
        return server.reached(key, state)

    return beginning


@pytest.fixture
def failed(begun):
    return begun("broken", "FAILED", "revision=1")


def histories(execution):
    return [entry["state"] for entry in execution["state"]["histories"]]


def test_a_failed_execution_is_restarted(server, call, failed):
    answer = call("POST", f"executions/{failed['id']}/actions/restart")
    assert answer.status_code == 200, answer.text
    again = answer.json()
    assert (again["id"], again["state"]["current"]) == (failed["id"], "RESTARTED")
    assert histories(again) == ["CREATED", "RUNNING", "FAILED", "RESTARTED"]
    assert histories(server.reached(failed["id"], "FAILED"))[3:] == ["RESTARTED", "RUNNING", "FAILED"]


def test_a_restart_in_a_mended_revision_is_a_new_execution(server, call, failed):
    again = call("POST", f"executions/{failed['id']}/actions/restart?revision=2").json()
    assert (again["parentId"], again["flowRevision"]) == (failed["id"], 2)
    ended = server.reached(again["id"], "SUCCESS", "FAILED")
    assert ended["state"]["current"] == "SUCCESS"
    assert [run["taskId"] for run in ended["taskRunList"]] == ["greet", "decide", "say"]


def test_what_still_runs_is_not_restarted(call, begun):
    running = begun("nap", "RUNNING")
    answer = call("POST", f"executions/{running['id']}/actions/restart")
    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "Illegal state: Execution must be terminated to be restarted, current state is 'RUNNING' !"
    )
    call("DELETE", f"executions/{running['id']}/actions/kill")


def test_many_are_restarted_by_their_ids(server, call, failed):
    assert call("POST", "executions/restart/by-ids", json=[failed["id"]]).json() == {"count": 1}
    server.reached(failed["id"], "FAILED")


def test_none_is_restarted_if_one_cannot_be(call, failed):
    answer = call("POST", "executions/restart/by-ids", json=[failed["id"], "nobody"])
    assert answer.status_code == 400
    assert "nobody was not found" in answer.json()["message"]
    assert histories(call("GET", f"executions/{failed['id']}").json())[-1] == "FAILED"


def test_many_are_restarted_by_a_query(server, call, failed):
    answer = call("POST", f"executions/restart/by-query?filters[id][EQUALS]={failed['id']}")
    assert answer.json() == {"count": 1}
    server.reached(failed["id"], "FAILED")


def test_an_execution_is_replayed_from_its_beginning(server, call, failed):
    again = call("POST", f"executions/{failed['id']}/actions/replay?revision=2").json()
    assert again["state"]["current"] == "CREATED"
    assert "taskRunList" not in again
    assert (again["parentId"], again["originalId"]) == (failed["id"], failed["id"])
    server.reached(again["id"], "SUCCESS")


def test_an_execution_is_replayed_from_a_task_run(server, call, failed):
    again = server.reached(call("POST", f"executions/{failed['id']}/actions/replay?revision=2").json()["id"], "SUCCESS")
    chosen = again["taskRunList"][1]
    answer = call("POST", f"executions/{again['id']}/actions/replay?taskRunId={chosen['id']}").json()
    assert [run["state"]["current"] for run in answer["taskRunList"]] == ["SUCCESS", "RUNNING"]
    ended = server.reached(answer["id"], "SUCCESS")
    assert len(ended["taskRunList"]) == 3
    assert {run["executionId"] for run in ended["taskRunList"]} == {ended["id"]}


def test_a_replay_may_have_other_inputs(server, call, failed):
    path = f"executions/{failed['id']}/actions/replay-with-inputs?revision=2"
    again = call("POST", path, files=[("name", (None, "Grace"))]).json()
    assert again["inputs"] == {"name": "Grace"}
    ended = server.reached(again["id"], "SUCCESS")
    assert ended["taskRunList"][0]["outputs"] == {"value": "Hello Grace"}


def test_a_replay_without_other_inputs_has_the_old_ones(server, call, failed):
    again = call("POST", f"executions/{failed['id']}/actions/replay-with-inputs?revision=2").json()
    assert again["inputs"] == {"name": "Ada"}
    server.reached(again["id"], "SUCCESS")


def test_many_are_replayed_in_the_latest_revision(server, call, failed):
    answer = call("POST", "executions/replay/by-ids?latestRevision=true", json=[failed["id"]])
    assert answer.json() == {"count": 1}
    found = call("GET", f"executions/search?filters[parentId][EQUALS]={failed['id']}").json()["results"]
    assert [one["flowRevision"] for one in found] == [2]
    server.reached(found[0]["id"], "SUCCESS")


def test_a_paused_execution_goes_on_with_what_it_asked_for(server, call, begun):
    paused = begun("ask", "PAUSED")
    parts = [("who", (None, "Ada")), ("letter", ("letter.txt", b"dear all"))]
    answer = call("POST", f"executions/{paused['id']}/actions/resume", files=parts)
    assert answer.json()["state"]["current"] == "RESTARTED"
    ended = server.reached(paused["id"], "SUCCESS")
    pause, give = ended["taskRunList"]
    assert give["outputs"] == {"value": "Ada"}
    uri = pause["outputs"]["onResume"]["letter"]
    assert call("GET", f"executions/{paused['id']}/file", params={"path": uri}).content == b"dear all"


def test_a_resume_without_what_is_asked_for_is_refused(server, call, begun):
    paused = begun("ask", "PAUSED")
    answer = call("POST", f"executions/{paused['id']}/actions/resume")
    assert answer.status_code == 422
    assert "Invalid input for `who`, missing required input, but received `null`" in answer.json()["message"]
    assert server.reached(paused["id"], "PAUSED")
    call("DELETE", f"executions/{paused['id']}")


def test_the_inputs_of_a_resume_can_be_tried_out(call, begun):
    paused = begun("ask", "PAUSED")
    answer = call("POST", f"executions/{paused['id']}/actions/resume/validate").json()
    assert [one["input"]["id"] for one in answer["inputs"]] == ["who", "letter"]
    assert "missing required input" in answer["inputs"][0]["errors"][0]["message"]
    call("DELETE", f"executions/{paused['id']}")


def test_what_is_not_paused_is_not_resumed(call, failed):
    answer = call("POST", f"executions/{failed['id']}/actions/resume")
    assert answer.status_code == 409
    assert answer.json()["message"] == f"Illegal state: Execution '{failed['id']}' is not paused, can't resume it"
    assert call("POST", "executions/resume/by-ids", json=[failed["id"]]).status_code == 400


def test_many_are_resumed(server, call, begun):
    first, second = begun("wait", "PAUSED"), begun("wait", "PAUSED")
    assert call("POST", "executions/resume/by-ids", json=[first["id"]]).json() == {"count": 1}
    answer = call("POST", "executions/resume/by-query?filters[state][EQUALS]=PAUSED&filters[flowId][EQUALS]=wait")
    assert answer.json() == {"count": 1}
    for one in (first, second):
        server.reached(one["id"], "SUCCESS")


def test_a_person_pauses_and_resumes(call, begun):
    running = begun("nap", "RUNNING")
    assert call("POST", f"executions/{running['id']}/actions/pause").json()["state"]["current"] == "PAUSED"
    answer = call("POST", f"executions/{running['id']}/actions/pause")
    assert (answer.status_code, answer.json()["message"]) == (422, "Illegal argument: The execution is not running")
    assert call("POST", f"executions/{running['id']}/actions/resume").json()["state"]["current"] == "RUNNING"
    assert call("POST", "executions/pause/by-ids", json=[running["id"]]).json() == {"count": 1}
    answer = call("POST", f"executions/pause/by-query?filters[id][EQUALS]={running['id']}")
    assert answer.json() == {"count": 0}
    call("DELETE", f"executions/{running['id']}/actions/kill")


def test_a_task_run_is_given_another_state(server, call, failed):
    chosen = failed["taskRunList"][1]["id"]
    body = {"taskRunId": chosen, "state": "SUCCESS"}
    answer = call("POST", f"executions/{failed['id']}/actions/state", json=body)
    assert answer.json()["state"]["current"] == "RESTARTED"
    server.reached(failed["id"], "SUCCESS")


@pytest.mark.parametrize(("run", "state"), [("nobody", "SUCCESS"), (None, "HAPPY"), (None, "RUNNING")])
def test_a_state_that_cannot_be_meant_is_refused(call, failed, run, state):
    body = {"taskRunId": run or failed["taskRunList"][1]["id"], "state": state}
    assert call("POST", f"executions/{failed['id']}/actions/state", json=body).status_code == 422


def test_an_ended_execution_is_given_another_end(call, failed):
    answer = call("POST", f"executions/{failed['id']}/actions/change-status?status=WARNING")
    assert answer.json()["state"]["current"] == "WARNING"
    assert call("POST", "executions/change-status/by-ids?newStatus=FAILED", json=[failed["id"]]).json() == {"count": 1}
    query = f"newStatus=SUCCESS&filters[id][EQUALS]={failed['id']}"
    assert call("POST", f"executions/change-status/by-query?{query}").json() == {"count": 1}
    assert call("GET", f"executions/{failed['id']}").json()["state"]["current"] == "SUCCESS"
    assert call("POST", f"executions/{failed['id']}/actions/change-status?status=RUNNING").status_code == 422


def started_by(server, call, key):
    until = time.monotonic() + 10
    query = {"filters[triggerExecutionId][EQUALS]": key}
    while not (found := call("GET", "executions/search", params=query).json()["results"]):
        assert time.monotonic() < until, "nothing was started"
        time.sleep(0.01)
    return server.reached(found[0]["id"], "RUNNING")["id"]


def test_a_kill_reaches_what_an_execution_has_started(server, call, begun):
    top = begun("call", "RUNNING")["id"]
    child = started_by(server, call, top)
    assert call("DELETE", f"executions/{top}/actions/kill").status_code == 200
    assert server.reached(child, "KILLED")
    assert server.reached(top, "KILLED")


def test_a_kill_may_leave_alone_what_an_execution_has_started(server, call, begun):
    top = begun("call", "RUNNING")["id"]
    child = started_by(server, call, top)
    call("DELETE", f"executions/{top}/actions/kill?isOnKillCascade=false")
    assert server.reached(top, "KILLED")
    assert call("GET", f"executions/{child}").json()["state"]["current"] == "RUNNING"
    call("DELETE", f"executions/{child}/actions/kill")
