import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.dispatch import Embedded
from casemate.orchestrator import Orchestrator
from casemate.secrets import EnvironmentSecrets, Secrets
from casemate.store import triggers as rows

MAIN = "/api/v1/main"
TRIGGERS = f"{MAIN}/triggers"
YAML = {"content-type": "application/x-yaml"}
FLOW = """id: {flow}
namespace: company
tasks: [{{id: t, type: io.kestra.plugin.core.log.Log, message: hi}}]
triggers:
- {{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 0 * * *"}}
- {{id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc}}
"""


@pytest.fixture
def client(deps, db, storage, catalog):
    """An API over a real control plane that nobody has started: no trigger fires meanwhile."""
    orchestrator = Orchestrator(db, storage, Embedded(), Secrets(EnvironmentSecrets({})), catalog)
    with TestClient(app(replace(deps, orchestrator=orchestrator)), base_url="http://localhost:8080") as serving:
        for flow in ("one", "two"):
            assert serving.post(f"{MAIN}/flows", content=FLOW.format(flow=flow), headers=YAML).status_code == 200
        yield serving


@pytest.fixture
def changed(client, db):
    """Changes the record of a trigger, as the scheduler would."""

    def change(flow="one", **values):
        def apply(tx):
            before = rows.get(tx, ("main", "company", flow, "daily"))
            rows.save(tx, before, replace(before, **values))

        client.portal.call(db.transact, apply)

    return change


def name(flow="one", trigger="daily", **more):
    return {"namespace": "company", "flowId": flow, "triggerId": trigger, **more}


def found(client, query=""):
    answer = client.get(f"{TRIGGERS}/search{query}")
    assert answer.status_code == 200, answer.text
    return [one["state"]["flowId"] for one in answer.json()["results"]]


def state(client, flow="one"):
    return client.get(f"{TRIGGERS}/company/{flow}").json()["results"][0]


def test_triggers_are_found_with_what_their_flows_say_of_them(client):
    page = client.get(f"{TRIGGERS}/search?sort=flowId:desc").json()
    assert page["total"] == 2
    first = page["results"][0]
    assert (first["trigger"]["id"], first["trigger"]["cron"]) == ("daily", "0 0 * * *")
    assert (first["state"]["flowId"], first["state"]["disabled"], first["state"]["locked"]) == ("two", False, False)


MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "flows"),
    [
        ("?filters[flowId][EQUALS]=two", ["two"]),
        ("?filters[namespace][EQUALS]=nowhere", []),
        ("?q=TWO", ["two"]),
        ("?filters[triggerState][EQUALS]=DISABLED", ["one"]),
        ("?filters[locked][EQUALS]=false", ["two"]),
        ("?filters[startDate][GREATER_THAN]=2026-02-01T00:00:00Z", ["one"]),
        ("?filters[startDate][GREATER_THAN]=2026-02-01T00:00:00Z&dateFilter=LAST_TRIGGERED_DATE", []),
        ("?filters[or][0][flowId][EQUALS]=two&filters[or][1][endDate][LESS_THAN]=2026-02-01T00:00:00Z", ["two"]),
        ("?size=1&page=2", ["two"]),
    ],
)
def test_triggers_are_searched(client, changed, query, flows):
    changed(disabled=True, next_date=MOMENT, execution_id="e")
    assert found(client, query) == flows


def test_a_date_that_triggers_do_not_have_is_refused(client):
    assert client.get(f"{TRIGGERS}/search?dateFilter=BIRTHDAY").status_code == 422


def test_the_triggers_of_a_flow_are_listed_flat(client):
    (one,) = client.get(f"{TRIGGERS}/company/one?q=dai&sort=triggerId:asc").json()["results"]
    assert (one["triggerId"], one["kind"]) == ("daily", "SCHEDULE")
    assert client.get(f"{TRIGGERS}/company/one?q=none").json()["total"] == 0


def test_triggers_are_exported_as_a_table(client):
    answer = client.get(f"{TRIGGERS}/export/by-query/csv?filters[flowId][EQUALS]=one")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["flowId"], row["triggerId"], row["disabled"]) == ("one", "daily", "false")


def test_a_trigger_is_switched(client):
    for disabled in (True, False):
        answer = client.put(f"{TRIGGERS}/set-disabled", json=name(disabled=disabled))
        assert answer.json()["disabled"] is disabled
        assert state(client)["disabled"] is disabled
    assert client.put(f"{TRIGGERS}/set-disabled", json=name(trigger="hook", disabled=True)).status_code == 404
    assert client.put(f"{TRIGGERS}/set-disabled", json=name()).status_code == 422


def test_many_triggers_are_switched(client):
    switch = f"{TRIGGERS}/set-disabled"
    names = [name(), name("two"), name("gone")]
    by_name = client.post(f"{switch}/by-triggers", json={"triggers": names, "disabled": True}).json()
    assert (by_name["count"], state(client, "two")["disabled"]) == (2, True)
    by_query = client.post(f"{switch}/by-query?disabled=false&filters[flowId][EQUALS]=two").json()
    assert (by_query["totalItems"], state(client, "two")["disabled"], state(client)["disabled"]) == (1, False, True)


def test_only_what_is_locked_is_unlocked(client, changed):
    unlock = f"{TRIGGERS}/company/one/daily/unlock"
    assert (client.post(unlock).status_code, client.post(unlock).json()["message"]) == (
        409,
        "Illegal state: Trigger is not locked",
    )
    changed(execution_id="e")
    assert state(client)["locked"] is True
    assert client.post(unlock).json()["locked"] is False
    changed(evaluating_since=MOMENT)
    assert client.post(f"{TRIGGERS}/unlock/by-triggers", json=[name(), name("two")]).json()["count"] == 1
    assert client.post(f"{TRIGGERS}/unlock/by-query").json()["count"] == 0
    assert client.post(f"{TRIGGERS}/company/one/gone/unlock").status_code == 404


