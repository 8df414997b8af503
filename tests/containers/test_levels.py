"""What Casemate offers in a container, shown with a real engine."""

from __future__ import annotations

import json

from tests.docker import PYTHON, REPOSITORY, UNCONFINED, Engine

WELCOME = str(REPOSITORY / "examples" / "welcome.yaml")


def test_the_default_profile_is_refused_with_instructions(engine: Engine, user: str):
    done = engine.run(*PYTHON, "run", WELCOME, user=user)
    assert done.returncode == 3
    assert not done.stdout
    assert done.stderr.startswith("casemate: Isolation level 'full' is required")
    for option in UNCONFINED:
        assert f"--security-opt {option}" in done.stderr


def test_with_the_documented_options_every_wall_stands(engine: Engine, user: str):
    done = engine.run(*PYTHON, "run", WELCOME, security=UNCONFINED, user=user)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 task runs in sandboxes: 7 at level full" in done.stdout


def test_the_doctor_finds_every_wall_with_the_documented_options(engine: Engine, user: str):
    done = engine.run(*PYTHON, "doctor", security=UNCONFINED, user=user)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("own kernel user" in done.stdout) == (not user)


SETTING = {"CASEMATE_ISOLATION_REQUIRED_LEVEL": "container"}


def test_with_the_explicit_setting_a_flow_runs_behind_weaker_walls_and_says_so(engine: Engine, user: str):
    done = engine.run(*PYTHON, "run", WELCOME, user=user, env=SETTING)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 task runs in sandboxes: 7 at level container" in done.stdout
    assert "isolation.weaker" in done.stderr
    assert "there is no network for tasks" in done.stderr


def test_each_task_run_keeps_the_level(engine: Engine):
    done = engine.run(*PYTHON, "run", WELCOME, "--json", env=SETTING)
    reports = [run["isolation"] for run in json.loads(done.stdout)["taskRunList"] if run.get("isolation")]
    assert len(reports) == 7
    for report in reports:
        assert report["level"] == "container"
        assert "Landlock" in report["walls"]["files"]
        assert report["walls"]["network"].startswith("closed")
        assert report["allowed"]["network"] is False


def test_the_setting_weakens_nothing_where_all_walls_stand(engine: Engine):
    done = engine.run(*PYTHON, "run", WELCOME, security=UNCONFINED, env=SETTING)
    assert "7 task runs in sandboxes: 7 at level full" in done.stdout
    assert "isolation.weaker" not in done.stderr


def test_the_doctor_says_what_the_default_profile_lacks_and_leaves(engine: Engine, user: str):
    done = engine.run(*PYTHON, "doctor", user=user)
    assert done.returncode == 1
    assert "✘ private root" in done.stdout
    less = done.stdout.partition("(level container):")[2]
    assert "✓ files" in less
    assert "✘" not in less
    assert "`casemate.isolation.required-level: container`" in less


NEEDS_A_NETWORK = """
id: far
namespace: tests
tasks:
  - id: fetch
    type: io.kestra.plugin.core.http.Request
    uri: https://example.com
"""


def test_a_task_that_needs_the_network_fails_with_the_level_as_its_reason(engine: Engine):
    script = f"cat > /tmp/far.yaml <<'EOF'\n{NEEDS_A_NETWORK}\nEOF\n{' '.join(PYTHON)} run /tmp/far.yaml"
    done = engine.run("sh", "-c", script, env=SETTING)
    assert done.returncode == 1
    assert "needs the network, which is closed at isolation level 'container'" in done.stdout


def test_as_root_without_other_users_there_is_no_level(engine: Engine):
    done = engine.run(*PYTHON, "run", WELCOME, env=SETTING, options=("--cap-drop", "ALL"))
    assert done.returncode == 3
    assert "root can give no other user to a task" in done.stderr


def test_programs_of_templates_run_at_that_level_too_and_nothing_stays(engine: Engine):
    template = "{{ [1, 2] | jq('.[0]') }}"
    as_before = 'before=$(ls -A /tmp) && "$@" && test "$before" = "$(ls -A /tmp)"'
    done = engine.run("sh", "-c", as_before, "sh", *PYTHON, "eval", template, env=SETTING)
    assert (done.returncode, done.stdout) == (0, "[1]\n"), done.stderr
