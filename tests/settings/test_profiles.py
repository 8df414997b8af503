"""Profiles: whom they mean, what they change, and what cannot be said in them."""

import pytest

from casemate.errors import Refused
from casemate.settings import KNOWN, Isolation, for_task, load, said_by, unknown_types
from casemate.settings.profiles import TABLE

SHELL = "io.kestra.plugin.scripts.shell.Commands"


def isolation(text: str, **environ: str) -> Isolation:
    return load([("kestra.yml", f"casemate: {{isolation: {text}}}" if text else "")], environ).settings.isolation


def refusals(text: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        isolation(text)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def egress_is_open(walls: Isolation, *names: str, namespace: str = "a", tenant: str = "main") -> bool:
    return for_task(walls, names or (SHELL,), namespace, tenant).egress.open


def test_every_key_that_is_a_tasks_own_can_be_said_in_a_profile():
    section = "casemate.isolation."
    global_ones = {key.name.removeprefix(section) for key in KNOWN.keys if key.name.startswith(section)}
    said = {key.name for key in TABLE.keys} - {"types", "namespaces", "tenants"}
    assert said == global_ones - {"profiles", "egress.proxy", "scripts.force-runner"}


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("types: [io.kestra.plugin.scripts]", True),
        ("types: [io.kestra.plugin.scripts.]", True),
        ("types: [io.kestra.plugin.script]", False),
        ("types: [io.kestra.core.tasks.scripts.Bash]", True),
        ("namespaces: [company.team]", True),
        ("namespaces: company", True),
        ("namespaces: [company.te]", False),
        ("tenants: [main]", True),
        ("tenants: [mai]", False),
        ("types: [io.kestra], namespaces: [other]", False),
        ("types: [other, io.kestra], namespaces: [other, company], tenants: [main]", True),
    ],
)
def test_a_profile_means_the_tasks_that_all_its_selectors_name(selector, meant):
    walls = isolation(f"{{profiles: [{{{selector}, egress: {{open: false}}}}]}}")
    names = (SHELL, "io.kestra.core.tasks.scripts.Bash")
    assert egress_is_open(walls, *names, namespace="company.team") is not meant


LAYERS = """
visible-paths: [/srv/all]
limits: {memory: 1GB, open-files: 100}
profiles:
  - {types: [io.kestra.plugin.scripts], limits: {memory: 2GB}, visiblePaths: [/srv/scripts, "~/tools/"]}
  - {namespaces: [team], limits: {memory: 3GB}, threads: false}
  - {tenants: [main], threads: true, processes: false, egress: {deny: 8.8.8.8/32}}
"""


def layers() -> Isolation:
    lines = "\n".join(f"    {line}" for line in LAYERS.splitlines())
    return load([("kestra.yml", f"casemate:\n  isolation:\n{lines}")], {"HOME": "/home/me"}).settings.isolation


def test_later_words_win_and_lists_are_replaced():
    found = for_task(layers(), (SHELL,), "team.a", "main")
    assert (found.limits.memory, found.limits.open_files) == (3 << 30, 100)
    assert found.visible_paths == ("/srv/scripts", "/home/me/tools")
    assert (found.threads, found.processes, found.egress.deny) == (True, False, ("8.8.8.8/32",))


def test_whoever_is_not_meant_gets_what_the_section_says():
    found = for_task(layers(), ("io.kestra.plugin.core.log.Log",), "other", "second")
    assert (found.limits.memory, found.visible_paths, found.threads) == (1 << 30, ("/srv/all",), True)


