"""What the operator forbids is not there even where it would show; what he shows can be read and not written."""

from pathlib import Path

import pytest


@pytest.fixture
def shown(worker, request):
    """A folder of the host that a policy may show, readable by everybody."""
    folder = Path("/opt") / f"casemate-{request.node.name.partition('[')[0]}"
    if not Path("/opt").is_dir() or not __import__("os").access("/opt", 2):
        pytest.skip("/opt cannot be written")
    (folder / "secret").mkdir(parents=True)
    (folder / "open").write_text("open")
    (folder / "secret" / "key").write_text("key")
    yield folder
    __import__("shutil").rmtree(folder)


def test_a_shown_folder_can_be_read_and_not_written(worker, shown):
    outcome = worker.shell(f"cat {shown}/open; echo x > {shown}/open; echo x > {shown}/new", visible=(str(shown),))
    assert outcome.stdout == ["open"]
    assert (shown / "open").read_text() == "open"


def test_what_is_forbidden_within_it_is_covered(worker, shown):
    script = f"cat {shown}/secret/key; ls {shown}/secret; cat {shown}/open"
    outcome = worker.shell(script, visible=(str(shown),), forbidden=(str(shown / "secret"),))
    assert outcome.stdout == ["open"]


def test_a_forbidden_file_is_empty_and_a_detour_does_not_help(worker, shown):
    script = f"ln -s {shown}/open here; cat here {shown}/../{shown.name}/open /proc/self/root{shown}/open"
    outcome = worker.shell(script, visible=(str(shown),), forbidden=(f"{shown}/open",))
    assert outcome.said == ""


def test_what_is_not_shown_is_not_there(worker, shown):
    assert worker.shell(f"ls {shown}").exit_code != 0


def test_system_folders_can_be_forbidden(worker):
    outcome = worker.shell("ls /usr/share; ls /usr/lib | head -n1 | wc -l", forbidden=("/usr/share",))
    assert outcome.stdout == ["1"]
