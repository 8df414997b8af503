import pytest

from casemate.api.operation import PUBLIC, IncompleteTable, Operation, checked


async def nothing(_call):
    return None


def row(verb="GET", path="/a", can=("FLOW", "VIEW"), audit="flow:view"):
    return Operation(verb, path, can=can, audit=audit, run=nothing)


@pytest.mark.parametrize("can", [None, (), ("FLOW",), ("FLOW", ""), "FLOW:VIEW"])
def test_a_row_without_a_permission_cannot_be_served(can):
    with pytest.raises(IncompleteTable, match="GET /a has no permission"):
        checked([row(can=can)])


def test_a_public_row_says_so():
    assert checked([row(can=PUBLIC)])


def test_a_row_without_an_audit_tag_cannot_be_served():
    with pytest.raises(IncompleteTable, match="GET /a has no audit tag"):
        checked([row(audit="")])


def test_two_rows_for_one_request_cannot_be_served():
    with pytest.raises(IncompleteTable, match=r"GET /a/\{\w+\} stands twice"):
        checked([row(path="/a/{one}"), row(path="/a/{two}")])


def test_written_out_segments_come_before_parameters():
    rows = checked([row(path="/a/{rest:path}"), row(path="/a/{id}"), row(path="/a/search")])
    assert [found.path for found in rows] == ["/a/search", "/a/{id}", "/a/{rest:path}"]