def test_each_value_knows_who_said_it():
    found = for_task(layers(), (SHELL,), "team", "other")
    assert said_by(found, "threads") == "casemate.isolation.profiles[1].threads"
    assert said_by(found, "visible-paths") == "casemate.isolation.profiles[0].visible-paths"
    assert said_by(found, "limits.open-files") == "casemate.isolation.limits.open-files"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{types: [a], egres: {open: false}}", "profiles[0].egres: is not a key that a profile has"),
        ("{types: [a], egress: {opn: false}}", "profiles[0].egress.opn: is not a key that a profile has"),
        ("{types: [a], profiles: []}", "profiles[0].profiles: is not a key that a profile has"),
        ("{types: [a], limits: {memory: 3}}", "profiles[0].limits.memory: must be a size"),
        ("{types: [a], egress: 3}", "profiles[0].egress: is a section"),
        ("{types: [], threads: false}", "profiles[0].types: must be a list of at least one text"),
        ("{threads: false}", "profiles[0]: has none of types, namespaces, tenants"),
        ("{types: [a]}", "profiles[0]: says nothing about the tasks it is for"),
        ("{types: [a, a], threads: false}", "profiles[0].types: names a more than once"),
        ("{types: [a], threads: false}, {types: [a], processes: false}", "profiles[1]: is for the same tasks as"),
        ("3", "profiles[0]: must be a map of keys"),
        ("{types: [a], egress: {allow: [10.0.0.1/8]}}", "profiles[0].egress.allow: cannot be used"),
        ("{types: [a], visible-paths: [srv]}", "profiles[0].visible-paths: must hold absolute paths"),
    ],
)
def test_what_a_profile_cannot_say_is_refused_at_its_place(entry, expected):
    (told,) = refusals(f"{{profiles: [{entry}]}}")
    assert told.startswith(f"casemate.isolation.{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("visible-paths: [/srv/a, /srv/a/]", "visible-paths: names /srv/a more than once"),
        ("visible-paths: [/tmp/x]", "visible-paths: /tmp/x cannot be shown: /tmp is private"),
        ("writable-paths: [/work]", "writable-paths: /work cannot be shown: /work is private"),
        ("visible-paths: [/]", "visible-paths: / cannot be shown as a whole"),
        ("writable-paths: [/srv], visible-paths: [/srv/a]", "visible-paths: /srv/a is to be shown read-only, but /srv"),
        ("writable-paths: [/srv], visible-paths: [/srv]", "visible-paths: /srv is to be shown read-only, but /srv"),
        (
            "writable-paths: [/srv], profiles: [{types: [a], visible-paths: [/srv/a]}]",
            "profiles[0].visible-paths: /srv/a is to be shown read-only, but /srv",
        ),
        (
            "profiles: [{types: [a.b], visible-paths: [/srv/a]}, {types: [a], writable-paths: [/srv]}]",
            "profiles[0].visible-paths: /srv/a is to be shown read-only, but /srv",
        ),
    ],
)
def test_paths_that_cannot_be_shown_together_are_refused(text, expected):
    assert any(told.startswith(f"casemate.isolation.{expected}") for told in refusals(f"{{{text}}}"))


def test_profiles_for_different_tasks_may_say_different_things():
    entries = "{types: [a.b], visible-paths: [/srv/a]}, {types: [a.c], writable-paths: [/srv]}"
    assert len(isolation(f"{{profiles: [{entries}]}}").profiles) == 2
    assert isolation("{visible-paths: [/srv], writable-paths: [/srv/a]}").writable_paths == ("/srv/a",)


FORBIDDEN = (
    "kestra: {{ee: {{java-security: {{enabled: true, forbidden-paths: [/srv/keys]}}}}}}\ncasemate: {{isolation: {}}}"
)


@pytest.mark.parametrize(
    "text",
    [
        "{visible-paths: [/srv/keys/a]}",
        "{writable-paths: [/srv/keys]}",
        "{writable-paths: [/srv]}",
        "{profiles: [{namespaces: [a], visible-paths: [/srv/keys]}]}",
        "{profiles: [{namespaces: [a], writable-paths: [/srv]}]}",
    ],
)
def test_nothing_forbidden_is_shown_to_anybody(text):
    with pytest.raises(Refused, match="/srv/keys"):
        load([("kestra.yml", FORBIDDEN.format(text))], {})


def test_profiles_can_stand_in_a_variable():
    walls = isolation("", CASEMATE_ISOLATION_PROFILES="[{types: [io.kestra], egress: {open: false}}]")
    assert not egress_is_open(walls)


def test_a_prefix_that_no_type_has_is_worth_a_word():
    walls = isolation("{profiles: [{types: [io.kestra.plugin.scripts, io.kestra.plugin.gcp], threads: false}]}")
    (warning,) = unknown_types(walls, [SHELL])
    assert warning.located("kestra.yml").endswith(
        "casemate.isolation.profiles[0].types: no task type here is named io.kestra.plugin.gcp"
    )


def test_placeholders_in_profiles_are_filled():
    text = "{profiles: [{namespaces: ['${TEAM}'], egress: {open: false}}]}"
    assert not egress_is_open(isolation(text, TEAM="b"), namespace="b.c")
