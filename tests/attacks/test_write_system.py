"""Writing where it would last: everything but the own folder and private memory is read-only."""

import uuid
from pathlib import Path

TRY = """
import os
for path in {paths!r}:
    try:
        with open(path, "w") as file: file.write("changed")
        print("wrote", path)
    except OSError:
        print("refused", path)
"""
SYSTEM = (
    "/usr/bin/python3",
    "/usr/new",
    "/etc/passwd",
    "/etc/ld.so.preload",
    "/new",
    "/bin/sh",
    "/dev/new",
    "/.host/x",
    "/.host/launches/x",
)


def test_the_system_cannot_be_changed(worker):
    outcome = worker.python(TRY.format(paths=SYSTEM))
    assert "wrote" not in outcome.said
    assert len(outcome.stdout) == len(SYSTEM)


def test_the_interpreter_cannot_be_changed(worker):
    script = "import os, sys; open(os.path.join(os.path.dirname(os.__file__), 'antigravity.py'), 'w')"
    assert worker.python(script).exit_code != 0


def test_it_cannot_be_made_writable(worker):
    outcome = worker.shell(
        "mount -o remount,rw /; mount -t tmpfs none /usr; umount /tmp; umount -l /proc; chmod 777 /etc"
    )
    assert outcome.exit_code != 0
    assert outcome.stderr


def test_own_places_can_be_written(worker):
    paths = ("/work/new", "/tmp/new", "/dev/shm/new", "/var/tmp/new", "/dev/null")
    outcome = worker.python(TRY.format(paths=paths))
    assert "refused" not in outcome.said


def test_temporary_files_are_private_and_go_with_the_task(worker):
    name = f"/tmp/{uuid.uuid4()}"
    first = worker.shell(f"echo here > {name}; cat {name}")
    assert first.stdout == ["here"]
    assert not Path(name).exists()
    assert worker.shell(f"cat {name}").exit_code != 0


def test_devices_are_used_and_not_changed(worker):
    outcome = worker.python("import os\ntry: os.utime('/dev/null')\nexcept OSError as error: print(error.strerror)")
    assert outcome.stdout == ["Read-only file system"]
    assert worker.shell("echo gone > /dev/null; head -c 3 /dev/zero | wc -c").stdout == ["3"]
