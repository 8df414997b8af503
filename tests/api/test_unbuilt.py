import re

import pytest

from casemate.api import TABLE
from casemate.api.unbuilt import rows, unbuilt

MAIN = "/api/v1/main"


def shape(path):
    return re.sub(r"{[^}]+}", "{}", path)


def test_what_is_built_is_not_called_unbuilt():
    built = {(row.verb, shape(row.path)) for row in TABLE}
    assert not built & {(row.verb, shape(row.path)) for row in rows()}


def test_each_is_found_by_its_own_path():
    for row in rows():
        path = re.sub(r"{[^}]+}", "x", row.path)
        assert unbuilt(row.verb, path) is not None, row


@pytest.mark.parametrize(
    ("verb", "path", "name"),
    [
        ("POST", f"{MAIN}/executions/e1/actions/resume-from-breakpoint", "resume_execution_from_breakpoint"),
        ("GET", f"{MAIN}/flows/n/f/promotions", "list_promotions"),
        ("POST", f"{MAIN}/flows/promote/by-ids", "promote_by_ids"),
        ("GET", "/api/v1/license-info", "license_info"),
    ],
)
def test_an_operation_that_does_not_exist_yet_is_named(client, verb, path, name):
    answer = client.request(verb, path)
    assert answer.status_code == 501
    assert answer.json()["message"] == f"Not Implemented: the operation {name} does not exist here yet"


def test_an_unknown_tenant_has_nothing_that_could_be_built(client):
    answer = client.get("/api/v1/elsewhere/secrets")
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found: no such tenant")


def test_an_unknown_path_is_not_found(client):
    answer = client.get(f"{MAIN}/nothing/at/all")
    assert answer.status_code == 404
    assert answer.json()["_links"]["self"]["href"] == f"{MAIN}/nothing/at/all"


def test_an_unknown_verb_is_told_which_ones_exist(client):
    answer = client.request("PATCH", f"{MAIN}/flows")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
