from datetime import UTC, datetime

import pytest

from casemate.executions import Execution, History
from casemate.store import executions

FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def create(client, source):
    def creating(**parts):
        answer = client.post(FLOWS, content=source(**parts), headers=YAML)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return creating


def test_a_flow_is_created_and_read_back(client, create, source):
    made = create(extra="description: A greeting")
    assert made["id"] == "hello"
    assert made["namespace"] == "company.team"
    assert made["revision"] == 1
    assert (made["disabled"], made["deleted"], made["draft"]) == (False, False, False)
    assert made["source"] == source(extra="description: A greeting")
    read = client.get(f"{FLOWS}/company.team/hello").json()
    assert read["tasks"] == [{"id": "say", "type": "io.kestra.plugin.core.log.Log", "message": "Hello"}]
    assert "source" not in read
    assert client.get(f"{FLOWS}/company.team/hello?source=true").json()["source"] == made["source"]


def test_a_flow_may_be_written_as_json(client):
    flow = {
        "id": "j",
        "namespace": "n",
        "tasks": [{"id": "t", "type": "io.kestra.plugin.core.log.Log", "message": "x"}],
    }
    assert client.post(FLOWS, json=flow).json()["id"] == "j"


def test_a_flow_cannot_be_created_twice(client, create, source):
    create()
    answer = client.post(FLOWS, content=source(), headers=YAML)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Invalid entity: flow.id: Flow id already exists"


def test_a_flow_that_does_not_exist_is_not_found(client):
    answer = client.get(f"{FLOWS}/company.team/nowhere")
    assert answer.status_code == 404
    assert answer.json()["message"].startswith("Not Found")
    assert answer.json()["_links"]["self"]["href"] == f"{FLOWS}/company.team/nowhere"


def test_every_problem_is_told_with_its_place(client):
    text = """id: hello
namespace: company.team
tasks:
  - id: one
    type: io.kestra.plugin.core.log.Nothing
  - id: two
    type: io.kestra.plugin.core.log.Log
    message: x
    mesage: y
"""
    answer = client.post(FLOWS, content=text, headers=YAML)
    assert answer.status_code == 422
    body = answer.json()
    assert body["message"].startswith("Invalid entity: ")
    assert [(one["line"], one["column"] > 0) for one in body["problems"]] == [(5, True), (9, True)]
    # As Kestra's parser, which stops at the first.
    said = [one["message"] for one in body["_embedded"]["errors"]]
    assert said[0] == "Invalid type: io.kestra.plugin.core.log.Nothing"
    assert len(said) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [("id: [\n", 2), ("- just\n- a list", 1), ("", 1), ("id: a\n\tx: 1", 2), ("a: {{ b }}", 1)],
)
def test_malformed_yaml_is_refused_with_its_place(client, text, line):
    answer = client.post(FLOWS, content=text, headers=YAML)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["line"] == line


def test_a_flow_larger_than_a_mebibyte_is_refused(client, source):
    answer = client.post(FLOWS, content=source(extra="# " + "x" * (1 << 20)), headers=YAML)
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_a_body_without_end_is_refused(client):
    answer = client.post(FLOWS, content=b"#" * (17 << 20), headers=YAML)
    assert answer.status_code == 413


def test_a_body_of_unknown_length_is_cut_off(client):
    def parts():
        for _ in range(17):
            yield b"#" * (1 << 20)

    assert client.post(FLOWS, content=parts(), headers=YAML).status_code == 413


def test_a_body_must_be_text(client):
    answer = client.post(FLOWS, content=b"id: \xff", headers=YAML)
    assert answer.status_code == 422
    assert "UTF-8" in answer.json()["message"]


def test_a_body_of_another_kind_is_refused(client, source):
    answer = client.post(FLOWS, content=source(), headers={"content-type": "text/html"})
    assert answer.status_code == 415


def test_an_update_makes_a_revision_only_if_something_changed(client, create, source):
    create()
    put = f"{FLOWS}/company.team/hello"
    assert client.put(put, content=source(), headers=YAML).json()["revision"] == 1
    assert client.put(put, content=source(message="Bye"), headers=YAML).json()["revision"] == 2
    assert client.get(put + "?revision=1").json()["tasks"][0]["message"] == "Hello"
    assert client.get(put).json()["tasks"][0]["message"] == "Bye"
    assert client.get(put + "?revision=3").status_code == 404


