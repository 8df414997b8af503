"""What a task could do to files that outlives it, or that others wait for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

OTHER = 12345
"""A user of this machine who has nothing to do with the worker."""


@pytest.fixture
def desk(worker, request):
    """A folder of the host that belongs to the worker's user and that everybody may write to."""
    folder = Path("/opt") / f"casemate-{request.node.name.partition('[')[0]}"
    if not os.access("/opt", os.W_OK):
        pytest.skip("/opt cannot be written")
    folder.mkdir()
    (folder / "file").write_text("read by many")
    for path in (folder, folder / "file"):
        os.chown(path, worker.uid, -1)
        path.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


SET_MODES = """
import os, shutil
def tried(what):
    try: what()
    except OSError as error: print(error.errno)
    else: print("done")
shutil.copy("/usr/bin/id", "id")
tried(lambda: os.chmod("id", 0o4755))
tried(lambda: os.chmod("id", 0o2755))
tried(lambda: os.chmod(os.open("id", os.O_RDONLY), 0o6755))
tried(lambda: os.chmod("id", 0o4755, dir_fd=os.open(".", os.O_RDONLY)))
with open("id", "rb") as whole, open(os.open("born", os.O_CREAT | os.O_WRONLY, 0o6755), "wb") as born:
    born.write(whole.read())
tried(lambda: os.chmod("id", 0o1755))
"""


def test_no_program_that_a_task_leaves_in_a_writable_folder_makes_others_its_user(worker, desk):
    outcome = worker.python(f"import os; os.chdir({str(desk)!r})" + SET_MODES, writable=(str(desk),))
    assert outcome.stdout == ["1"] * 4 + ["done"], outcome.complained
    for name in ("id", "born"):
        (desk / name).chmod((desk / name).stat().st_mode | 0o005)
        if os.geteuid() == 0:
            who = subprocess.run(
                [desk / name], user=OTHER, group=OTHER, extra_groups=[], capture_output=True, text=True
            )
            assert "euid" not in who.stdout, who.stdout
            assert "egid" not in who.stdout, who.stdout


LEASE = """
import fcntl, os
file = os.open({path!r}, os.O_RDONLY)
for command in (1024, 1040):
    for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK):
        try: fcntl.fcntl(file, command, kind)
        except OSError as error: print(error.errno)
        else: print("leased")
print(fcntl.fcntl(file, fcntl.F_GETFD), fcntl.fcntl(file, 1025) == fcntl.F_UNLCK)
"""


def test_no_task_lets_everybody_wait_who_opens_a_file(worker, desk):
    """The kernel holds up the next to open a file with a lease for up to 45 seconds, each time anew."""
    for path in ("/usr/bin/id", str(desk / "file")):
        outcome = worker.python(LEASE.format(path=path), visible=(str(desk),))
        assert outcome.stdout == ["1"] * 4 + ["1 True"], outcome.complained
