import pytest

from casemate.api.errors import Declined
from casemate.api.operations import flow_replace
from casemate.api.replacing import Changed, changes, with_changes
from casemate.api.sources import Wanted

FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}
SOURCE = "id: hello\nnamespace: n\ntasks:\n- id: say\n  message: hello hello\ntriggers:\n- id: hello\n"


def after(wanted, replacement, column=None):
    return [(one.line, one.after) for one in changes(SOURCE, wanted, replacement, column)]


def test_every_match_of_a_line_is_replaced():
    assert after(Wanted("hello"), "bye") == [(1, "id: bye"), (5, "  message: bye bye"), (7, "- id: bye")]


def test_a_section_bounds_what_is_replaced():
    assert after(Wanted("hello", scope="TASKS"), "bye") == [(5, "  message: bye bye")]
    assert after(Wanted("hello", scope="TRIGGERS"), "bye") == [(7, "- id: bye")]
    assert after(Wanted("hello", scope="INPUTS"), "bye") == []


def test_one_match_is_replaced_by_its_column():
    assert after(Wanted("hello"), "bye", 18) == [(5, "  message: hello bye")]


def test_a_replacement_is_a_text_unless_the_query_is_a_pattern():
    assert after(Wanted("id: hello"), "$1")[0] == (1, "$1")
    assert after(Wanted("id: (h)ello", regex=True), r"$1-\$0-$0")[0] == (1, "h-$0-id: hello")
    with pytest.raises(Declined, match="no group 2"):
        after(Wanted("(h)", regex=True), "$2")


def test_a_source_cannot_be_made_to_grow_for_ever():
    with pytest.raises(Declined, match="more than 1048576 characters"):
        changes("a" * 1000, Wanted("a"), "b" * 10_000)


def test_a_source_is_not_searched_for_ever():
    with pytest.raises(Declined, match="more than 10000 matches"):
        changes("a" * 1_000_000, Wanted("a"), "b")


def test_lines_keep_their_ends():
    source = "a\r\nb\r\n"
    assert with_changes(source, changes(source, Wanted("a"), "c")) == "c\r\nb\r\n"
    assert changes("a", Wanted("a"), "a") == (Changed(1, "a", "a"),)


@pytest.fixture
def save(client, source):
    def saving(flow, **more):
        assert client.post(FLOWS, content=source(flow=flow, **more), headers=YAML).status_code == 200

    return saving


def asked(**more):
    return {"query": "Hello", "replacement": "Bonjour", "caseSensitive": True, **more}


def name(flow):
    return {"namespace": "company.team", "id": flow}


def test_a_preview_changes_nothing(client, save, source):
    save("a")
    save("b", message="Bye")
    shown = client.post(f"{FLOWS}/source/replace/preview", json=asked(namespace="company")).json()
    assert (shown["totalMatches"], shown["totalFlows"], shown["editableFlowCount"]) == (1, 1, 1)
    (line,) = shown["flows"][0]["matches"]
    assert (line["before"], line["after"]) == ("    message: Hello", "    message: Bonjour")
    assert client.get(f"{FLOWS}/company.team/a?source=true").json()["source"] == source(flow="a")


def test_what_is_replaced_makes_revisions_and_the_rest_is_told(client, save):
    save("a")
    save("b", message="Bye")
    save("kept", extra="labels: {system.readOnly: 'true'}")
    names = [name(flow) for flow in ("a", "b", "kept", "gone")]
    answer = client.post(f"{FLOWS}/source/replace/apply", json=asked(flows=names)).json()
    assert [(flow["id"], flow["revision"]) for flow in answer["updated"]] == [("a", 2)]
    assert {one["id"]: one["reason"] for one in answer["skipped"]} == {
        "b": "NO_MATCH",
        "kept": "READ_ONLY",
        "gone": "NOT_FOUND",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"query": "log.Log", "replacement": "log.Nothing"}, "INVALID_FLOW"),
        ({"query": "id: a", "replacement": "id: other"}, "INVALID_FLOW"),
        ({"query": "Hello", "replacement": "Hello"}, "NO_CHANGE"),
    ],
)
def test_what_would_not_be_the_same_flow_any_more_stays_as_it_is(client, save, change, reason):
    save("a")
    answer = client.post(f"{FLOWS}/source/replace/apply", json=asked(flows=[name("a")], **change)).json()
    assert ([one["reason"] for one in answer["skipped"]], answer["updated"]) == ([reason], [])


def test_one_line_is_replaced(client, save):
    save("a")
    shown = client.post(f"{FLOWS}/source/replace/preview", json=asked()).json()
    line = shown["flows"][0]["matches"][0]["line"]
    changed = client.post(f"{FLOWS}/source/replace/line", json=asked(**name("a"), line=line))
    assert (changed.json()["revision"], "message: Bonjour" in changed.json()["source"]) == (2, True)
    assert client.post(f"{FLOWS}/source/replace/line", json=asked(**name("a"), line=1)).status_code == 422
    assert client.post(f"{FLOWS}/source/replace/line", json=asked(**name("gone"))).status_code == 404


def test_what_is_asked_about_is_bounded(client, save, monkeypatch):
    monkeypatch.setattr(flow_replace, "LARGEST", 100)
    save("a", message="Hello " * 20)
    for path, more in (("preview", {}), ("apply", {"flows": [name("a")]})):
        answer = client.post(f"{FLOWS}/source/replace/{path}", json=asked(**more))
        assert (answer.status_code, "narrow it" in answer.json()["message"]) == (422, True)
    assert client.get(f"{FLOWS}/company.team/a").json()["revision"] == 1
