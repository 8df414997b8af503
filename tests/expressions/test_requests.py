"""The evaluation mode: one decoded line asked, one answered."""

import pytest

from casemate.expressions.requests import answer


def asked(nowhere, template, **more):
    return answer({"id": "q", "template": template, **more}, nowhere)


def test_a_value_or_an_error_answers_with_the_id(nowhere):
    assert asked(nowhere, "{{ a }}!", vars={"a": 1}) == {"id": "q", "value": "1!"}
    refused = asked(nowhere, "{{ gone }}", vars={})
    assert refused == {"id": "q", "error": "Unable to find `gone` used in the expression `{{ gone }}` at line 1"}


def test_modes_keep_types(nowhere):
    assert asked(nowhere, "{{ 1 + 1 }}", mode="typed")["value"] == 2
    assert asked(nowhere, "{{ n }}", vars={"n": "7"}, mode="property:int")["value"] == 7
    assert asked(nowhere, '["{{ n }}"]', vars={"n": "7"}, mode="property:list<int>")["value"] == [7]
    assert asked(nowhere, '{"a": "{{ n }}"}', vars={"n": "7"}, mode="property:map<string,string>")["value"] == {
        "a": "7"
    }
    assert asked(nowhere, "PT90S", mode="property:duration")["value"] == {"$duration": "PT1M30S"}
    assert "error" in asked(nowhere, "seven", mode="property:int")
    assert "error" in asked(nowhere, "7", mode="property:nothing")


TAGGED = {
    "$zoned": ("2024-01-02T03:00:00+02:00", "2024-01-02T03:00+02:00"),
    "$instant": ("2024-01-02T03:00:00Z", "2024-01-02T03:00:00Z"),
    "$localdatetime": ("2024-01-02T03:00:00", "2024-01-02T03:00"),
    "$date_epoch_ms": (0, "1970-01-01T00:00:00Z"),
    "$duration": ("PT90S", "PT1M30S"),
}


@pytest.mark.parametrize("tag", TAGGED)
def test_dates_come_as_tagged_maps(nowhere, tag):
    given, expected = TAGGED[tag]
    assert asked(nowhere, "{{ d }}", vars={"d": {tag: given}})["value"] == expected


def test_the_zone_of_the_server_may_be_given(nowhere):
    assert asked(nowhere, "{{ 0 | date('iso_sec') }}", tz="Asia/Tokyo")["value"] == "1970-01-01T09:00:00+09:00"
    assert "error" in asked(nowhere, "{{ 1 }}", tz="Nowhere/Else")


def test_files_come_with_the_request(nowhere):
    uri = "kestra:///a/f/executions/e/x.txt"
    variables = {"flow": {"id": "f", "namespace": "a"}, "execution": {"id": "e"}, "uri": uri}
    setup = {"storage": {uri: "stored"}, "namespace_files": {"a": {"n.txt": "named"}}}
    template = "{{ read(uri) }} {{ fileSize(uri) }} {{ read('n.txt') }} {{ kv('k') }}"
    assert asked(nowhere, template, vars=variables, setup=setup)["value"] == "stored 6 named "
    assert "File not found" in asked(nowhere, "{{ read('other') }}", vars=variables, setup=setup)["error"]


@pytest.mark.parametrize("request_", [{"vars": 5}, {"vars": {"d": {"$instant": "soon"}}}, {"tz": 5}, {"setup": 5}])
def test_a_request_that_makes_no_sense_is_answered_too(nowhere, request_):
    assert "The request can not be read" in answer({"id": 1, "template": "x", **request_}, nowhere)["error"]
