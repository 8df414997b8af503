"""The command line of a script task."""

import subprocess

import pytest

from casemate.sandbox import Places
from casemate.worker import packages, runners, scripts
from casemate.worker.errors import TaskFailed
from casemate.worker.languages import LANGUAGES, recognise

PYTHON, SHELL = LANGUAGES["python"], LANGUAGES["shell"]


def test_the_lines_are_one_argument_of_the_interpreter():
    argv = scripts.argv(("/bin/sh", "-c"), ["mkdir out", "echo done"], fail_fast=True)
    assert argv == ("/bin/sh", "-c", "set -e\nmkdir out\necho done")


def test_without_fail_fast_a_failing_line_is_not_the_last():
    assert scripts.argv(("bash", "-c"), ["false", "true"], fail_fast=False) == ("bash", "-c", "false\ntrue")


@pytest.mark.parametrize(
    ("canonical", "found"),
    [
        ("io.kestra.plugin.scripts.shell.Commands", (SHELL, "Commands")),
        ("io.kestra.plugin.scripts.python.Script", (PYTHON, "Script")),
        ("io.kestra.plugin.scripts.ruby.Script", None),
        ("io.kestra.plugin.scripts.python.ScriptTrigger", None),
        ("io.kestra.plugin.core.log.Log", None),
    ],
)
def test_script_types_are_recognised_by_name(canonical, found):
    assert recognise(canonical) == found


def test_an_inline_python_script_knows_the_words_of_json():
    source = PYTHON.source("print([true, false, null])")
    done = subprocess.run(["python3", "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "[True, False, None]\n"


def test_a_future_import_stays_first():
    source = PYTHON.source("from __future__ import annotations\nprint('ok')")
    assert subprocess.run(["python3", "-c", source], capture_output=True, text=True, check=True).stdout == "ok\n"


def test_python_is_known_where_only_python3_is_installed():
    line = scripts.understudy(PYTHON, {"python3": "/usr/bin/python3"})
    argv = scripts.argv(scripts.INTERPRETER, [*line, "python -c 'print(1 + 1)'"], fail_fast=True)
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout == "2\n"


@pytest.mark.parametrize("shell", [("/bin/sh", "-c"), ("bash", "-c"), ("bash", "-ec")])
def test_lines_out_of_sight_do_what_they_do_as_an_argument(shell):
    lines = ["trap 'echo over' EXIT", 'echo "$0 $#"', "cat <<END", "read this: $PWD", "END", "env", "false", "echo no"]
    seen = scripts.argv(shell, lines, fail_fast=True)
    unseen, env = scripts.unseen(seen, {"PATH": "/usr/bin:/bin"})
    assert not any("read this" in word for word in unseen)
    plainly, secretly = (
        subprocess.run(argv, capture_output=True, text=True, check=False, env=variables, cwd="/")
        for argv, variables in ((seen, {"PATH": "/usr/bin:/bin"}), (unseen, env))
    )
    assert "read this: /" in secretly.stdout
    assert "CASEMATE" not in secretly.stdout
    assert (secretly.stdout, secretly.returncode) == (plainly.stdout, plainly.returncode)
    assert secretly.returncode == 1


def test_lines_out_of_sight_keep_their_numbers_and_what_runs_before_a_mistake():
    argv, env = scripts.unseen(("bash", "-c", "echo $LINENO\necho $LINENO\nif then"), {})
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert done.stdout == "1\n2\n"
    assert "line 3" in done.stderr


def test_a_variable_of_the_task_is_not_taken_for_its_lines():
    argv, env = scripts.unseen(("/bin/sh", "-c", "echo $CASEMATE_SCRIPT"), {"CASEMATE_SCRIPT": "own"})
    assert subprocess.run(argv, capture_output=True, text=True, check=True, env=env).stdout == "own\n"


@pytest.mark.parametrize(
    ("argv", "speaks"),
    [
        (("/bin/sh", "-c", "ls"), True),
        (("/usr/bin/bash", "-x", "-ec", "ls"), True),
        (("bash", "run.sh", "-c"), False),
        (("bash", "-c"), False),
        (("python3", "-c", "pass"), False),
    ],
)
def test_a_shell_with_lines_is_known_by_its_words(argv, speaks):
    assert scripts.speaks_shell(argv) is speaks


@pytest.mark.parametrize("found", [{}, {"python3": "/x", "python": "/y"}, {"python": "/y"}])
def test_python_is_not_replaced_where_it_is_installed_or_nothing_could_replace_it(found):
    assert scripts.understudy(PYTHON, found) == ()
    assert scripts.understudy(SHELL, {"python3": "/x"}) == ()


def test_the_environment_is_built_from_nothing():
    env = scripts.environment(PYTHON, {"TOKEN": "x", "PATH": "/mine"}, Places(), search="/bin")
    assert env["TOKEN"] == "x"
    assert env["PATH"] == "/mine"
    assert env["WORKING_DIR"] == "/work"
    assert env["PYTHONUNBUFFERED"] == "true"
    assert "OUTPUT_DIR" not in env
    fixed = {"PATH", "HOME", "LANG", "WORKING_DIR", "PWD"}
    assert set(scripts.environment(SHELL, {}, Places(), search="/bin")) == fixed


def test_a_task_cannot_claim_another_working_directory():
    assert scripts.environment(SHELL, {"WORKING_DIR": "/etc"}, Places(), search="/bin")["WORKING_DIR"] == "/work"


def canonical(name: str) -> str:
    return {"old.ProcessTaskRunner": runners.PROCESS, "old.DockerTaskRunner": runners.DOCKER}.get(name, name)


PROCESS, DOCKER = {"type": runners.PROCESS}, {"type": runners.DOCKER}


def told(properties):
    return runners.docker_properties(properties, canonical)


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"taskRunner": PROCESS},
        {"taskRunner": {"type": "old.ProcessTaskRunner"}},
        {"runner": "PROCESS"},
        {"containerImage": "python:3.13-slim"},
    ],
)
def test_the_process_runner_is_known_in_every_spelling(properties):
    assert told(properties) is None


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"taskRunner": DOCKER}, DOCKER),
        ({"taskRunner": {"type": "old.DockerTaskRunner", "user": "7"}}, {"type": "old.DockerTaskRunner", "user": "7"}),
        ({"runner": "DOCKER"}, {}),
        ({"runner": "docker", "docker": {"image": "alpine"}}, {"image": "alpine"}),
    ],
)
def test_docker_is_known_in_every_spelling(properties, found):
    assert told(properties) == found


