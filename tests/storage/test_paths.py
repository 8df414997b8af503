"""Addresses of files."""

from __future__ import annotations

import pytest

from casemate.storage import BadUri, paths

PLACE = ("company.team", "My Flow", "exec1")


def test_where_things_are():
    assert paths.execution_folder(*PLACE) == "kestra:///company/team/my-flow/executions/exec1"
    assert paths.task_file(*PLACE, "load_it", "run1", "out.csv") == (
        "kestra:///company/team/my-flow/executions/exec1/tasks/load-it/run1/out.csv"
    )
    assert paths.input_file(*PLACE, "file", "a b.txt") == (
        "kestra:///company/team/my-flow/executions/exec1/inputs/file/a b.txt"
    )
    assert paths.namespace_folder("company..team.") == "kestra:///company/team/_files"
    assert paths.namespace_file("company.team", "/scripts/a.py") == "kestra:///company/team/_files/scripts/a.py"


@pytest.mark.parametrize(
    "uri",
    [
        "kestra:///../etc/passwd",
        "kestra:///a/../../b",
        "kestra:///a/..",
        "kestra:///a//b",
        "kestra:///./a",
        "kestra:///",
        "kestra:///a\x00b",
        "kestra:///a\nb",
        "kestra:///a\\..\\b",
        "kestra:///a/" + "x" * 256,
        "kestra:///\ud800",
        "kestra://host/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "",
    ],
)
def test_what_is_no_address_is_refused(uri: str):
    with pytest.raises(BadUri):
        paths.key_of(uri)


@pytest.mark.parametrize("uri", ["kestra:///a..b/c", "kestra:///...", "kestra:///%2e%2e/x", "kestra:///a b/é#1?.txt"])
def test_odd_names_are_names(uri: str):
    assert paths.key_of(uri) == uri.removeprefix("kestra:///")


@pytest.mark.parametrize("name", ["../x", "a/../../../../../x", "/", "", "a\x00"])
def test_a_file_of_a_task_run_stays_in_its_folder(name: str):
    with pytest.raises(BadUri):
        paths.task_file(*PLACE, "t", "r", name)
