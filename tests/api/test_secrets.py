"""Secrets over HTTP: names come and go, values only come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.secrets import EnvironmentSecrets, Secrets, opened
from casemate.settings import Service

API = "/api/v1/main"
OF_TEAM = f"{API}/namespaces/company.team/secrets"
VALUE = "canary-of-a-value-9xQe"
KEY = {"secret": "a secret of thirty-two characters"}


@pytest.fixture
def secrets(db):
    return Secrets(opened("jdbc", KEY, read_only=False, at="kestra.secret.jdbc", database=db))


@pytest.fixture
def client(deps, secrets):
    with TestClient(app(replace(deps, secrets=secrets)), base_url="http://localhost:8080") as serving:
        yield serving


def put(client, name="TOKEN", namespace="company.team", **more):
    body = {"key": name, "value": VALUE, **more}
    return client.put(f"{API}/namespaces/{namespace}/secrets", json=body)


def test_a_secret_is_kept_described_listed_and_removed(client, secrets):
    answer = put(client, description="of the bank", tags=[{"key": "team", "value": "blue"}])
    shown = {
        "key": "TOKEN",
        "namespace": "company.team",
        "description": "of the bank",
        "tags": [{"key": "team", "value": "blue"}],
    }
    assert (answer.status_code, answer.json()) == (200, [shown])
    assert client.get(f"{API}/secrets").json() == {"readOnly": False, "results": [shown], "total": 1}
    assert client.get(OF_TEAM).json()["results"] == [shown]
    found = secrets.find(Service.WORKER, "main", "company.team.sub", "TOKEN")
    assert found.value.reveal() == VALUE
    answer = client.patch(f"{OF_TEAM}/TOKEN", json={"key": "TOKEN", "description": "new"})
    assert answer.json() == [{**shown, "description": "new"}]
    assert secrets.find(Service.WORKER, "main", "company.team", "TOKEN").value.reveal() == VALUE
    assert client.delete(f"{OF_TEAM}/TOKEN").status_code == 204
    assert client.delete(f"{OF_TEAM}/TOKEN").status_code == 404
    assert client.get(f"{API}/secrets").json()["total"] == 0


def test_no_answer_holds_a_value(client):
    put(client)
    for answer in (
        put(client),
        put(client, name="not a key"),
        put(client, tags="wrong"),
        put(client, description=[VALUE]),
        client.put(OF_TEAM, json={"key": ["TOKEN"], "value": VALUE}),
        client.put(OF_TEAM, json={"key": "TOKEN", "value": [VALUE]}),
        client.get(f"{API}/secrets"),
        client.get(OF_TEAM),
        client.get(f"{API}/namespaces/company.team/inherited-secrets"),
        client.patch(f"{OF_TEAM}/TOKEN", json={"key": "TOKEN", "tags": []}),
    ):
        assert VALUE not in answer.text


def test_names_are_listed_by_where_they_come_from(client):
    put(client, "ROOT", "company")
    put(client)
    put(client, "OTHER", "elsewhere")
    found = client.get(f"{API}/namespaces/company.team.sub/inherited-secrets").json()
    assert found == {"company.team": ["TOKEN"], "company": ["ROOT"]}


def test_lists_are_searched_sorted_and_paged(client):
    for name in ("A1", "A2", "B1"):
        put(client, name)
    put(client, "A3", "company.other")

    def keys(**asked):
        return [one["key"] for one in client.get(f"{API}/secrets", params=asked).json()["results"]]

    assert keys(q="a") == ["A3", "A1", "A2", "B1"]
    assert keys(q="a1") == ["A1"]
    assert keys(sort="key:desc", size="2") == ["B1", "A3"]
    assert keys(sort="key:asc", size="2", page="2") == ["A3", "B1"]
    assert keys(**{"filters[namespace][EQUALS]": "company.other"}) == ["A3"]
    assert client.get(f"{API}/secrets", params={"sort": "value:asc"}).status_code == 422


@pytest.mark.parametrize("name", ["", "a b", "-x", ".x", "a/b", "x" * 256])
def test_what_is_no_name_is_refused(client, name):
    assert put(client, name).status_code == 422


def test_an_empty_value_is_refused(client):
    assert put(client, value="").status_code == 422


def test_another_key_cannot_be_given(client):
    put(client)
    assert client.patch(f"{OF_TEAM}/TOKEN", json={"key": "OTHER", "tags": []}).status_code == 422
    assert client.patch(f"{OF_TEAM}/OTHER", json={"key": "OTHER", "tags": []}).status_code == 404


def test_what_may_only_be_read_is_said_and_refused(deps):
    reading = replace(deps, secrets=Secrets(EnvironmentSecrets({"SECRET_TOKEN": "eA=="}), read_only=True))
    with TestClient(app(reading), base_url="http://localhost:8080") as client:
        assert client.get(f"{API}/secrets").json() == {
            "readOnly": True,
            "results": [{"key": "TOKEN", "tags": []}],
            "total": 1,
        }
        answers = [
            put(client),
            client.delete(f"{OF_TEAM}/TOKEN"),
            client.patch(f"{OF_TEAM}/TOKEN", json={"key": "TOKEN", "tags": []}),
        ]
        for answer in answers:
            assert answer.status_code == 409
            assert "Secrets of namespace 'company.team' are read-only." in answer.json()["message"]


def test_a_webserver_that_gets_no_secrets_shows_none(deps, db):
    backend = opened("jdbc", KEY, read_only=False, at="kestra.secret.jdbc", database=db)
    denied = replace(deps, secrets=Secrets(backend, denied=frozenset((Service.WEBSERVER,))))
    with TestClient(app(denied), base_url="http://localhost:8080") as client:
        for answer in (client.get(f"{API}/secrets"), put(client), client.delete(f"{OF_TEAM}/TOKEN")):
            assert answer.status_code == 403
            assert "Access to secrets is denied for service WEBSERVER." in answer.json()["message"]
