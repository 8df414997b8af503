"""`file:///` addresses: what is allowed is copied, and there is no way from it to anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from casemate.worker import LocalFiles
from casemate.worker.errors import TaskFailed

REFUSED = "is not authorized. Only files inside the working directory are allowed by default"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a folder that is allowed, and secrets beside it."""
    for name in ("allowed/sub", "allowed-too", "state", "work"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("allowed/a.txt", "allowed/sub/ä b.txt", "allowed-too/x", "state/db", "secret", "work/own"):
        (tmp_path / name).write_text(name)
    (tmp_path / "allowed/link").symlink_to(tmp_path / "secret")
    (tmp_path / "allowed/up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "allowed/pipe")
    return tmp_path


def read(machine: Path, path: str, *, allowed: tuple[str, ...] = ("allowed",), closed: tuple[str, ...] = ()) -> str:
    local = LocalFiles(
        allowed=tuple(str(machine / each) for each in allowed), closed=tuple(str(machine / each) for each in closed)
    )
    with local.open(path if "://" in path else f"file://{machine}/{path}", "/work", machine / "work") as file:
        return file.read().decode()


@pytest.mark.parametrize("path", ["allowed/a.txt", "allowed//a.txt", "allowed/./a.txt", "allowed/sub/%C3%A4%20b.txt"])
def test_a_file_of_an_allowed_folder_is_read(machine, path):
    assert read(machine, path) in ("allowed/a.txt", "allowed/sub/ä b.txt")


def test_one_file_can_be_allowed_and_its_neighbours_are_not(machine):
    assert read(machine, "allowed/a.txt", allowed=("allowed/a.txt",)) == "allowed/a.txt"
    with pytest.raises(TaskFailed, match=REFUSED):
        read(machine, "allowed/sub/x", allowed=("allowed/a.txt",))


def test_the_working_directory_needs_no_permission(machine):
    assert read(machine, "file:///work/own", allowed=()) == "work/own"


@pytest.mark.parametrize(
    "path",
    [
        "secret",
        "allowed-too/x",
        "allowed/../secret",
        "allowed/%2e%2e/secret",
        "file:///etc/passwd",
        "file:///work/../etc/passwd",
        "file://host/etc/passwd",
        "file:etc/passwd://",
        "file:///allowed%00/../secret",
    ],
)
def test_what_is_not_allowed_is_refused_in_kestras_words(machine, path):
    with pytest.raises(TaskFailed, match=REFUSED):
        read(machine, path)


@pytest.mark.parametrize("path", ["allowed/link", "allowed/up/secret", "allowed/pipe", "allowed/sub", "allowed/none"])
def test_a_link_a_pipe_and_a_folder_are_no_way_out(machine, path):
    with pytest.raises(TaskFailed, match="Unable to read the file"):
        read(machine, path)


def test_the_servers_own_stays_closed_whatever_is_allowed(machine):
    assert read(machine, "state/db", allowed=("",)) == "state/db"
    for allowed in ("", "state", "state/db"):
        with pytest.raises(TaskFailed, match=REFUSED):
            read(machine, "state/db", allowed=(allowed,), closed=("state",))
    (machine / "other").symlink_to(machine / "state")
    with pytest.raises(TaskFailed, match=REFUSED):
        read(machine, "other/db", allowed=("other",), closed=("state",))
