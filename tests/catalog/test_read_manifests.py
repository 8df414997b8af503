"""Manifests: read as data, refused with every fault."""

import json

import pytest

from casemate.catalog import BadManifest, Capability, Catalog, Check, Holds, Kind, Manifest, Role, read_manifests

ECHO = {"type": "com.example.Echo", "kind": "task", "title": "Say it.", "properties": {}, "body": "example.echo"}


def read(*types, **more):
    return read_manifests(json.dumps({"types": list(types), **more}))


def test_a_manifest_says_all_that_a_service_may_know():
    properties = {"properties": {"message": {"type": "string", "x-dynamic": True}}, "required": ["message"]}
    (manifest,) = read({**ECHO, "properties": properties, "capabilities": ["network"], "aliases": ["com.example.Say"]})
    assert (manifest.type, manifest.kind, manifest.role) == ("com.example.Echo", Kind.TASK, Role.RUNNABLE)
    assert manifest.capabilities == {Capability.NETWORK}
    assert manifest.schema.required == {"message"}
    assert manifest.schema.properties["message"].dynamic


def test_definitions_are_shared():
    greeting = {"properties": {"name": {"$ref": "#/definitions/name"}}, "required": ["name"]}
    polite = {
        "allOf": [{"$ref": "#/definitions/greeting"}],
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
    }
    (manifest,) = read({**ECHO, "properties": polite}, definitions={"name": {"type": "string"}, "greeting": greeting})
    assert set(manifest.schema.properties) == {"name", "title"}
    assert manifest.schema.required == {"name", "title"}


def test_our_own_words_are_understood():
    tasks = {"type": "array", "items": {"x-holds": "task"}, "minItems": 1}
    flowable = {
        **ECHO,
        "body": None,
        "role": "flowable",
        "properties": {"properties": {"tasks": tasks}, "x-checks": ["switch"]},
        "branches": ["tasks"],
    }
    (manifest,) = read(flowable)
    assert manifest.schema.properties["tasks"].items.holds is Holds.TASK
    assert manifest.schema.checks == (Check.SWITCH,)


FAULTS = {
    "unknown word": ({**ECHO, "colour": "blue"}, "types[0].colour: Unexpected keyword argument"),
    "unknown kind": ({**ECHO, "kind": "toy"}, "types[0].kind"),
    "no type": ({"kind": "task", "title": "", "properties": {}}, "types[0].type: "),
    "no type name": ({**ECHO, "type": "no type"}, "no type is not a type name"),
    "unknown schema word": (
        {**ECHO, "properties": {"properties": {"a": {"maxSize": 1}}}},
        "com.example.Echo.properties.a.maxSize: Unexpected keyword argument",
    ),
    "unknown check": ({**ECHO, "properties": {"x-checks": ["magic"]}}, "com.example.Echo.x-checks.0"),
    "dangling reference": (
        {**ECHO, "properties": {"$ref": "#/definitions/none"}},
        "#/definitions/none refers to nothing",
    ),
    "reference to no object": (
        {**ECHO, "properties": {"$ref": "#/definitions/text"}},
        "#/definitions/text stands for an object, and holds something else",
    ),
    "reference that is no text": ({**ECHO, "properties": {"$ref": [1]}}, "[1] refers to nothing"),
    "allOf that is no list": ({**ECHO, "properties": {"allOf": 3}}, "allOf is a list"),
    "allOf of no objects": ({**ECHO, "properties": {"allOf": [3]}}, "allOf stands for an object"),
    "no pattern": (
        {**ECHO, "properties": {"properties": {"a": {"pattern": "("}}}},
        "com.example.Echo.properties.a.pattern: Value error, this is no regular expression of RE2",
    ),
    "body of a flowable": ({**ECHO, "role": "flowable"}, "only a runnable task or a trigger that polls has a body"),
    "body that runs code": ({**ECHO, "capabilities": ["runs-code"]}, "a type that runs code of its own has no body"),
    "branch without tasks": ({**ECHO, "branches": ["tasks"]}, "the branch tasks is not a property that holds tasks"),
}


@pytest.mark.parametrize(("written", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_bad_manifest_is_refused_with_its_fault(written, fault):
    with pytest.raises(BadManifest) as refused:
        read(written, definitions={"text": "no object"})
    assert any(fault in each for each in refused.value.faults), refused.value.faults


def test_every_fault_of_a_file_is_told():
    with pytest.raises(BadManifest) as refused:
        read({**ECHO, "kind": "toy"}, {**ECHO, "type": "x", "colour": "blue"})
    assert len(refused.value.faults) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"types": {}}', "[" * 100_000])
def test_what_is_no_manifest_file_is_refused(text):
    with pytest.raises(BadManifest):
        read_manifests(text)


def test_a_definition_that_refers_to_itself_is_refused():
    with pytest.raises(BadManifest, match="or to itself"):
        read(
            {**ECHO, "properties": {"$ref": "#/definitions/a"}},
            definitions={"a": {"items": {"$ref": "#/definitions/a"}}},
        )


def manifest(name, *aliases):
    return Manifest(type=name, kind=Kind.TASK, title="", properties={}, aliases=aliases)


def test_a_type_is_found_by_any_of_its_names():
    catalog = Catalog([manifest("new.Name", "old.Name")])
    assert catalog.find("old.Name") is catalog.find("new.Name") is not None
    assert catalog.canonical("old.Name") == "new.Name"
    assert catalog.canonical("unknown") == "unknown"
    assert catalog.find("unknown") is None


@pytest.mark.parametrize("second", [manifest("a.B"), manifest("x.Y", "a.B"), manifest("x.Y", "old.B")])
def test_two_types_cannot_share_a_name(second):
    with pytest.raises(BadManifest, match="described more than once"):
        Catalog([manifest("a.B", "old.B"), second])


def test_references_that_double_at_each_step_are_refused_at_once():
    doubling = {
        f"d{step}": {"properties": {side: {"$ref": f"#/definitions/d{step + 1}"} for side in "ab"}}
        for step in range(40)
    }
    task = {"type": "a.B", "kind": "task", "title": "t", "properties": {"$ref": "#/definitions/d0"}}
    with pytest.raises(BadManifest, match="deep"):
        read_manifests(json.dumps({"definitions": {**doubling, "d40": {}}, "types": [task]}))


def test_definitions_that_refer_to_one_another_do_not_grow_without_end():
    wide = {
        f"d{step}": {"properties": {f"p{number}": {"$ref": f"#/definitions/d{step + 1}"} for number in range(100)}}
        for step in range(3)
    }
    with pytest.raises(BadManifest, match="holds more than"):
        read({**ECHO, "properties": {"$ref": "#/definitions/d0"}}, definitions={**wide, "d3": {"type": "string"}})


def test_definitions_that_are_no_object_are_refused():
    with pytest.raises(BadManifest, match="definitions stands for an object"):
        read({**ECHO, "properties": {"$ref": "x"}}, definitions=["x"])