def test_a_trigger_is_restarted(client, changed):
    changed(execution_id="e", disabled=True)
    answer = client.post(f"{TRIGGERS}/company/one/daily/restart").json()
    assert (answer["locked"], answer["disabled"]) == (False, False)
    assert client.post(f"{TRIGGERS}/company/one/gone/restart").status_code == 404


def test_a_trigger_that_its_flow_declares_is_not_deleted(client):
    answer = client.delete(f"{TRIGGERS}/company/one/daily")
    assert answer.status_code == 409
    assert "because the flow still declares it" in answer.json()["message"]
    by_name = client.request("DELETE", f"{TRIGGERS}/delete/by-triggers", json=[name()])
    by_query = client.request("DELETE", f"{TRIGGERS}/delete/by-query", json={"filters": []})
    assert (by_name.json()["totalItems"], by_query.json()["totalItems"]) == (0, 0)
    assert len(found(client)) == 2
    assert client.delete(f"{TRIGGERS}/company/one/gone").status_code == 404


@pytest.fixture
def orphans(client, db):
    """Records of triggers that no flow declares."""

    def add(tx):
        known = rows.get(tx, ("main", "company", "one", "daily"))
        for flow, trigger in (("one", "old"), ("gone", "daily"), ("two", "older")):
            rows.add(tx, replace(known, flow_id=flow, trigger_id=trigger))

    client.portal.call(db.transact, add)


def test_a_trigger_that_no_flow_declares_is_deleted(client, orphans):
    assert client.delete(f"{TRIGGERS}/company/one/old").status_code == 204
    by_name = client.request("DELETE", f"{TRIGGERS}/delete/by-triggers", json=[name("gone"), name()])
    assert by_name.json()["count"] == 1
    filters = [{"field": "flowId", "operation": "EQUALS", "value": {"value": "one"}}]
    assert client.request("DELETE", f"{TRIGGERS}/delete/by-query", json={"filters": filters}).json()["count"] == 0
    either = {"logical": "OR", "children": [*filters, {"field": "flowId", "operation": "IN", "value": ["two"]}]}
    assert client.request("DELETE", f"{TRIGGERS}/delete/by-query", json={"filters": [either]}).json()["count"] == 1
    assert sorted(found(client)) == ["one", "two"]


@pytest.mark.parametrize("body", [{"filter": []}, [], {"filters": [{"flowId": "one"}]}, {"filters": "all"}])
def test_a_deletion_by_a_query_that_is_not_understood_deletes_nothing(client, orphans, body):
    assert client.request("DELETE", f"{TRIGGERS}/delete/by-query", json=body).status_code == 422
    assert len(found(client)) == 5


def backfill(**more):
    return name(backfill={"start": "2026-01-01T00:00:00Z", "end": "2026-01-03T00:00:00+00:00", **more})


def test_a_backfill_is_made_paused_continued_and_given_up(client):
    labels = [{"key": "why", "value": "late"}]
    made = client.put(f"{TRIGGERS}/backfill/create", json=backfill(inputs={"a": 1}, labels=labels))
    assert made.status_code == 200, made.text
    assert made.json()["backfill"]["inputs"] == {"a": 1}
    assert made.json()["backfill"]["labels"] == labels
    assert made.json()["nextEvaluationDate"] == "2026-01-01T00:00:00Z"
    assert client.put(f"{TRIGGERS}/backfill/pause", json=name()).json()["backfill"]["paused"] is True
    assert client.put(f"{TRIGGERS}/backfill/unpause", json=name()).json()["backfill"]["paused"] is False
    assert "backfill" not in client.post(f"{TRIGGERS}/backfill/delete", json=name()).json()
    assert client.put(f"{TRIGGERS}/backfill/pause", json=name()).status_code == 422


def test_backfills_of_many_triggers_are_changed_where_there_are_any(client):
    client.put(f"{TRIGGERS}/backfill/create", json=backfill())
    for word, shown in (("pause", True), ("unpause", False)):
        answer = client.post(f"{TRIGGERS}/backfill/{word}/by-triggers", json=[name(), name("two")])
        assert (answer.json()["count"], state(client)["backfill"]["paused"]) == (1, shown)
        assert client.post(f"{TRIGGERS}/backfill/{word}/by-query?filters[flowId][EQUALS]=one").json()["count"] == 1
    assert client.post(f"{TRIGGERS}/backfill/delete/by-query?filters[flowId][EQUALS]=two").json()["count"] == 0
    assert client.post(f"{TRIGGERS}/backfill/delete/by-triggers", json=[name()]).json()["count"] == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [({"start": "soon"}, 422), ({"start": "2027-01-01T00:00:00Z"}, 422), ({"inputs": []}, 422)],
)
def test_a_backfill_that_makes_no_sense_is_refused(client, change, status):
    assert client.put(f"{TRIGGERS}/backfill/create", json=backfill(**change)).status_code == status


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", None])
def test_a_backfill_at_the_end_of_time(client, start, end):
    answer = client.put(f"{TRIGGERS}/backfill/create", json=name(backfill={"start": start, "end": end}))
    assert answer.status_code == 422
    assert state(client)["triggerId"] == "daily"


def test_another_tenant_has_no_triggers(client):
    assert client.get("/api/v1/other/triggers/search").status_code == 404
    assert client.put("/api/v1/other/triggers/set-disabled", json=name(disabled=True)).status_code == 404
    assert state(client)["disabled"] is False
