"""Letting go what waits, by hand: one by one, by name, by search."""

from __future__ import annotations

import pytest

from .live import live

NAP = """
id: {name}
namespace: company.team
concurrency: {{limit: 1, behavior: {behavior}}}
tasks:
  - id: sleep
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT1H
"""

QUICK = """
id: quick
namespace: company.team
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: x}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("live")) as running:
        flows = [NAP.format(name=name, behavior="QUEUE") for name in ("one", "many", "found", "forced")]
        for source in (*flows, NAP.format(name="strict", behavior="CANCEL"), QUICK):
            running.save(source)
        yield running


@pytest.fixture
def create(call):
    def creating(flow, **query):
        answer = call("POST", f"executions/company.team/{flow}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return creating


def state(call, execution):
    return call("GET", f"executions/{execution['id']}").json()["state"]["current"]


def test_the_answer_shows_how_it_was_made(call, create):
    first, second = create("strict"), create("strict")
    assert first["state"]["current"] == "RUNNING"
    assert second["state"]["current"] == "CREATED"
    assert state(call, second) == "CANCELLED"


def test_a_queued_execution_is_let_go(call, create):
    first, second, third = create("one"), create("one"), create("one")
    assert [state(call, one) for one in (first, second, third)] == ["RUNNING", "QUEUED", "QUEUED"]
    assert call("POST", f"executions/{second['id']}/actions/unqueue").json()["state"]["current"] == "RUNNING"
    ended = call("POST", f"executions/{third['id']}/actions/unqueue", params={"state": "FAILED"})
    assert ended.json()["state"]["current"] == "FAILED"

    refused = call("POST", f"executions/{first['id']}/actions/unqueue")
    assert refused.status_code == 422
    assert "Only QUEUED execution can be unqueued" in refused.json()["message"]
    unknown = call("POST", f"executions/{first['id']}/actions/unqueue", params={"state": "NOWHERE"})
    assert unknown.status_code == 422
    assert call("POST", "executions/nobody/actions/unqueue").status_code == 404


def test_a_queued_execution_becomes_nothing_that_would_be_no_end(call, create):
    create("one")
    waiting = create("one")
    answer = call("POST", f"executions/{waiting['id']}/actions/unqueue", params={"state": "SUCCESS"})
    assert answer.status_code == 422
    assert state(call, waiting) == "QUEUED"


def test_by_name_all_or_none_are_let_go(call, create):
    running, *waiting = [create("many") for _ in range(3)]
    names = [one["id"] for one in waiting]
    refused = call("POST", "executions/unqueue/by-ids", json=[*names, running["id"], "nobody"])
    assert refused.status_code == 400
    assert f"{running['id']} is not queued" in refused.json()["message"]
    assert [state(call, one) for one in waiting] == ["QUEUED", "QUEUED"]

    answer = call("POST", "executions/unqueue/by-ids", json=names, params={"state": "RUNNING"})
    assert answer.json() == {"count": 2}
    assert [state(call, one) for one in waiting] == ["RUNNING", "RUNNING"]


def test_by_search_those_that_wait_are_let_go(call, create):
    created = [create("found") for _ in range(3)]
    answer = call("POST", "executions/unqueue/by-query?filters[flowId][EQUALS]=found&newState=CANCELLED")
    assert answer.json() == {"count": 2}
    assert [state(call, one) for one in created] == ["RUNNING", "CANCELLED", "CANCELLED"]


def test_a_forced_run_waits_for_nothing(call, create):
    created = [create("forced") for _ in range(4)]
    assert call("POST", f"executions/{created[1]['id']}/actions/force-run").json()["state"]["current"] == "RUNNING"
    assert call("POST", "executions/force-run/by-ids", json=[created[2]["id"]]).json() == {"count": 1}
    answer = call("POST", "executions/force-run/by-query?filters[flowId][EQUALS]=forced&filters[state][IN]=QUEUED")
    assert answer.json() == {"count": 1}
    assert [state(call, one) for one in created] == ["RUNNING"] * 4

    limits = call("GET", "concurrency-limit/search").json()
    assert {"tenantId": "main", "namespace": "company.team", "flowId": "forced", "running": 4} in limits["results"]
    assert "quick" not in {one["flowId"] for one in limits["results"]}


def test_a_forced_run_waits_for_no_date(server, call, create):
    later = create("quick", scheduleDate="2999-01-01T00:00:00Z")
    assert later["state"]["current"] == state(call, later) == "CREATED"
    assert call("POST", f"executions/{later['id']}/actions/force-run").json()["state"]["current"] == "RUNNING"
    server.reached(later["id"], "SUCCESS")

    refused = call("POST", f"executions/{later['id']}/actions/force-run")
    assert refused.status_code == 422
    assert "Only non terminated executions can be forced run." in refused.json()["message"]
    assert call("POST", "executions/force-run/by-ids", json=[later["id"]]).status_code == 400


def test_how_many_run_is_counted_and_not_set(call, create):
    create("strict")
    path = "concurrency-limit/company.team/strict"
    confirmed = call("PUT", path, json={"tenantId": "main", "namespace": "x", "flowId": "y", "running": 1})
    assert confirmed.json() == {"tenantId": "main", "namespace": "company.team", "flowId": "strict", "running": 1}
    assert call("PUT", path, json={"running": 5}).status_code == 409
    assert call("PUT", "concurrency-limit/company.team/quick", json={"running": 0}).status_code == 404
    assert call("PUT", path, json={"running": None}).status_code == 422


def test_only_normal_executions_are_started(call):
    answers = [call("POST", f"executions/company.team/quick?kind={kind}") for kind in ("NORMAL", "TEST", "x")]
    assert [one.status_code for one in answers] == [200, 501, 422]
