import csv
import io
import zipfile
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from casemate.api import ArchiveLimits, app
from casemate.api.tables import csv_of

FLOWS = "/api/v1/main/flows"
LOCAL = "http://localhost:8080"
YAML = {"content-type": "application/x-yaml"}


@pytest.fixture
def save(client, source):
    def saving(*flows, **more):
        for flow in flows:
            assert client.post(FLOWS, content=source(flow=flow, **more), headers=YAML).status_code == 200

    return saving


@pytest.fixture
def upload(client):
    def uploading(content, name="flows.yml", query=""):
        return client.post(f"{FLOWS}/import{query}", files={"fileUpload": (name, content)})

    return uploading


def archive(entries):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, text in entries.items():
            whole.writestr(name, text)
    return written.getvalue()


def entries(answer):
    with zipfile.ZipFile(io.BytesIO(answer.content)) as whole:
        return {name: whole.read(name).decode() for name in whole.namelist()}


def test_what_was_exported_can_be_imported_again(client, save, source, upload):
    save("a", "b")
    exported = client.get(f"{FLOWS}/export/by-query?filters[namespace][EQUALS]=company.team")
    assert entries(exported) == {f"company.team/{flow}.yml": source(flow=flow) for flow in "ab"}
    assert exported.headers["content-disposition"] == 'attachment; filename="flows.zip"'
    client.request("DELETE", f"{FLOWS}/delete/by-query")
    assert upload(exported.content, "flows.zip").json() == []
    assert client.get(f"{FLOWS}/company.team/a?source=true").json()["source"] == source(flow="a")


def test_flows_are_exported_by_name_and_all_of_them_must_be_there(client, save):
    save("a", "b")
    named = client.post(f"{FLOWS}/export/by-ids", json=[{"namespace": "company.team", "id": "b"}])
    assert list(entries(named)) == ["company.team/b.yml"]
    unknown = client.post(f"{FLOWS}/export/by-ids", json=[{"namespace": "company.team", "id": "c"}])
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Not Found: flow company.team.c")


def test_a_text_with_several_documents_is_imported(client, source, upload):
    assert upload(f"{source(flow='a')}\n---\n{source(flow='b')}").json() == []
    assert [flow["id"] for flow in client.get(f"{FLOWS}/company.team").json()] == ["a", "b"]


def test_what_is_no_flow_is_named_and_the_others_are_imported(client, source, upload):
    assert upload(f"{source(flow='a')}\n---\nid: x").json() == ["1"]
    mixed = archive({"good.yaml": source(flow="b"), "bad.yml": "id: [", "latin.yml": b"id: \xff", "readme.md": "# hi"})
    assert upload(mixed, "x.zip").json() == ["bad.yml", "latin.yml"]
    assert [flow["id"] for flow in client.get(f"{FLOWS}/company.team").json()] == ["a", "b"]


def test_all_or_nothing_is_imported_when_asked_for(client, source, upload):
    answer = upload(f"{source(flow='a')}\n---\nid: x", query="?failOnError=true")
    assert answer.status_code == 422
    assert "Following invalid flows were not imported: 1 (" in answer.json()["message"]
    assert client.get(f"{FLOWS}/company.team").json() == []


def test_names_in_an_archive_are_only_names(client, source, upload, tmp_path):
    assert upload(archive({"../../../../tmp/x.yml": source(), "/etc/x.yml": "id: x"}), "x.zip").json() == ["/etc/x.yml"]
    assert client.get(f"{FLOWS}/company.team/hello").status_code == 200


def test_an_archive_that_unfolds_to_too_much_is_refused(client, upload):
    bomb = archive({f"{number}.yml": b"#" * (1 << 20) for number in range(129)})
    assert len(bomb) < 1 << 20
    answer = upload(bomb, "bomb.zip")
    assert (answer.status_code, "more than" in answer.json()["message"]) == (422, True)


def test_a_file_of_an_archive_is_never_read_further_than_a_flow_may_be_long(client, source, upload):
    long = archive({"long.yml": source() + "#" * (64 << 20), "good.yml": source(flow="good")})
    assert upload(long, "x.zip").json() == ["long.yml"]
    assert client.get(f"{FLOWS}/company.team/good").status_code == 200


def test_an_archive_beyond_what_the_operator_allows_is_refused_as_a_whole(deps, source):
    strict = TestClient(app(replace(deps, archives=ArchiveLimits(entries=2, entry_size=1000))), LOCAL)
    files = {f"{number}.yml": source(flow=f"f{number}") for number in range(3)}
    many = strict.post(f"{FLOWS}/import", files={"fileUpload": ("x.zip", archive(files))})
    assert (many.status_code, "has 3 files, at most 2 may be" in many.text) == (422, True)
    large = archive({"long.yml": source() + "#" * 1000, "good.yml": source(flow="good")})
    answer = strict.post(f"{FLOWS}/import", files={"fileUpload": ("x.zip", large)})
    assert (answer.status_code, "'long.yml' in the archive has more than the 1000 bytes" in answer.text) == (422, True)
    assert strict.get(f"{FLOWS}/company.team/good").status_code == 404


def test_an_archive_whose_list_of_files_would_fill_the_memory_is_not_opened(client, source, upload):
    whole = archive({"a.yml": source(flow="a")})
    huge = whole[:-10] + (1 << 30).to_bytes(4, "little") + whole[-6:]
    answer = upload(huge, "x.zip")
    assert (answer.status_code, "the list of files" in answer.json()["message"]) == (422, True)


@pytest.mark.parametrize("content", [b"PK\x03\x04 nothing", b"\xff\xfe\xff"])
def test_what_is_neither_archive_nor_text_is_refused(upload, content):
    assert upload(content).status_code == 422


def test_a_form_without_a_file_is_refused(client):
    answer = client.post(f"{FLOWS}/import", files={"other": ("x.yml", "id: x")})
    assert "fileUpload is required" in answer.json()["message"]


def test_flows_are_exported_as_a_table(client, save):
    save("a", extra="description: =1+1\nlabels: {team: data}")
    answer = client.get(f"{FLOWS}/export/by-query/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["id"], row["namespace"], row["revision"], row["disabled"]) == ("a", "company.team", "1", "false")
    assert (row["description"], row["labels"]) == ("'=1+1", '{"team":"data"}')


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx"])
def test_a_cell_is_never_a_formula(value):
    assert csv_of(["a"], [{"a": value}], "x").body.decode() in (f"a\n'{value}\n", f'a\n"\'{value}"\n')


def test_an_archive_with_a_name_that_is_no_text_is_declined(upload):
    content = archive({"\u00e9.yml": ""}).replace("\u00e9".encode(), b"\xff\xff")
    answer = upload(content, "flows.zip")
    assert answer.status_code == 422
    assert "not a ZIP archive that can be read" in answer.text
