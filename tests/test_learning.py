"""From what tasks touched to the narrowest configuration that lets just that pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.learning import MARK, Lesson, document, lessons, narrowest, wide_paths, widened, words
from casemate.settings import for_task, load
from casemate.settings.path_checks import path_problems


def report(task_type: str = "a.B", namespace: str = "team", **known: object) -> dict:
    touched = {"paths": [], "folders": [], "written": [], "threads": False, "processes": False, "complete": True}
    return {
        "learned": {"type": task_type, "namespace": namespace},
        "touched": touched | {name: value for name, value in known.items() if name in touched},
        "reached": known.get("reached", []),
        "denied": known.get("denied", []),
    }


@pytest.mark.parametrize(
    ("used", "listed", "expected"),
    [
        (["/srv/a", "/srv/b"], [], ("/srv/a", "/srv/b")),
        (["/srv", "/srv/a"], [], ("/srv/a",)),
        (["/srv"], [], ("/srv",)),
        (["/srv/a/x", "/srv/a"], ["/srv/a"], ("/srv/a",)),
        (["/srv/ab/x"], ["/srv/a"], ("/srv/a", "/srv/ab/x")),
        ([], ["/srv", "/srv/a"], ("/srv",)),
        (["/etc/x"], ["/etc", "/"], ("/etc/x",)),
        ([f"/srv/many/{n}" for n in range(30)], [], ("/srv/many",)),
        ([f"/etc/{n}" for n in range(30)], [], tuple(sorted(f"/etc/{n}" for n in range(30)))),
        ([], [], ()),
    ],
)
def test_paths_are_as_few_and_as_narrow_as_they_can_be(used, listed, expected):
    assert narrowest(used, listed) == expected


def test_hosts_are_named_where_a_name_may_open_them():
    reached = [
        {"address": "93.184.216.34", "port": 443, "host": "example.org", "rule": "default: public address"},
        {"address": "10.0.0.5", "port": 5432, "host": "db.internal", "rule": "allow 10.0.0.0/8"},
        {"address": "fc00::5", "port": 80, "rule": "allow fc00::/7"},
        {"address": "8.8.8.8", "port": 53, "rule": "resolver of the worker"},
    ]
    (lesson,) = lessons([report(reached=reached)])
    assert lesson.hosts == ("10.0.0.5:5432", "[fc00::5]:80", "example.org:443")


def test_task_runs_of_a_type_in_a_namespace_teach_together():
    learned = lessons([report(threads=True), report(processes=True), report("a.C"), {"level": "full"}])
    assert [(each.type, each.threads, each.processes) for each in learned] == [
        ("a.B", True, True),
        ("a.C", False, False),
    ]


LEARNED = (
    Lesson(type="a.B", namespace="team", paths=("/srv/a b", "/srv/'c'"), hosts=("[fc00::5]:80", "example.org:443")),
    Lesson(type="a.C", namespace="team", threads=True, processes=True),
    Lesson(type="a.D", namespace="team"),
)


def test_what_is_written_is_a_configuration_that_opens_just_that():
    loaded = load([("policy.yml", document(LEARNED, "from a test"))], {})
    assert loaded.warnings == ()
    walls = loaded.settings.isolation
    first = for_task(walls, ("a.B",), "team")
    assert first.visible_paths == ("/srv/a b", "/srv/'c'")
    assert (first.egress.open, first.egress.public, first.egress.allow) == (True, False, LEARNED[0].hosts)
    assert (first.threads, first.processes) == (False, False)
    second = for_task(walls, ("a.C",), "team")
    assert (second.threads, second.processes, second.egress.open, second.visible_paths) == (True, True, False, ())
    for elsewhere in (for_task(walls, ("a.D",), "team"), for_task(walls, ("a.C",), "other")):
        assert (elsewhere.threads, elsewhere.processes, elsewhere.egress.open) == (False, False, False)


def test_nothing_learned_is_a_configuration_that_opens_nothing():
    text = document((), "from a test")
    assert text.startswith(MARK)
    assert load([("policy.yml", text)], {}).settings.isolation.profiles == ()


def test_what_was_learned_is_said_in_plain_words():
    said = "\n".join(words((*LEARNED, Lesson(type="a.E", namespace="n", written=("/srv/w",), refused=("x:80",)))))
    assert "a.B in team\n  reads /srv/a b, /srv/'c'\n  connects to [fc00::5]:80, example.org:443" in said
    assert "starts threads and processes" in said
    assert "wanted to write /srv/w: name them in writable-paths" in said
    assert "was refused x:80, and will be" in said


def test_the_wide_policy_keeps_what_is_forbidden_and_opens_no_link_local_address():
    text = "kestra: {ee: {java-security: {enabled: true, forbidden-paths: [/srv/keys]}}}"
    settings = widened(load([("kestra.yml", text)], {}).settings)
    assert settings.java_security.forbidden_paths == ("/srv/keys",)
    assert settings.isolation.learning
    assert not any(
        entry.startswith(("169.254", "fe80", "0.", "::", "127.")) for entry in settings.isolation.egress.allow
    )


def test_the_wide_policy_shows_no_place_that_a_sandbox_has_for_itself():
    shown = set(wide_paths())
    assert shown.isdisjoint({"/", "/etc", "/var", "/tmp", "/work", "/dev", "/proc", "/sys", "/run", "/etc/passwd"})
    assert set(map(str, Path("/").glob("srv"))) <= shown
    assert list(path_problems(widened(load([], {}).settings))) == []
