import dataclasses

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.executions import Context

TEMPLATES = "/api/v1/main/templates"
YAML = {"content-type": "application/x-yaml"}


@pytest.fixture
def client(deps):
    with TestClient(
        app(dataclasses.replace(deps, context=Context(templates=True))), base_url="http://localhost:8080"
    ) as serving:
        yield serving


@pytest.fixture
def create(client, source):
    def creating(**parts):
        return client.post(TEMPLATES, content=source(**parts), headers=YAML)

    return creating


def test_a_template_is_created_read_changed_and_deleted(client, create, source):
    made = create()
    assert made.status_code == 200
    assert made.json() == client.get(f"{TEMPLATES}/company.team/hello").json()
    changed = client.put(f"{TEMPLATES}/company.team/hello", content=source(message="Bye"), headers=YAML)
    assert changed.json()["tasks"][0]["message"] == "Bye"
    assert client.delete(f"{TEMPLATES}/company.team/hello").status_code == 204
    assert client.get(f"{TEMPLATES}/company.team/hello").status_code == 404
    assert create().status_code == 200


def test_json_is_a_source_too(client):
    task = {"id": "say", "type": "io.kestra.plugin.core.log.Log", "message": "Hello"}
    made = client.post(TEMPLATES, json={"id": "hello", "namespace": "company.team", "tasks": [task]})
    assert made.json()["tasks"] == [task]


def test_a_template_that_exists_is_not_created_again(client, create):
    create()
    again = create()
    assert again.status_code == 422
    assert "Template id already exists" in again.json()["message"]


def test_a_template_is_not_renamed(client, create, source):
    create()
    renamed = client.put(f"{TEMPLATES}/company.team/hello", content=source(flow="other"), headers=YAML)
    assert renamed.status_code == 422


def test_a_broken_template_is_refused_with_its_place(client, create):
    answer = create(extra="inputs: []")
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["line"] == 3


def test_templates_are_searched(client, create):
    create(flow="one")
    create(flow="two", namespace="company.other")
    found = client.get(f"{TEMPLATES}/search?filters[namespace][EQUALS]=company.other").json()
    assert found["total"] == 1
    assert found["results"][0]["id"] == "two"


def test_without_the_switch_there_are_no_templates(deps, source):
    with TestClient(app(deps), base_url="http://localhost:8080") as closed:
        answer = closed.post(TEMPLATES, content=source(), headers=YAML)
        assert answer.status_code == 404
        assert "kestra.templates.enabled" in answer.json()["message"]
        assert closed.get(f"{TEMPLATES}/search").status_code == 404
