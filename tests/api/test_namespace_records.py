"""What people say of namespaces over HTTP: taken, shown, changed and removed; credentials only come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.identifiers import Namespace
from casemate.secret import Secret
from casemate.secrets import secrets_from
from casemate.settings import Service, keyring, load

API = "/api/v1/main"
NAMESPACES = f"{API}/namespaces"
TEAM = f"{NAMESPACES}/company.team"
CANARY = "canary-of-a-credential-4Wq8Lz"
KEYED = """
kestra:
  encryption: {secret-key: "NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY="}
  retries: {attempts: 1}
  secret: {type: jdbc, jdbc: {secret: the-global-store-has-this-long-secret}}
casemate: {secret: {namespaces: {hosts: ["vault.example:8200"]}}}
"""
KEYLESS = KEYED.replace("encryption:", "variables: {}\n  ignored-encryption:").replace("  ignored-encryption", "  #")
VAULT: dict[str, Any] = {
    "secretType": "vault",
    "secretConfiguration": {"address": "https://vault.example:8200", "token": {"token": CANARY}},
}
SHOWN = {"address": "https://vault.example:8200", "token": {"token": "******"}}


def configured(text: str, db):
    settings = load([("c.yml", text)], {}).settings
    return secrets_from(settings.secrets, db, keyring(settings.encryption))


@pytest.fixture
def secrets(db):
    made = configured(KEYED, db)
    yield made
    made.close()


@pytest.fixture
def client(deps, secrets):
    with TestClient(app(replace(deps, secrets=secrets)), base_url="http://localhost:8080") as serving:
        yield serving


def make(client, name="company.team", **said):
    return client.post(NAMESPACES, json={"id": name, "deleted": False, **said})


def change(client, **said):
    return client.put(TEAM, json={"id": "company.team", "deleted": False, **said})


def test_a_namespace_is_made_read_changed_searched_and_removed(client):
    said = {
        "description": "of the team",
        "allowedNamespaces": [{"namespace": "company.other"}],
        "secretReadOnly": True,
        "secretIsolation": {"enabled": True, "deniedServices": ["EXECUTOR"]},
        "workerSecretManagerMode": "CONTROLLER_ONLY",
        "blockSecretInheritance": True,
    }
    shown = {"id": "company.team", "deleted": False, **said}
    answer = make(client, **said)
    assert (answer.status_code, answer.json()) == (200, shown)
    assert client.get(TEAM).json() == shown
    found = client.get(f"{NAMESPACES}/search").json()
    assert found == {"results": [{"id": "company", "deleted": False}, shown], "total": 2}
    assert client.get(f"{NAMESPACES}/search?existing=true").json()["results"] == [shown]
    assert change(client, description="new").json() == {"id": "company.team", "deleted": False, "description": "new"}
    assert client.delete(TEAM).status_code == 204
    assert client.get(TEAM).status_code == client.delete(TEAM).status_code == 404


def test_a_namespace_is_made_once_and_keeps_its_name(client):
    make(client)
    assert "Namespace id already exists" in make(client).json()["message"]
    answer = client.put(TEAM, json={"id": "company.other"})
    assert (answer.status_code, "Illegal namespace id update" in answer.json()["message"]) == (422, True)
    assert client.put(f"{NAMESPACES}/nobody", json={"id": "nobody"}).status_code == 404


def test_something_can_be_said_of_a_namespace_that_only_has_flows(client, source):
    client.post(f"{API}/flows", content=source(), headers={"content-type": "application/x-yaml"})
    assert client.get(TEAM).json() == {"id": "company.team", "deleted": False}
    assert change(client, description="new").status_code == 200
    assert client.delete(TEAM).status_code == 204
    assert client.get(TEAM).json() == {"id": "company.team", "deleted": False}


@pytest.mark.parametrize("name", ["", "A", ".a", "a..b", "a.", "a b", "a/b", "x" * 151])
def test_what_is_no_name_is_refused(client, name):
    assert make(client, name).status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("variables", {"a": {"b": 1}}, "namespaces have no variables"),
        ("storageType", "s3", "one storage"),
        ("storageIsolation", {"enabled": True}, "one storage"),
        ("concurrency", {"limit": 1}, "only flows"),
        ("quotas", [{}], "casemate.quotas"),
        ("pluginDefaults", [{"type": "x"}], "a policy"),
        ("defaultWorkerSelector", {"tags": ["x"]}, "groups of workers"),
        ("outputsInInternalStorage", True, "database"),
        ("sdkDefaultAuthentication", {"apiToken": CANARY}, "no account"),
        ("blockSecretInheritence", True, "is no field of a namespace"),
        ("workerSecretManagerMode", "DIRECT", "CONTROLLER_ONLY"),
        ("workerSecretManagerMode", "ELSEWHERE", "CONTROLLER_ONLY"),
        ("secretIsolation", {"enabled": True, "deniedServices": ["NOBODY"]}, "EXECUTOR"),
        ("allowedNamespaces", [{"namespace": "A B"}], "allowedNamespaces[0].namespace"),
        ("secretConfiguration", {"token": CANARY}, "needs a secretType"),
        ("deleted", True, "False"),
    ],
)
def test_what_nothing_acts_on_is_refused_in_words(client, field, value, told):
    answer = make(client, **{field: value})
    assert answer.status_code == 422
    assert told in answer.text
    assert CANARY not in answer.text


def test_fields_that_hold_nothing_are_sent_along_by_clients_and_taken(client):
    nothing = {"enabled": False, "deniedServices": []}
    empty = {"variables": {}, "storageIsolation": nothing, "quotas": [], "concurrency": None}
    assert make(client, **empty).json() == {"id": "company.team", "deleted": False}


def test_credentials_of_a_store_come_and_never_go_out(client, tmp_path, caplog):
    answers = [
        make(client, **VAULT),
        make(client, **VAULT),
        change(client, **VAULT),
        change(client, secretType="vault", secretConfiguration=SHOWN),
        client.get(TEAM),
        client.get(f"{NAMESPACES}/search"),
        client.get(f"{API}/namespaces/company.team/secrets"),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 200, 200, 200, 200, 503]
    for answer in answers:
        assert CANARY not in answer.text
    for answer in (answers[0], *answers[2:5]):
        assert answer.json()["secretConfiguration"] == SHOWN
    assert "secretConfiguration" not in answers[5].json()["results"][1]
    assert CANARY not in caplog.text
    pages = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert b"vault.example" in pages
    assert CANARY.encode() not in pages


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("vault", {"address": "https://vault.example:8200", "tokn": {"token": CANARY}}, "secretConfiguration.tokn"),
        ("vault", {"address": "https://vault.example:8200", "token": {"token": [CANARY]}}, "secretConfiguration.token"),
        ("vault", {"address": "https://vault.example:8200"}, "exactly one of password, token"),
        ("vault", {"address": f"https://{CANARY}@vault.example:8200"}, "no plain address"),
        ("vault", {"address": "http://169.254.169.254", "token": {"token": CANARY}}, "not among the hosts"),
        ("vault", None, "address"),
        ("jdbc", {}, "secret"),
        ("jdbc", {"secret": CANARY}, "at least 32 characters"),
        ("env", {}, "stores of type env are not for namespaces"),
        ("nothing", {"token": CANARY}, "stores of type nothing are not for namespaces"),
        ("azure-key-vault", {"clientSecret": {"tenantId": "a", "clientId": "b", "clientSecret": CANARY}}, "vault-name"),
    ],
)
def test_a_store_that_cannot_be_is_refused_at_save(client, kind, options, told):
    answer = make(client, secretType=kind, secretConfiguration=options)
    assert answer.status_code == 422
    assert told in answer.text
    assert CANARY not in answer.text
    assert client.get(TEAM).status_code == 404


def test_stars_are_what_was_there_and_go_nowhere_else(client, secrets):
    make(client, **VAULT)
    tagged = {**SHOWN, "tags": {"team": "blue"}}
    assert change(client, secretType="vault", secretConfiguration=tagged).json()["secretConfiguration"] == tagged
    for options in ({**SHOWN, "prefix": "other"}, {**SHOWN, "password": {"user": "x", "password": "******"}}):
        answer = change(client, secretType="vault", secretConfiguration=options)
        assert answer.status_code == 422
        assert CANARY not in answer.text
    assert change(client, secretType="jdbc", secretConfiguration={"secret": "******"}).status_code == 422
    assert client.get(TEAM).json()["secretConfiguration"] == tagged


def test_without_an_encryption_key_no_store_is_kept_and_none_opens(client, deps, db):
    make(client, **VAULT)
    keyless = configured(KEYLESS, db)
    with TestClient(app(replace(deps, secrets=keyless)), base_url="http://localhost:8080") as other:
        answer = make(other, "other", **VAULT)
        assert answer.status_code == 422
        assert "Unable to keep a `secretConfiguration` as encryption is not configured" in answer.json()["message"]
        assert make(other, "plain", secretReadOnly=True).status_code == 200
        answer = other.get(f"{API}/namespaces/company.team/secrets")
        assert (answer.status_code, "cannot be used" in answer.json()["message"]) == (503, True)
        assert other.get(TEAM).json()["secretConfiguration"] == SHOWN
    keyless.close()


def put(client, namespace, name="TOKEN", value="x"):
    return client.put(f"{NAMESPACES}/{namespace}/secrets", json={"key": name, "value": value})


def test_each_store_lists_what_is_its_own(client, secrets):
    put(client, "company"), put(client, "company.team", "OLD")
    make(client, secretType="jdbc", secretConfiguration={"secret": "another-secret-of-more-than-32-letters"})
    put(client, "company.team.sub", "NEW")
    listed = {(one["namespace"], one["key"]) for one in client.get(f"{API}/secrets").json()["results"]}
    assert listed == {("company", "TOKEN"), ("company.team", "OLD"), ("company.team.sub", "NEW")}
    inherited = client.get(f"{NAMESPACES}/company.team.sub/inherited-secrets").json()
    assert inherited == {"company.team.sub": ["NEW"], "company.team": ["OLD"], "company": ["TOKEN"]}
    # What the other store has sealed does not open with this one's key, and is not looked for anywhere else.
    answer = client.get(f"{NAMESPACES}/company.team/secrets")
    assert answer.json()["readOnly"] is False


def test_a_namespace_that_is_read_only_is_not_written_to(client):
    make(client, secretReadOnly=True)
    for namespace in ("company.team", "company.team.sub"):
        answer = put(client, namespace)
        assert (answer.status_code, f"Secrets of namespace '{namespace}' are read-only." in answer.text) == (409, True)
        assert client.get(f"{NAMESPACES}/{namespace}/secrets").json()["readOnly"] is True
    assert put(client, "company").status_code == 200
    assert client.get(f"{API}/secrets").json()["readOnly"] is False


def test_a_service_that_a_namespace_denies_sees_none_of_its_secrets(client, secrets):
    put(client, "company"), put(client, "company.team", "OWN")
    make(client, secretIsolation={"enabled": True, "deniedServices": ["WEBSERVER"]})
    assert [one["key"] for one in client.get(f"{API}/secrets").json()["results"]] == ["TOKEN"]
    for answer in (client.get(f"{TEAM}/secrets"), put(client, "company.team"), client.delete(f"{TEAM}/secrets/OWN")):
        assert answer.status_code == 403
        assert "Access to secrets is denied for service WEBSERVER." in answer.text
    found = secrets.find(Service.WORKER, "main", Namespace("company.team"), "OWN")
    assert found.value == Secret("x")
