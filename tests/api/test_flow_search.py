import pytest

FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}


@pytest.fixture
def flows(client, source):
    for parts in (
        {"flow": "b", "namespace": "company", "extra": "labels:\n  team: data\n  env: prod"},
        {"flow": "a", "namespace": "company.team", "extra": "description: about Marmots\nlabels:\n  team: data"},
        {"flow": "c", "namespace": "companion", "message": "Marmot World"},
    ):
        assert client.post(FLOWS, content=source(**parts), headers=YAML).status_code == 200


def found(client, query):
    answer = client.get(f"{FLOWS}/search?{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [flow["id"] for flow in body["results"]], body["total"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["c", "b", "a"]),
        ("filters[namespace][EQUALS]=company", ["b"]),
        ("filters[namespace][PREFIX]=company", ["b", "a"]),
        ("filters[namespace][STARTS_WITH]=compan", ["c", "b", "a"]),
        ("filters[namespace][IN]=company,companion", ["c", "b"]),
        ("filters[flowId][EQUALS]=a", ["a"]),
        ("filters[flowId][NOT_IN]=a,b", ["c"]),
        ("filters[labels][EQUALS][team]=data", ["b", "a"]),
        ("filters[labels][EQUALS][team]=data&filters[labels][EQUALS][env]=prod", ["b"]),
        ("filters[q][EQUALS]=MARMOT", ["a"]),
        ("q=marmot", ["a"]),
        ("filters[labels][EQUALS][team]=other", []),
    ],
)
def test_flows_are_found_by_filters(client, flows, query, ids):
    assert found(client, query) == (ids, len(ids))


def test_results_come_in_pages_and_in_an_order(client, flows):
    assert found(client, "sort=id:asc&size=2") == (["a", "b"], 3)
    assert found(client, "sort=id:asc&size=2&page=2") == (["c"], 3)
    assert found(client, "sort=id:desc&size=2&page=9") == ([], 3)


@pytest.mark.parametrize(
    "query",
    [
        "size=1001",
        "size=0",
        "page=0",
        "page=99999999999999999999",
        "filters[revision][EQUALS]=99999999999999999999",
        "filters[revision][EQUALS]=one",
        "size=x",
        "sort=nothing:asc",
        "filters[nothing][EQUALS]=x",
        "filters[namespace][NOTHING]=x",
        "filters[namespace]=x",
        "filters[or][0][and][0][or][0][namespace][EQUALS]=x",
        "filters[updated][GREATER_THAN]=yesterday",
        "filters[timeRange][EQUALS]=soon",
    ],
)
def test_a_search_that_makes_no_sense_is_refused(client, query):
    answer = client.get(f"{FLOWS}/search?{query}")
    assert answer.status_code == 422, answer.text


def test_dates_can_be_compared(client, flows):
    assert found(client, "filters[updated][GREATER_THAN]=2020-01-01T00:00:00Z")[1] == 3
    assert found(client, "filters[updated][LESS_THAN]=2020-01-01T00:00:00%2B02:00")[1] == 0


def test_the_flows_of_a_namespace_and_the_namespaces(client, flows):
    assert [flow["id"] for flow in client.get(f"{FLOWS}/company").json()] == ["b"]
    assert client.get(f"{FLOWS}/empty").json() == []
    assert client.get(f"{FLOWS}/distinct-namespaces").json() == ["companion", "company", "company.team"]
    assert client.get(f"{FLOWS}/distinct-namespaces?q=company.").json() == ["company.team"]


def test_sources_are_searched_line_by_line(client, flows):
    answer = client.get(f"{FLOWS}/source?q=marmot&sort=id:asc").json()
    assert answer["total"] == 2
    assert [(hit["id"], hit["matches"][0]["line"]) for hit in answer["results"]] == [("a", 3), ("c", 7)]
    assert client.get(f"{FLOWS}/source?q=marmot&namespace=company").json()["total"] == 1
    assert client.get(f"{FLOWS}/source?q=marmot&size=1&page=2&sort=id:asc").json()["results"][0]["id"] == "c"
    assert client.get(f"{FLOWS}/source?q=M.rmot%20W&regex=true").json()["total"] == 1


def test_flows_of_the_installation_are_told_from_those_of_its_users(client, source):
    for namespace in ("system", "system.night", "systems"):
        text = source("clean", namespace=namespace)
        assert client.post(FLOWS, content=text, headers=YAML).status_code == 200

    def scope(query):
        answer = client.get(f"{FLOWS}/search?filters[scope]{query}")
        return sorted(one["namespace"] for one in answer.json()["results"])

    assert scope("[EQUALS]=SYSTEM") == ["system", "system.night"]
    assert scope("[EQUALS]=USER") == ["systems"]
    assert scope("[NOT_EQUALS]=SYSTEM") == ["systems"]
    assert client.get(f"{FLOWS}/search?filters[scope][CONTAINS]=S").status_code == 422
