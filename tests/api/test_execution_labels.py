"""Labels of executions that have ended."""

import pytest

from .live import live

QUICK = """
id: quick
namespace: company.team
labels: {team: data}
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: x}
"""

NAP = """
id: nap
namespace: company.team
tasks:
  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H}
"""

PROD = [{"key": "env", "value": "prod"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("labels")) as running:
        for source in (QUICK, NAP):
            running.save(source)
        yield running


@pytest.fixture
def ended(call):
    return call("POST", "executions/company.team/quick?wait=true").json()["id"]


@pytest.fixture
def napping(call):
    return call("POST", "executions/company.team/nap").json()["id"]


def labels(call, execution):
    found = call("GET", f"executions/{execution}").json()["labels"]
    return {one["key"]: one["value"] for one in found if not one["key"].startswith("system.")}


def test_labels_of_the_same_key_are_replaced_and_others_stay(call, ended):
    path = f"executions/{ended}/actions/labels"
    shown = call("POST", path, json=PROD).json()
    assert PROD[0] in shown["labels"]
    assert call("POST", path, json=[{"key": "env", "value": "dev"}, {"key": "a", "value": "b"}]).status_code == 200
    assert labels(call, ended) == {"team": "data", "env": "dev", "a": "b"}


def test_a_labelled_execution_is_found_by_its_new_labels(call, ended):
    call("POST", f"executions/{ended}/actions/labels", json=[{"key": "only", "value": "this"}])
    found = call("GET", "executions/search", params={"filters[labels][EQUALS][only]": "this"}).json()
    assert [one["id"] for one in found["results"]] == [ended]


def test_an_execution_that_runs_is_not_labelled(call, ended, napping):
    refused = call("POST", f"executions/{napping}/actions/labels", json=PROD)
    assert (refused.status_code, refused.json()["message"]) == (400, "The execution is not terminated")
    asked = {"executionsId": [ended, napping], "executionLabels": PROD}
    assert call("POST", "executions/labels/by-ids", json=asked).status_code == 400
    assert labels(call, ended) == {"team": "data"}
    assert labels(call, napping) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        [{"key": None, "value": None}],
        [{"key": "", "value": "x"}],
        [{"key": "x"}],
        [{"key": "system.label", "value": "x"}],
        [{"key": "system.correlationId", "value": "mine"}],
        {"key": "a", "value": "b"},
    ],
)
def test_what_is_no_label_or_the_servers_own_is_refused(call, ended, wrong):
    assert call("POST", f"executions/{ended}/actions/labels", json=wrong).status_code == 422
    assert labels(call, ended) == {"team": "data"}


def test_a_system_label_that_is_there_already_does_no_harm(call, ended):
    own = call("GET", f"executions/{ended}").json()["labels"]
    assert call("POST", f"executions/{ended}/actions/labels", json=[*own, *PROD]).status_code == 200
    assert labels(call, ended) == {"team": "data", "env": "prod"}


def test_an_unknown_execution_is_not_found(call):
    assert call("POST", "executions/notfound/actions/labels", json=PROD).status_code == 404


def test_many_are_labelled_by_name_or_by_search(call, ended, napping):
    other = call("POST", "executions/company.team/quick?wait=true&labels=found:yes").json()["id"]
    asked = {"executionsId": [ended, other, ended], "executionLabels": PROD}
    assert call("POST", "executions/labels/by-ids", json=asked).json() == {"count": 2}
    query = f"filters[or][0][labels][EQUALS][found]=yes&filters[or][1][id][EQUALS]={napping}"
    answer = call("POST", f"executions/labels/by-query?{query}", json=[{"key": "seen", "value": "1"}])
    assert answer.json() == {"count": 1}
    assert labels(call, other) == {"team": "data", "env": "prod", "found": "yes", "seen": "1"}


def test_system_labels_are_refused_for_many(call, ended):
    own = [{"key": "system.x", "value": "1"}]
    asked = {"executionsId": [ended], "executionLabels": own}
    assert call("POST", "executions/labels/by-ids", json=asked).status_code == 422
    assert call("POST", "executions/labels/by-query?q=", json=own).status_code == 422
