"""Plugins over HTTP: uploaded, offered, installed and removed, each by its digest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.plugins import Management
from casemate.settings import PluginManagement
from tests.plugins.wheels import TYPE, digest, greeting, written

PLUGINS = "/api/v1/instance/versioned-plugins"
NAME = "com.example:casemate-greeting"
OLD, NEW = greeting("1.0.0"), greeting("2.0.0")


@pytest.fixture
def serving(deps, tmp_path):
    """A client of a server with these management settings."""

    def client(**settings):
        types = deps.catalog.joined(())
        management = Management(types, PluginManagement(**settings), tmp_path / "state")
        management.refresh()
        return TestClient(app(replace(deps, catalog=types, plugins=management)), base_url="http://localhost:8080")

    return client


@pytest.fixture
def client(serving):
    with serving() as client:
        yield client


def upload(client, content, sha256=None, name="plugin.whl", **fields):
    known = {} if sha256 is None else {"sha256": sha256}
    return client.post(f"{PLUGINS}/upload", files={"file": (name, content)}, data={**known, **fields})


def test_a_wheel_is_uploaded_used_described_and_removed(client):
    for content in (OLD, NEW):
        assert upload(client, content, digest(content)).status_code == 200
    listed = client.get(PLUGINS).json()
    assert [(one["groupId"], one["artifactId"], one["versions"]) for one in listed["results"]] == [
        ("com.example", "casemate-greeting", ["2.0.0", "1.0.0"])
    ]
    assert client.get(f"{PLUGINS}?sort=title:desc").json() == listed
    assert client.get(f"{PLUGINS}?sort=age").status_code == 422
    one = f"{PLUGINS}/com.example/casemate-greeting"
    assert [each["version"] for each in client.get(one).json()["versions"]] == ["2.0.0", "1.0.0"]
    described = client.get(f"{one}/1.0.0").json()
    assert (described["title"], described["classes"]) == (
        "Greetings",
        [{"type": "tasks", "classes": [{"name": TYPE}]}],
    )
    assert client.get(f"{one}/release-notes", params={"version": "1.0.0"}).text == "The first version."
    assert client.get(f"/api/v1/plugins/{TYPE}/versions").json()["versions"] == ["2.0.0", "1.0.0"]
    old = client.get(f"/api/v1/plugins/{TYPE}/versions/1.0.0").json()["schema"]["properties"]["properties"]
    assert ("name" in old, "who" in old) == (True, False)
    removed = client.request("DELETE", f"{PLUGINS}/uninstall", json={"plugins": [f"{NAME}:1.0.0"]})
    assert [each["version"] for each in removed.json()["results"]] == ["1.0.0"]
    assert client.get(f"{one}/1.0.0").status_code == 404


def test_a_schema_has_the_types_that_are_there_now(client):
    schema = "/api/v1/plugins/schemas/flow"
    assert TYPE not in client.get(schema).text
    upload(client, NEW, digest(NEW))
    assert TYPE in client.get(schema).text


@pytest.mark.parametrize(
    ("sha256", "name"),
    [(None, "plugin.whl"), ("", "plugin.whl"), (digest(NEW), "a"), (None, f"a#sha256={digest(NEW)}")],
)
def test_an_upload_without_its_digest_is_refused(client, sha256, name):
    told = upload(client, OLD, sha256, name)
    assert told.status_code == 422
    assert "sha256" in told.json()["message"]
    assert client.get(PLUGINS).json()["total"] == 0


def test_the_digest_may_stand_in_the_name_of_the_file(client):
    assert upload(client, OLD, None, f"casemate_greeting.whl#sha256={digest(OLD)}").status_code == 200


def test_another_wheel_of_a_version_must_be_forced(client):
    changed = greeting(title="Changed")
    upload(client, OLD, digest(OLD))
    assert upload(client, changed, digest(changed)).status_code == 422
    assert upload(client, changed, digest(changed), forceInstallOnExistingVersions="true").status_code == 200


def test_wheels_of_a_repository_are_offered_resolved_and_installed_by_their_digest(serving, tmp_path):
    written(tmp_path / "wheels", OLD, "old.whl")
    written(tmp_path / "wheels", NEW, "new.whl")
    with serving(repositories=(str(tmp_path / "wheels"),), custom=False) as client:
        assert [each["versions"] for each in client.get(f"{PLUGINS}/available").json()] == [["2.0.0", "1.0.0"]]
        names = [f"{NAME}:LATEST", f"{NAME}:1", f"{NAME}:9", "nothing"]
        found = client.post(f"{PLUGINS}/resolve", json={"plugins": names}).json()["results"]
        assert [each.get("version") for each in found] == ["2.0.0", "1.0.0", None, None]
        assert client.post(f"{PLUGINS}/install", json={"plugins": [f"{NAME}:1.0.0"]}).status_code == 422
        wrong = f"{NAME}:1.0.0@sha256:{digest(NEW)}"
        assert client.post(f"{PLUGINS}/install", json={"plugins": [wrong]}).status_code == 422
        right = f"{NAME}:1.0.0@sha256:{digest(OLD)}"
        done = client.post(f"{PLUGINS}/install", json={"plugins": [right]}).json()
        assert [each["sha256"] for each in done["results"]] == [digest(OLD)]
        assert upload(client, greeting(title="Own"), digest(greeting(title="Own"))).status_code == 403


def test_what_is_not_there_is_not_found(client):
    for path in ("/com.example/x", "/com.example/x/1.0.0", "/com.example/x/icon.svg", "/com.example/x/release-notes"):
        assert client.get(PLUGINS + path).status_code == 404
    assert client.request("DELETE", f"{PLUGINS}/uninstall", json={"plugins": [f"{NAME}:1.0.0"]}).status_code == 404


def test_a_feature_that_is_off_answers_an_error(serving):
    with serving(enabled=False) as client:
        assert client.get(PLUGINS).status_code == 403
        assert client.get(f"{PLUGINS}/available/storages").status_code == 403
        assert upload(client, OLD, digest(OLD)).status_code == 403


def test_nothing_is_installed_because_a_flow_names_it(client):
    plugins = "/api/v1/plugins"
    assert client.post(f"{plugins}/auto-install/detect", content="id: a").status_code == 403
    assert client.post(f"{plugins}/install", json=[]).status_code == 403
    assert client.get(f"{plugins}/install/1").status_code == 403
