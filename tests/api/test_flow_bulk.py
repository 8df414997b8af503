import pytest

FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}


@pytest.fixture
def text(source):
    return lambda *parts: "---\n".join(source(**part) for part in parts)


def ids(client, namespace="n"):
    return [flow["id"] for flow in client.get(f"{FLOWS}/{namespace}").json()]


@pytest.fixture
def create(client, text):
    def creating(*parts):
        answer = client.post(f"{FLOWS}/bulk?delete=false", content=text(*parts), headers=YAML)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return creating


A, B, C = ({"flow": name, "namespace": "n"} for name in "abc")


def names(*flows):
    return [{"namespace": "n", "id": flow} for flow in flows]


def test_many_flows_are_saved_at_once(client, create):
    assert [flow["id"] for flow in create(A, B)] == ["a", "b"]
    assert [flow["revision"] for flow in create(A, {**B, "message": "new"})] == [1, 2]


def test_the_others_of_a_namespace_are_deleted_only_when_asked_for(client, create, text):
    create(A, B, {"flow": "x", "namespace": "n.child"})
    client.post(f"{FLOWS}/bulk?delete=false&namespace=n", content=text(A), headers=YAML)
    assert ids(client) == ["a", "b"]
    client.post(f"{FLOWS}/bulk?delete=true&namespace=n", content=text(A), headers=YAML)
    assert (ids(client), ids(client, "n.child")) == (["a"], ["x"])
    client.post(f"{FLOWS}/bulk?delete=true&namespace=n&allowNamespaceChild=true", content=text(A), headers=YAML)
    assert ids(client, "n.child") == []


def test_a_namespace_is_replaced_as_a_whole(client, create, text):
    create(A, B)
    answer = client.post(f"{FLOWS}/n", content=text(B, C), headers=YAML)
    assert [flow["id"] for flow in answer.json()] == ["b", "c"]
    assert ids(client) == ["b", "c"]


def test_a_flow_of_another_namespace_is_refused_or_moved(client, text):
    answer = client.post(f"{FLOWS}/other", content=text(A), headers=YAML)
    assert answer.status_code == 422
    assert client.post(f"{FLOWS}/other?override=true", content=text(A), headers=YAML).json()[0]["namespace"] == "other"
    assert ids(client, "other") == ["a"]


def test_one_bad_flow_keeps_all_from_being_saved_and_places_are_those_of_the_whole_text(client, source, text):
    broken = source(flow="b", namespace="n") + "    mesage: x\n"
    answer = client.post(f"{FLOWS}/bulk", content=f"{text(A)}---\n{broken}", headers=YAML)
    assert answer.status_code == 422
    assert ids(client) == []
    whole = f"{text(A)}---\n{broken}".splitlines()
    assert "mesage" in whole[answer.json()["problems"][0]["line"] - 1]


def test_flows_are_deleted_by_name_or_by_search(client, create):
    create(A, B, C)
    assert client.request("DELETE", f"{FLOWS}/delete/by-ids", json=names("a", "nowhere")).json() == {"count": 1}
    assert client.delete(f"{FLOWS}/delete/by-query?filters[flowId][EQUALS]=b").json() == {"count": 1}
    assert ids(client) == ["c"]


def test_flows_are_switched_off_and_on(client, create):
    create(A, B)
    assert client.post(f"{FLOWS}/disable/by-ids", json=names("a")).json() == {"count": 1}
    assert client.post(f"{FLOWS}/disable/by-ids", json=names("a")).json() == {"count": 0}
    flow = client.get(f"{FLOWS}/n/a?source=true").json()
    assert (flow["disabled"], flow["revision"]) == (True, 2)
    assert flow["source"].endswith("disabled: true")
    assert client.post(f"{FLOWS}/disable/by-query?filters[namespace][EQUALS]=n").json() == {"count": 1}
    assert client.post(f"{FLOWS}/enable/by-query?filters[namespace][EQUALS]=n").json() == {"count": 2}
    assert client.post(f"{FLOWS}/enable/by-ids", json=names("a")).json() == {"count": 0}


def test_malformed_json_is_refused_with_its_place(client):
    answer = client.post(
        f"{FLOWS}/disable/by-ids",
        content='[{"id": "a",\n "namespace": }]',
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["problems"][0] | {"message": ""} == {
        "code": "json-syntax",
        "message": "",
        "line": 2,
        "column": 15,
    }


def test_json_of_another_shape_is_refused_with_its_path(client):
    answer = client.post(f"{FLOWS}/disable/by-ids", json=[{"id": "a"}, {"namespace": "n", "id": 7}])
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["problems"]] == ["[0].namespace", "[1].id"]


def test_json_nested_without_end_is_refused(client):
    answer = client.post(f"{FLOWS}/disable/by-ids", content="[" * 200_000, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_half_a_character_is_refused(client):
    body = '[{"namespace": "n", "id": "\\ud800"}]'
    answer = client.post(f"{FLOWS}/disable/by-ids", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
