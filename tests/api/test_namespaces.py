import pytest

MAIN = "/api/v1/main"
YAML = {"content-type": "application/x-yaml"}


@pytest.fixture(autouse=True)
def flows(client, source):
    for namespace in ("company.team", "company.team.inner", "other"):
        client.post(f"{MAIN}/flows", content=source(namespace=namespace), headers=YAML)


def ids(client, query):
    answer = client.get(f"{MAIN}/namespaces/search{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["results"]]


def test_a_namespace_is_there_when_a_flow_lies_in_it_or_below(client):
    assert client.get(f"{MAIN}/namespaces/company").json() == {"id": "company", "deleted": False}
    assert client.get(f"{MAIN}/namespaces/company.te").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["company", "company.team", "company.team.inner", "other"]),
        ("?existing=true", ["company.team", "company.team.inner", "other"]),
        ("?q=TEAM", ["company.team", "company.team.inner"]),
        ("?filters[namespace][PREFIX]=company.team", ["company.team", "company.team.inner"]),
        ("?filters[id][EQUALS]=other", ["other"]),
        ("?sort=id:desc&size=2&page=1", ["other", "company.team.inner"]),
        ("?size=3&page=2", ["other"]),
    ],
)
def test_namespaces_are_searched(client, query, found):
    assert ids(client, query) == found


@pytest.mark.parametrize("query", ["?filters[state][EQUALS]=x", "?filters[id][REGEX]=x", "?sort=name:asc"])
def test_a_search_that_makes_no_sense_is_refused(client, query):
    assert client.get(f"{MAIN}/namespaces/search{query}").status_code == 422


def test_what_has_been_typed_is_completed(client):
    complete = f"{MAIN}/namespaces/autocomplete"
    assert client.post(complete, json={"q": "inn"}).json() == ["company.team.inner"]
    assert client.post(complete, json={"ids": ["other"]}).json() == ["other"]
    assert client.post(complete, json={"existingOnly": True}).json() == ["company.team", "company.team.inner", "other"]
