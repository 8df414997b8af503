"""The worker's environment and command line: no process inside has them."""

from tests.attacks.workers import SECRET


def test_no_process_inside_shows_the_workers_environment(worker):
    outcome = worker.shell("cat /proc/*/environ /proc/*/task/*/environ | tr '\\0' '\\n'")
    assert SECRET not in outcome.said
    assert "PYTHONPATH" not in outcome.said


def test_process_one_shows_nothing_at_all(worker):
    outcome = worker.shell("cat /proc/1/environ; tr -d '\\0' < /proc/1/cmdline; echo; ls /proc/1/fd /proc/1/root")
    assert outcome.stdout == ["sandbox"]


def test_the_environment_is_the_tasks_own(worker):
    outcome = worker.shell("env | grep -v '^PWD=' | cut -d= -f1 | sort", env={"MINE": "1"})
    assert outcome.stdout == ["HOME", "LANG", "MINE", "PATH", "TMPDIR"]
