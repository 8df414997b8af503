"""The KV store over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

BASE = "/api/v1/main/namespaces/company.team/kv"


def put(client, key, body, base=BASE, **headers):
    return client.put(f"{base}/{key}", content=body, headers={"content-type": "text/plain", **headers})


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ('"hello world"', "STRING", "hello world"),
        ("42", "NUMBER", 42),
        ("true", "BOOLEAN", True),
        ('{"foo":"bar"}', "JSON", {"foo": "bar"}),
        ("[1,2,3]", "JSON", [1, 2, 3]),
        ("2023-05-02T01:02:03Z", "DATETIME", "2023-05-02T01:02:03.000Z"),
        ("2023-05-02", "DATE", "2023-05-02"),
        ("PT5M", "DURATION", "PT5M"),
        ("plain text", "STRING", "plain text"),
    ],
)
def test_a_value_is_kept_with_its_type(client, body, kind, value):
    assert put(client, "k", body).status_code == 204
    detail = client.get(f"{BASE}/k").json()
    assert (detail["type"], detail["value"], detail["revision"]) == (kind, value, 1)


@pytest.mark.parametrize(
    ("key", "body", "headers"),
    [
        ("-k", "1", {}),
        ("k" * 300, "1", {}),
        ("%00", "1", {}),
        ("k", '"' + "x" * (1 << 20) + '"', {}),
        ("k", "[" * 100 + "]" * 100, {}),
        ("k", "1", {"ttl": "P999999999D"}),
        ("k", "1", {"ttl": "never"}),
    ],
)
def test_what_cannot_be_kept_is_refused(client, key, body, headers):
    assert put(client, key, body, **headers).status_code in (413, 422)
    assert client.get("/api/v1/main/kv").json()["total"] == 0


@pytest.mark.parametrize("namespace", ["..", "Upper", "-x", "x" * 151, "a%00"])
def test_a_namespace_that_is_none_is_refused(client, namespace):
    assert put(client, "k", "1", base=f"/api/v1/main/namespaces/{namespace}/kv").status_code in (404, 422)


def test_keys_expire(client, deps):
    assert put(client, "k", "1", ttl="PT1H", description="what it is").status_code == 204
    listed = client.get("/api/v1/main/kv").json()["results"]
    assert (listed[0]["description"], "expirationDate" in listed[0]) == ("what it is", True)
    now = deps.now()
    object.__setattr__(deps, "now", lambda: now + timedelta(hours=2))
    assert client.get(f"{BASE}/k").status_code == 410
    assert client.get("/api/v1/main/kv").json()["total"] == 0


def test_keys_are_deleted(client):
    for key in "abc":
        put(client, key, "1")
    assert client.delete(f"{BASE}/a").json() is True
    assert client.delete(f"{BASE}/a").json() is False
    assert client.request("DELETE", BASE, json={"keys": ["b", "c", "d"]}).json() == {"keys": ["b", "c"]}
    assert client.get(f"{BASE}/b").status_code == 404


def test_keys_are_searched_and_inherited(client):
    for namespace, key in (("company", "shared"), ("company", "both"), ("company.team", "both"), ("other", "x")):
        put(client, key, "1", base=f"/api/v1/main/namespaces/{namespace}/kv")
    inherited = client.get(f"{BASE}/inheritance").json()
    assert [(one["namespace"], one["key"]) for one in inherited] == [("company.team", "both"), ("company", "shared")]
    found = client.get("/api/v1/main/kv", params={"filters[namespace][EQUALS]": "company", "sort": "key:desc"}).json()
    assert [one["key"] for one in found["results"]] == ["shared", "both"]