def test_an_update_may_not_rename(client, create, source):
    create()
    text = source(flow="other", namespace="else")
    answer = client.put(f"{FLOWS}/company.team/hello", content=text, headers=YAML)
    assert answer.status_code == 422
    said = [(one["path"], one["message"]) for one in answer.json()["_embedded"]["errors"]]
    assert said == [("flow.id", "Illegal flow id update"), ("flow.namespace", "Illegal namespace update")]


def test_only_what_exists_is_updated(client, source):
    assert client.put(f"{FLOWS}/company.team/hello", content=source(), headers=YAML).status_code == 404


def test_a_deleted_flow_can_still_be_looked_at(client, create):
    create()
    flow = f"{FLOWS}/company.team/hello"
    assert client.delete(flow).status_code == 204
    assert client.delete(flow).status_code == 404
    assert client.get(flow).status_code == 404
    assert client.get(flow + "?allowDeleted=true").json()["deleted"] is True
    assert [one["revision"] for one in client.get(flow + "/revisions").json()] == [1]
    assert [one["deleted"] for one in client.get(flow + "/revisions?allowDelete=true").json()] == [False, True]
    assert create()["revision"] == 3


def test_one_task_can_be_read_wherever_it_stands(client):
    text = """id: nested
namespace: n
inputs:
  - id: deep
    type: STRING
    required: false
tasks:
  - id: outer
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - id: deep
        type: io.kestra.plugin.core.log.Log
        message: x
"""
    client.post(FLOWS, content=text, headers=YAML)
    assert client.get(f"{FLOWS}/n/nested/tasks/deep").json()["message"] == "x"
    assert client.get(f"{FLOWS}/n/nested/tasks/none").status_code == 404


def test_another_tenant_does_not_exist(client, source):
    assert client.get("/api/v1/other/flows/n/f").status_code == 404
    assert client.post("/api/v1/other/flows", content=source(), headers=YAML).status_code == 404


@pytest.mark.parametrize("query", ["revision=x", "revision=99999999999999999999", "source=maybe", "allowDeleted=1"])
def test_a_query_parameter_of_the_wrong_type_is_refused(client, query):
    answer = client.get(f"{FLOWS}/n/f?{query}")
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(f"Invalid entity: {query.split('=')[0]}: Failed to convert argument")


def test_unknown_query_parameters_are_ignored_where_one_thing_is_looked_at(client, create):
    create()
    assert client.get(f"{FLOWS}/company.team/hello?what=ever").status_code == 200


@pytest.mark.parametrize("query", ["namespace=other", "filter[namespace][EQUALS]=other"])
def test_a_query_that_is_not_understood_chooses_nothing(client, create, query):
    create()
    for answer in (client.request("DELETE", f"{FLOWS}/delete/by-query?{query}"), client.get(f"{FLOWS}/search?{query}")):
        assert answer.status_code == 422
        assert "which knows" in answer.json()["message"]
        assert "filters[field][OPERATION]" in answer.json()["message"]
    assert client.get(f"{FLOWS}/company.team/hello").status_code == 200


@pytest.fixture
def three(client, source):
    """The path of the revisions of a flow that has three."""
    client.post(FLOWS, content=source(message="one"), headers=YAML)
    for message in ("two", "three"):
        client.put(f"{FLOWS}/company.team/hello", content=source(message=message), headers=YAML)
    return f"{FLOWS}/company.team/hello/revisions"


def test_old_revisions_are_deleted_and_the_last_one_stays(client, three):
    assert client.delete(f"{three}?revisions=1,3").status_code == 409
    assert client.delete(f"{three}?revisions=1&revisions=2").status_code == 204
    assert [one["revision"] for one in client.get(three).json()] == [3]
    assert client.get(f"{FLOWS}/company.team/hello?revision=1").status_code == 404
    assert client.delete(f"{FLOWS}/company.team/gone/revisions?revisions=1").status_code == 404


async def opened(db):
    begun = Execution(
        id="e", tenant="main", namespace="company.team", flow_id="hello", flow_revision=2, history=History.begun(NOW)
    )
    await db.transact(executions.insert, begun)


def test_a_revision_that_an_execution_still_runs_is_not_deleted(client, db, three):
    client.portal.call(opened, db)
    answer = client.delete(f"{three}?revisions=1,2")
    assert (answer.status_code, "executions still run revision 2" in answer.json()["message"]) == (409, True)
    assert client.delete(f"{three}?revisions=1").status_code == 204


@pytest.mark.parametrize("query", ["", "?revisions=", "?revisions=x", "?revisions=0", "?revisions=1,,2"])
def test_revisions_that_are_no_numbers_are_refused(client, query):
    assert client.delete(f"{FLOWS}/company.team/hello/revisions{query}").status_code == 422
