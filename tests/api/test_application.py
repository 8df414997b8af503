"""The application as a whole: gate, limits, failures, description and log."""

import json

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from casemate.api import TABLE, Deps, Operation, app
from casemate.api.application import application
from casemate.api.openapi import openapi
from casemate.secret import Secret
from casemate.settings import BasicAuth

AUTH = BasicAuth(
    username="ops@example.org",
    password=Secret("pass"),
    realm="Kestra",
    open_urls=("/ping", "/api/v1/main/executions/webhook/"),
)


@pytest.fixture
def guarded(db, storage, catalog):
    deps = Deps(db=db, orchestrator=None, storage=storage, catalog=catalog, version="0", basic_auth=AUTH)
    with TestClient(app(deps), base_url="http://casemate.internal") as serving:
        yield serving


def test_without_credentials_only_public_paths_answer(guarded):
    for path in ("/ping", "/health", "/api/v1/configs/login", "/api/v1/setup"):
        assert guarded.get(path).status_code == 200, path
    for path in (
        "/api/v1/configs",
        "/api/v1/openapi.json",
        "/api/v1/main/flows/search",
        "/api/v1/main/nowhere",
        "/nowhere",
        "/",
    ):
        answer = guarded.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert answer.json()["message"] == "Unauthorized"


def test_every_other_row_asks_for_credentials(guarded):
    for row in TABLE:
        path = row.path.replace("{tenant}", "main").replace("{webhook_path:path}", "p")
        if row.audit in ("instance:ping", "instance:health", "webhook:call") or "configs/login" in path:
            continue
        if path in ("/api/v1/setup", "/login", "/logout", "/ui/"):
            continue
        answer = guarded.request(row.verb, path)
        assert answer.status_code == 401, f"{row.verb} {path}"


def test_credentials_open_the_rest(guarded):
    auth = ("ops@example.org", "pass")
    assert guarded.get("/api/v1/configs", auth=auth).json()["isBasicAuthInitialized"] is True
    assert guarded.get("/api/v1/main/nowhere", auth=auth).status_code == 404
    assert guarded.get("/api/v1/configs", auth=("ops@example.org", "wrong")).status_code == 401


def test_who_guesses_credentials_is_asked_to_wait(guarded):
    for number in range(10):
        assert guarded.get("/api/v1/configs", auth=("ops@example.org", f"{number}")).status_code == 401
    for path in ("/api/v1/configs", "/nowhere"):
        answer = guarded.get(path, auth=("ops@example.org", "pass"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3"), path
        assert answer.json()["message"].startswith("Too Many Requests: ")
    assert guarded.get("/ping", auth=("ops@example.org", "pass")).status_code == 200


def test_the_server_tells_what_it_is(client):
    assert client.get("/ping").text == "pong"
    assert client.get("/health").json() == {"status": "UP"}
    assert client.get("/api/v1/configs").json()["version"] == "0.0.0-test"
    assert client.get("/api/v1/setup").json()["done"] is False


async def broken(_call):
    """Fail."""
    raise RuntimeError("the password is hunter2")


def test_a_crash_tells_strangers_nothing(deps):
    row = Operation("GET", "/api/v1/broken", can=("INSTANCE", "VIEW"), audit="instance:break", run=broken)
    with TestClient(application(deps, [row]), base_url="http://localhost", raise_server_exceptions=False) as serving:
        answer = serving.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["message"] == "Internal Server Error"
    assert "hunter2" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_request_is_logged_by_its_operation_and_no_key_of_a_webhook_is(client):
    with capture_logs() as entries:
        client.get("/api/v1/main/executions/webhook/n/f/s3cret-key/more")
        client.get("/api/v1/main/nowhere/s3cret-key")
    assert [entry["event"] for entry in entries] == ["request.answered"] * 2
    assert (entries[0]["audit"], entries[0]["status"]) == ("webhook:call", 404)
    assert entries[0]["principal"] == "owner"
    assert "s3cret-key" not in json.dumps(entries)


def test_the_description_covers_every_row(client):
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert len(operations) == len(TABLE)
    assert len({one["operationId"] for one in operations}) == len(operations)
    create = described["paths"]["/api/v1/{tenant}/flows"]["post"]
    assert create["x-permission"] == "FLOW:CREATE"
    assert "application/x-yaml" in create["requestBody"]["content"]
    shape = create["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert shape.removeprefix("#/components/schemas/") in described["components"]["schemas"]


def test_every_operation_of_the_table_says_what_it_does():
    described = openapi(TABLE, version="0", url="http://localhost")
    for path in described["paths"].values():
        for one in path.values():
            assert one["summary"].endswith("."), one


def test_references_in_the_description_lead_somewhere():
    described = openapi(TABLE, version="0", url="http://localhost")
    known = set(described["components"]["schemas"])

    def references(value):
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    assert {found.rpartition("/")[2] for found in references(described)} <= known
