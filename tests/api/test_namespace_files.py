"""The files of namespaces over HTTP."""

from __future__ import annotations

import io
import zipfile

import pytest

BASE = "/api/v1/main/namespaces/company.team/files"


def put(client, path, content=b"content"):
    return client.post(BASE, params={"path": path}, files={"fileContent": ("file", content)})


def paths(client, folder="/"):
    return [one["fileName"] for one in client.get(f"{BASE}/directory", params={"path": folder}).json()]


def test_a_file_is_put_read_and_replaced(client):
    assert put(client, "/a/b.txt", b"\x00one").status_code == 204
    assert put(client, "a/b.txt", b"\x00two").status_code == 204
    answer = client.get(BASE, params={"path": "/a/b.txt"})
    assert (answer.content, answer.headers["content-disposition"]) == (b"\x00two", "attachment; filename*=UTF-8''b.txt")
    stats = client.get(f"{BASE}/stats", params={"path": "a/b.txt"}).json()
    assert (stats["type"], stats["fileName"], stats["size"]) == ("File", "b.txt", 4)
    assert client.get(f"{BASE}/revisions", params={"path": "/a/b.txt"}).json() == [{"revision": 1}]


@pytest.mark.parametrize("path", ["../x", "/a/../../x", "/a/\x00", "a" * 300, "/", "", "/a//b", "a\\b"])
def test_a_path_that_leads_elsewhere_is_refused(client, path):
    assert put(client, path).status_code == 422
    assert client.get(BASE, params={"path": path}).status_code == 422
    assert client.delete(BASE, params={"path": path}).status_code in (404, 422)
    assert client.put(BASE, params={"from": "x", "to": path}).status_code in (404, 422)


@pytest.mark.parametrize("namespace", ["..", "other%2F..%2Fcompany", "UPPER"])
def test_a_namespace_that_leads_elsewhere_is_refused(client, namespace):
    put(client, "/a.txt")
    answer = client.get(f"/api/v1/main/namespaces/{namespace}/files", params={"path": "/a.txt"})
    assert answer.status_code in (404, 422)


def test_a_file_is_not_put_where_a_folder_is_nor_the_other_way_round(client):
    put(client, "/a/b.txt")
    assert put(client, "/a").status_code == 409
    assert put(client, "/a/b.txt/c").status_code == 409
    assert client.post(f"{BASE}/directory", params={"path": "/a/b.txt"}).status_code == 409


def test_folders_hold_files_and_folders_and_may_be_empty(client):
    assert client.post(f"{BASE}/directory", params={"path": "/empty"}).status_code == 204
    put(client, "/a/b/c.txt")
    put(client, "/d.txt")
    assert paths(client) == ["a", "empty", "d.txt"]
    assert paths(client, "/a") == ["b"]
    assert paths(client, "/empty") == []
    assert client.get(f"{BASE}/directory", params={"path": "/none"}).status_code == 404
    assert client.get(f"{BASE}/stats", params={"path": "/empty"}).json()["type"] == "Directory"
    assert client.get(f"{BASE}/search", params={"q": "C.T"}).json() == ["/a/b/c.txt"]


def test_files_and_folders_are_moved_and_deleted(client):
    put(client, "/a/one.txt", b"1")
    put(client, "/a/two.txt", b"2")
    assert client.put(BASE, params={"from": "/a", "to": "/b/c"}).status_code == 204
    assert client.get(BASE, params={"path": "/b/c/two.txt"}).content == b"2"
    assert paths(client) == ["b"]
    assert client.put(BASE, params={"from": "/b", "to": "/b/c"}).status_code == 422
    assert client.put(BASE, params={"from": "/none", "to": "/x"}).status_code == 404
    assert client.delete(BASE, params={"path": "/b/c/one.txt"}).status_code == 204
    assert paths(client, "/b/c") == ["two.txt"]
    assert client.delete(BASE, params={"path": "/b"}).status_code == 204
    assert paths(client) == []


def test_all_files_are_exported(client):
    put(client, "/a/one.txt", b"1" * 3_000_000)
    put(client, "/two.txt", b"2")
    client.post(f"{BASE}/directory", params={"path": "/empty"})
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{BASE}/export").content))
    assert {name: len(archive.read(name)) for name in archive.namelist()} == {"a/one.txt": 3_000_000, "two.txt": 1}
