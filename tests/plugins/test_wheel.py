"""A plugin from its wheel, and what is refused of one."""

from __future__ import annotations

import sys

import pytest

from casemate.plugins import PluginRefused
from casemate.plugins.wheel import checked, read_wheel
from tests.plugins.wheels import TYPE, digest, greeting, metadata, plugin, task, zipped


def test_a_wheel_says_who_it_is_and_what_it_brings():
    found = read_wheel(greeting("2.0.0"), "/srv/x.whl")
    assert found.origin.coordinates == "com.example:casemate-greeting:2.0.0"
    assert (found.title, found.origin.file, found.origin.sha256) == (
        "Greetings",
        "/srv/x.whl",
        digest(greeting("2.0.0")),
    )
    assert [(each.type, each.body, each.origin) for each in found.manifests] == [
        (TYPE, "casemate_greeting.greet", found.origin)
    ]
    assert "is called `who`" in found.release_notes


def test_no_code_of_a_plugin_is_imported_where_it_is_read():
    bad = {"own/body.py": "raise SystemExit('imported')", "own/__init__.py": "raise SystemExit('imported')"}
    read_wheel(plugin(bad, types=[task("com.example.Own", "own.body")]))
    assert not [name for name in sys.modules if name.partition(".")[0] in ("own", "casemate_greeting")]


@pytest.mark.parametrize("sha256", ["", "abc", "0" * 64, digest(b"other"), f"sha256:{digest(b'content')}"])
def test_only_the_content_that_was_promised_is_taken(sha256: str):
    with pytest.raises(PluginRefused, match="sha256"):
        checked(b"content", sha256)


def test_the_right_digest_is_taken_in_either_case():
    assert checked(b"content", digest(b"content").upper()) == b"content"


HOLDING = {"properties": {"each": {"type": "array", "items": {"x-holds": "task"}}}}
OWN = {"own/body.py": "def run(job, tell): pass\n"}


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"group": None}, "needs a group"),
        ({"group": "Com/../x"}, "needs a group"),
        ({"further": 1}, "'further', which means nothing"),
        ({"types": {}}, "a list of 'types'"),
        ({"types": [task("com.example.Own", "own.elsewhere")]}, "is no module of the wheel"),
        ({"types": [task("com.example.Own", "casemate.inside.core_log")]}, "is no module of the wheel"),
        ({"types": [task("com.example.Own", "os")]}, "is no module of the wheel"),
        ({"types": [task("com.example.Own", "own/../x")]}, "is no module of the wheel"),
        ({"types": [task("com.example.Own", "own.body", kind="trigger")]}, "tasks only"),
        ({"types": [task("com.example.Own", "own.body", internal=True)]}, "tasks only"),
        ({"types": [task("com.example.Own", None, kind="condition")]}, "tasks only"),
        ({"types": [task("com.example.Own", None, kind="task-runner")]}, "tasks only"),
        ({"types": [task("com.example.Own", "own.body", asks=["storage.purge"])]}, "must not ask for storage.purge"),
        ({"types": [task("com.example.Own", "own.body", properties={"x-checks": ["dag"]})]}, "x-checks is for types"),
        ({"types": [task("com.example.Own", "own.body", properties=HOLDING)]}, "x-holds is for types"),
        ({"types": [task("com.example.Own", None)]}, "needs a body"),
        ({"types": [task("com.example.Own", None, capabilities=["runs-code"])]}, "needs a body"),
        ({"types": [task("com.example.Own", "own.body", capabilities=["flies"])]}, "capabilities"),
        ({"types": [task("com.example.Own", "own.body", origin={})]}, "origin"),
        ({"types": [task("not a name", "own.body")]}, "is not a type name"),
    ],
)
def test_a_manifest_that_says_too_much_or_too_little_is_refused(about: dict[str, object], reason: str):
    with pytest.raises(PluginRefused, match=reason):
        read_wheel(plugin(OWN, **about))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "has 0"),
        ({"own/casemate-plugin.json": "{}", "other/casemate-plugin.json": "{}"}, "has 2"),
        ({"own/casemate-plugin.json": "["}, "no .dist-info/METADATA"),
        ({"own/casemate-plugin.json": "[", "own.dist-info/METADATA": metadata("1.0.0")}, "is no JSON"),
        ({"own/casemate-plugin.json": "[" * 200_000, "own.dist-info/METADATA": metadata("1.0.0")}, "is no JSON"),
        ({"own/casemate-plugin.json": b"\xff", "own.dist-info/METADATA": metadata("1.0.0")}, "cannot be read"),
        ({"own/casemate-plugin.json": "{}", "own.dist-info/METADATA": metadata("1.0.0", "")}, "no usable Name"),
    ],
)
def test_what_is_no_plugin_is_refused(files: dict[str, str], reason: str):
    with pytest.raises(PluginRefused, match=reason):
        read_wheel(zipped(files))


@pytest.mark.parametrize("version", ["1", "1.0", "1.0.0.post1", "v1.0.0", "1.0.0+local", "01.0.0", ""])
def test_a_version_must_be_a_whole_one(version: str):
    with pytest.raises(PluginRefused, match=r"MAJOR\.MINOR\.PATCH"):
        read_wheel(greeting(version, source="1.0.0"))


def test_what_a_plugin_needs_must_be_in_its_wheel():
    needing = metadata("1.0.0", "own", "Requires-Dist: requests>=2")
    with pytest.raises(PluginRefused, match="needs requests>=2"):
        read_wheel(plugin({"own-1.0.0.dist-info/METADATA": needing}))


def test_a_wheel_has_one_name():
    with pytest.raises(PluginRefused, match=r"it has 2 \.dist-info/METADATA"):
        read_wheel(plugin({"other-1.0.0.dist-info/METADATA": metadata("9.9.9", "other")}))


def test_machine_code_is_refused():
    with pytest.raises(PluginRefused, match="machine code"):
        read_wheel(plugin({"own/fast.so": b"\x7fELF"}))
