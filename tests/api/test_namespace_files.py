"""The files of namespaces over HTTP."""

from __future__ import annotations

import io
import stat
import zipfile
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from casemate.api import ArchiveLimits, app
from casemate.storage.revisions import KEPT

LOCAL = "http://localhost:8080"
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
    assert client.get(f"{BASE}/revisions", params={"path": "/a/b.txt"}).json() == [
        {"revision": 1},
        {"revision": 2},
    ]


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


def revisions(client, path):
    return [one["revision"] for one in client.get(f"{BASE}/revisions", params={"path": path}).json()]


def test_what_a_file_was_stays_readable(client):
    for number in range(1, 4):
        put(client, "/a.txt", f"r{number}".encode())
    assert revisions(client, "a.txt") == [1, 2, 3]
    read = [client.get(BASE, params={"path": "/a.txt", "revision": number}) for number in (1, 2, 3, 4)]
    assert [one.content for one in read[:3]] == [b"r1", b"r2", b"r3"]
    assert read[3].status_code == 404
    assert paths(client) == ["a.txt"]
    assert client.get(f"{BASE}/revisions", params={"path": "/none"}).status_code == 404


def test_only_so_many_revisions_are_kept_and_numbers_go_on(client):
    for number in range(1, KEPT + 4):
        put(client, "/a.txt", f"r{number}".encode())
    assert revisions(client, "a.txt") == list(range(4, KEPT + 4))
    assert client.get(BASE, params={"path": "/a.txt", "revision": 4}).content == b"r4"


def test_a_file_that_is_moved_replaces_and_one_that_is_deleted_leaves_nothing(client):
    put(client, "/a.txt", b"a1")
    put(client, "/a.txt", b"a2")
    put(client, "/b.txt", b"b1")
    assert client.put(BASE, params={"from": "/a.txt", "to": "/b.txt"}).status_code == 204
    assert revisions(client, "/b.txt") == [1, 2]
    assert client.get(BASE, params={"path": "/b.txt", "revision": 1}).content == b"b1"
    client.delete(BASE, params={"path": "/b.txt"})
    put(client, "/b.txt", b"new")
    put(client, "/a.txt", b"new")
    assert (revisions(client, "/b.txt"), revisions(client, "/a.txt")) == ([1], [1])


def test_a_folder_may_be_where_a_file_was(client):
    put(client, "/a", b"1")
    put(client, "/a", b"2")
    client.delete(BASE, params={"path": "/a"})
    for content in (b"1", b"2"):
        assert put(client, "/a/1", content).status_code == 204
    assert revisions(client, "/a/1") == [1, 2]