def test_the_older_properties_go_before_the_newer_one():
    assert told({"runner": "DOCKER", "taskRunner": PROCESS}) == {}
    assert told({"runner": "PROCESS", "taskRunner": DOCKER}) is None
    assert told({"runner": "DOCKER", "taskRunner": {**DOCKER, "user": "7"}}) == {**DOCKER, "user": "7"}
    assert told({"docker": {"user": "8"}, "taskRunner": {**DOCKER, "user": "7"}}) == {"user": "8"}


@pytest.mark.parametrize("runner", [{"type": "io.kestra.plugin.ee.aws.runner.Batch"}, {}, "text"])
def test_other_runners_are_refused_by_name(runner):
    with pytest.raises(TaskFailed, match="not available"):
        told({"taskRunner": runner})


def test_what_changes_nothing_is_said():
    assert list(runners.unused({"executionContext": False}, in_container=False)) == []
    given = {"containerImage": "x", "executionContext": True}
    assert [level for level, _ in runners.unused(given, in_container=False)] == ["DEBUG", "WARN"]
    assert [level for level, _ in runners.unused(given, in_container=True)] == ["WARN"]


def test_dependencies_are_installed_where_only_the_task_sees_them():
    line = packages.install("python3", ["requests>=2", "a; rm -rf /"], "/work")
    assert line.startswith("python3 -m pip install ")
    assert line.endswith("--target /work/.packages 'requests>=2' 'a; rm -rf /'")
    assert packages.search_path("/work/lib", "/work") == "/work/.packages:/work/lib"


@pytest.mark.parametrize("name", ["outputDirectory", "outputDirectoryEnabled"])
def test_the_output_directory_has_two_names(name):
    assert scripts.wants_directory({name: True})
    assert not scripts.wants_directory({name: False})
