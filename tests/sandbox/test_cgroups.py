"""Control groups: found by trying, entered, limited, emptied, removed; also what a killed worker has left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casemate.sandbox.cells import Cell
from casemate.sandbox.cgroups import RECORD, Cgroups
from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import Group

LITTLE = {"memory": 64 << 20, "processes": 8, "cpu": None}
ALL = {"memory", "pids", "cpu"}

V2_MOUNT = "41 31 0:38 /half /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
V1_MOUNT = "35 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct"
OTHERS = "20 1 8:1 / / rw - ext4 /dev/vda rw\n36 31 0:3 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd"


@pytest.fixture
def groups(tmp_path: Path):
    found = Cgroups.found(tmp_path, 2)
    yield found if set(found.controllers) >= ALL else pytest.skip(f"no control groups: {found.missing}")
    found.close()


@pytest.fixture
def second() -> Group:
    """A group of version 2, with or without controllers."""
    owns = [tree.own for tree in cgroups.trees() if tree.own.second]
    if not owns or not os.access(owns[0].path, os.W_OK):
        pytest.skip("no tree of version 2 in which a group can be made")
    group = cgroups.below(owns[0], f"casemate-test-{os.getpid()}")
    yield group
    cgroups.remove(group)


def child_in(doors: tuple[int, ...], program: str) -> subprocess.Popen:
    """A program that enters first, as a sandbox does."""
    script = f"import os\nfor door in {doors!r}: os.write(door, b'0')\n{program}"
    return subprocess.Popen([sys.executable, "-c", script], pass_fds=doors, stdout=subprocess.PIPE, text=True)


def test_our_own_place_is_found_in_every_layout():
    places = dict(cgroups._places("4:cpu,cpuacct:/a\n1:name=systemd:/\n0::/half/b\n"))
    assert places == {"cpu": "/a", "cpuacct": "/a", "name=systemd": "/", "": "/half/b"}
    mounted = list(cgroups._mounted("\n".join((OTHERS, V1_MOUNT, V2_MOUNT)), places))
    assert [(tree.own.path, tree.own.second, tree.controllers) for tree in mounted] == [
        ("/sys/fs/cgroup/cpu,cpuacct/a", False, ("cpu", "cpuacct")),
        ("/sys/fs/cgroup/unified/b", True, ()),
    ]


def test_memory_of_all_processes_together_has_an_end(groups: Cgroups):
    cell = groups.of(0)
    cell.prepare(LITTLE)
    eater = "[os.fork() for _ in range(2)]\nkept = bytearray(30 << 20)\nimport time; time.sleep(0.5); os._exit(0)"
    child_in(cell.doors, eater).communicate()
    until(lambda: cell.used().killed > 0)
    assert cell.used().peak == 64 << 20


def test_processes_have_an_end_and_it_is_counted_when_it_was_met(groups: Cgroups):
    cell = groups.of(0)
    cell.prepare(LITTLE)
    bomb = "made = 0\ntry:\n  while os.fork(): made += 1\n  import time; time.sleep(60)\nexcept OSError: print(made)"
    with child_in(cell.doors, bomb) as bombed:
        assert bombed.stdout.readline() == "7\n"
        assert cell.used().refused >= 1
        cell.prepare(LITTLE)  # the next user finds nobody
        assert (cell.used().refused, cell.used().killed) == (0, 0)
    until(lambda: not any(cgroups.members(group) for group in cell._each))


def test_a_share_of_a_processor_is_kept(groups: Cgroups):
    cell = groups.of(1)
    cell.prepare({**LITTLE, "cpu": 0.1})
    busy = "import time\nuntil = time.monotonic() + 0.6\nwhile time.monotonic() < until: pass"
    child_in(cell.doors, busy).communicate()
    assert cell.used().cpu < 0.3


def test_another_user_counts_anew(groups: Cgroups):
    cell = groups.of(0)
    cell.prepare(LITTLE)
    child_in(cell.doors, "bytearray(40 << 20)").communicate()
    assert cell.used().peak > 40 << 20
    cell.prepare(LITTLE)
    assert cell.used().peak < 40 << 20
    assert cell.used().cpu < 0.01


def test_what_a_killed_worker_has_left_is_removed_at_the_next_start(tmp_path: Path):
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom casemate.sandbox.cgroups import Cgroups\n"
        "Cgroups.found(Path(sys.argv[1]), 1)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = [Path(path) for path, _ in json.loads((tmp_path / RECORD).read_text())]
    if not left:
        pytest.skip("no control groups")
    assert all(path.exists() for path in left)
    found = Cgroups.found(tmp_path, 1)
    found.close()
    assert not any(path.exists() for path in left)
    assert not (tmp_path / RECORD).exists()


def test_a_record_that_names_what_is_not_ours_removes_nothing(tmp_path: Path):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (tmp_path / RECORD).write_text(json.dumps([[str(stranger), False]]))
    Cgroups.found(tmp_path, 1).close()
    assert stranger.is_dir()


def test_a_group_of_version_2_is_made_entered_killed_and_removed(second: Group):
    inner = cgroups.below(second, "inner")
    door = os.open(f"{inner.path}/cgroup.procs", os.O_WRONLY)
    with child_in((door,), "print('in', flush=True)\nimport time; time.sleep(60)") as child:
        os.close(door)
        assert child.stdout.readline() == "in\n"
        assert cgroups.members(inner) == (child.pid,)
        clock = cgroups.cpu_time(inner)
        assert clock.read() > 0
        clock.close()
        began = time.monotonic()
        cgroups.remove(second)
        assert child.wait() == -signal.SIGKILL
    assert time.monotonic() - began < 1
    assert not os.path.exists(second.path)


def test_version_2_is_told_its_limits_in_its_own_files(tmp_path: Path):
    """Its controllers are not to be had on every machine: what is written where, against files of these names."""
    names = ("memory.max", "memory.swap.max", "pids.max", "cpu.max", "cgroup.subtree_control")
    for name in names:
        (tmp_path / name).touch()
    group = Group(str(tmp_path), second=True)
    cgroups.limit_memory(group, 1 << 20)
    cgroups.limit_processes(group, 8)
    cgroups.limit_cpu(group, 0.5)
    cgroups.hand_on(group, ("memory", "pids"))
    said = {name: (tmp_path / name).read_text() for name in names}
    assert said == dict(zip(names, ("1048576", "0", "8", "50000 100000", "+memory +pids"), strict=True))


def test_a_machine_that_lends_none_has_none_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cgroups, "trees", lambda: (cgroups.Tree(Group(str(tmp_path / "absent"), False), ("memory",)),))
    found = Cgroups.found(tmp_path, 2)
    assert (found.controllers, found.of(0)) == ((), None)
    assert "memory: No such file or directory" in found.missing
    found.close()


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_cell_needs_groups_that_can_be_entered(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        Cell({"pids": Group(str(tmp_path), second=False)})


def test_a_cell_that_had_to_be_emptied_lets_the_next_user_make_processes(groups: Cgroups):
    cell = groups.of(0)
    cell.prepare(LITTLE)
    left = child_in(cell.doors, "import time; time.sleep(60)")
    until(lambda: all(cgroups.members(group) for group in cell._each))
    cell.prepare(LITTLE)
    assert left.wait(10) == -signal.SIGKILL
    made = child_in(cell.doors, "os.write(1, b'True ' if os.fork() >= 0 else b'False ')").communicate()[0]
    assert made.split() == ["True", "True"]