def archive(entries, method=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as whole:
        for name, content in entries:
            whole.writestr(name, content)
    return written.getvalue()


def unpack(client, content, path="/", name="files.zip"):
    return client.post(BASE, params={"path": path}, files={"fileContent": (name, content)})


def test_an_archive_is_unpacked(client):
    put(client, "/a/one.txt", b"old")
    answer = unpack(client, archive([("a/", b""), ("a/one.txt", b"1" * 3_000_000), ("two.txt", b"2")]))
    assert answer.status_code == 204, answer.text
    assert client.get(BASE, params={"path": "/a/one.txt"}).content == b"1" * 3_000_000
    assert client.get(BASE, params={"path": "/two.txt"}).content == b"2"
    assert revisions(client, "/a/one.txt") == [1, 2]
    assert unpack(client, archive([("x.txt", b"x")]), "/sub/files.zip").status_code == 204
    assert client.get(BASE, params={"path": "/sub/x.txt"}).content == b"x"


def test_what_was_exported_can_be_unpacked(client):
    put(client, "/a/one.txt", b"1" * 100_000)
    exported = client.get(f"{BASE}/export").content
    client.delete(BASE, params={"path": "/a"})
    assert unpack(client, exported).status_code == 204
    assert client.get(BASE, params={"path": "/a/one.txt"}).content == b"1" * 100_000


def test_an_archive_by_another_name_is_a_file(client):
    content = archive([("x.txt", b"x")])
    assert unpack(client, content, "/data.bin", "data.bin").status_code == 204
    assert client.get(BASE, params={"path": "/data.bin"}).content == content


def link():
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def lying(content, claimed):
    """The same archive, whose list says that its first file has another size."""
    place = content.index(b"PK\x01\x02") + 24
    return content[:place] + claimed.to_bytes(4, "little") + content[place + 4 :]


ONE = archive([("good.txt", b"good")])
HOSTILE = {
    "a way up": lambda: archive([("good.txt", b"x"), ("../../other/_files/x.txt", b"x")]),
    "a way up in the middle": lambda: archive([("good.txt", b"x"), ("a/../../x.txt", b"x")]),
    "an absolute path": lambda: archive([("good.txt", b"x"), ("/etc/passwd", b"x")]),
    "a path of Windows": lambda: archive([("good.txt", b"x"), ("..\\x.txt", b"x")]),
    "a doubled slash": lambda: archive([("good.txt", b"x"), ("a//b", b"x")]),
    "a link": lambda: archive([("good.txt", b"x"), (link(), b"/etc/passwd")]),
    "flows": lambda: archive([("good.txt", b"x"), ("_flows/hello.yml", b"id: hello")]),
    "a file where a folder is": lambda: archive([("good.txt", b"x"), ("a/b/c", b"x"), ("a/b", b"x")]),
    "more files than allowed": lambda: archive([(f"{number}", b"") for number in range(10_001)]),
    "another method": lambda: archive([("good.txt", b"x" * 100)], zipfile.ZIP_LZMA),
    "more bytes than allowed": lambda: archive([("good.txt", b"\0" * (3 << 20)), ("more.txt", b"\0" * (3 << 20))]),
    "a size that is a lie": lambda: lying(ONE, 3_000_000_000),
    "a list of files that is too long": lambda: ONE[:-10] + (1 << 30).to_bytes(4, "little") + ONE[-6:],
    "something behind its end": lambda: ONE + b"x",
    "no end": lambda: ONE[:-3],
    "nothing": lambda: b"",
    "no archive": lambda: b"PK not an archive at all, really not",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_puts_nothing(client, deps, kind):
    with TestClient(app(replace(deps, upload_limit=5 << 20)), base_url="http://localhost:8080") as bounded:
        answer = unpack(bounded, HOSTILE[kind]())
    assert answer.status_code == 422, answer.text
    assert paths(client) == []


def test_no_more_is_read_of_a_file_than_the_archive_says_it_has(client):
    lie = lying(archive([("bomb.txt", b"\0" * (50 << 20))]), 10)
    assert unpack(client, lie).status_code == 422
    assert paths(client) == []


def test_an_archive_reaches_no_other_tenant_or_namespace(client):
    other = BASE.replace("company.team", "company.other")
    unpack(client, archive([("../../other/_files/x.txt", b"x"), ("_files/y", b"y")]))
    assert client.get(f"{other}/directory").json() == []
    elsewhere = BASE.replace("/main/", "/elsewhere/")
    assert client.post(elsewhere, files={"fileContent": ("a.zip", ONE)}).status_code == 404


def test_an_archive_beyond_what_the_operator_allows_is_not_unpacked(deps):
    with TestClient(app(replace(deps, archives=ArchiveLimits(entries=2, entry_size=1000))), LOCAL) as strict:
        many = unpack(strict, archive([(f"{number}.txt", b"1") for number in range(3)]))
        assert (many.status_code, "has 3 files, at most 2 may be" in many.text) == (422, True)
        large = unpack(strict, archive([("small.txt", b"1"), ("large.txt", b"1" * 1001)]))
        assert (large.status_code, "more than the 1000 bytes" in large.text) == (422, True)
        assert paths(strict) == []
        assert unpack(strict, archive([("small.txt", b"1")])).status_code == 204
