"""What the kernel offers, and what is said when it does not."""

import errno
import shutil
import subprocess
import sys

import pytest
from tests.attacks.workers import NO_NAMESPACES, python_for_everybody, sources_for_everybody

from casemate.sandbox import Level, Sandboxes, Survey, Wall, WallsMissing, survey
from casemate.sandbox.remedies import remedy
from casemate.sandbox.survey import mechanisms

pytestmark = pytest.mark.anyio


def test_the_walls_of_this_machine_stand():
    found = survey()
    assert found.level is Level.FULL, found
    assert all(wall.stands and wall.mechanism for wall in found.walls)
    assert {"files", "network", "processes", "privileges", "system calls", "rights"} <= {
        wall.name for wall in found.walls
    }


async def test_a_survey_can_be_made_while_a_loop_runs():
    assert survey().level is Level.FULL


async def test_every_mechanism_stands_by_itself():
    found = await mechanisms()
    assert len(found) == 7
    assert all(wall.stands for wall in found), found


def test_a_container_that_forbids_namespaces_is_told_what_to_do():
    command = [python_for_everybody(), "-c", NO_NAMESPACES, "-c", SURVEY]
    env = {"PYTHONPATH": sources_for_everybody()}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    level, *walls = done.stdout.splitlines()
    assert level == "container"
    assert any(wall.startswith("private root False Operation not permitted. ") for wall in walls)
    assert any(wall.startswith("Landlock True") for wall in walls)


AS_ROOT_OF_ONE_USER = ["unshare", "--user", "--map-root-user", "sh", "-c"]
SURVEY = """
from casemate.sandbox import survey
found = survey()
print(found.level)
for wall in found.walls: print(wall.name, wall.stands, wall.missing, wall.remedy)
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_root_without_the_users_of_tasks_goes_the_way_of_an_ordinary_user():
    command = [*AS_ROOT_OF_ONE_USER, 'exec "$@"', "sh", sys.executable, "-c", SURVEY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("full\n"), done.stdout


@pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")
def test_walls_that_fall_together_are_advised_once():
    closed = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = [*AS_ROOT_OF_ONE_USER, closed, "sh", sys.executable, "-c", SURVEY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "user namespace False" in done.stdout
    assert done.stdout.count("user.max_*_namespaces") == 1


def test_what_is_missing_is_listed_with_its_remedy():
    missing = Wall("own network", False, "network namespace", "Operation not permitted.", "Be root.")
    error = WallsMissing(Survey(Level.NONE, (Wall("files", True, "private root"), missing)))
    assert str(error).splitlines() == [
        "Isolation level 'full' is required, this machine offers 'none'.",
        "own network: Operation not permitted. Be root.",
    ]


def test_weaker_walls_are_offered_where_full_ones_are_required():
    error = WallsMissing(Survey(Level.CONTAINER, ()), Level.FULL)
    assert "`casemate.isolation.required-level: container`" in str(error)


def test_weaker_walls_are_not_offered_where_they_do_not_stand():
    hole = Wall("files", False, "Landlock", "A file of the host can be opened.")
    assert "required-level" not in str(WallsMissing(Survey(Level.NONE, (), (hole,)), Level.FULL))
    assert "A file of the host can be opened." in str(WallsMissing(Survey(Level.NONE, (), (hole,)), Level.CONTAINER))


def test_remedies_fit_the_refusal():
    assert "user.max_*_namespaces" in remedy("user namespace", errno.ENOSPC)
    assert "Linux 5.14" in remedy("Landlock", errno.ENOSYS)
    assert remedy("private root", errno.EPERM)


async def test_without_walls_nothing_is_opened(tmp_path, monkeypatch):
    import casemate.sandbox.zygotes as zygotes

    broken = tmp_path / "start.py"
    broken.write_text("import socket, sys, json\ns = socket.socket(fileno=int(sys.argv[1]))\ns.recv(65536)\n")
    broken.write_text(broken.read_text() + "s.send(json.dumps({'refused': 'unshare: no', 'errno': 1}).encode())\n")
    monkeypatch.setattr(zygotes, "FIRST_CODE", broken)
    with pytest.raises(WallsMissing):
        async with Sandboxes.open(tmp_path / "folder"):
            raise AssertionError("opened")
