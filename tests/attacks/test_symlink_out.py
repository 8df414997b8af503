"""Results that lead out of the launch folder: whoever collects or clears up never follows them."""

import os
from pathlib import Path

import pytest

from casemate.sandbox import OutputRefused, folders

PLANT = """
import os
os.symlink("/etc/shadow", "link.txt")
os.symlink("/etc", "folder")
os.mkfifo("pipe.txt")
os.mkdir("real"); open("real/own.txt", "w").write("own")
os.symlink("/", "real/up")
open("own.txt", "w").write("own")
os.chmod("real", 0o755)
"""


def test_only_real_files_are_outputs(worker):
    outcome = worker.python(PLANT, outputs=("**.txt", "folder/**"))
    assert outcome.outputs == ["own.txt", "real/own.txt"]
    assert outcome.removed


def test_files_of_the_system_cannot_be_linked_into_the_folder(worker):
    outcome = worker.python("import os; os.link('/etc/passwd', 'passwd')")
    assert "Invalid cross-device link" in outcome.complained


def test_everything_is_given_back_to_the_worker(worker):
    outcome = worker.python(PLANT)
    assert outcome.owners == [worker.uid]


def test_a_folder_nobody_may_enter_is_removed(worker):
    outcome = worker.python("import os; os.makedirs('a/b/c'); open('a/b/f', 'w'); os.chmod('a/b', 0); os.chmod('a', 0)")
    assert outcome.removed


def test_a_tree_deeper_than_a_path_is_removed(worker):
    # Deeper than PATH_MAX, and than Python lets a function call itself.
    script = "import os\nfor _ in range(1200): os.mkdir('deeper-than-a-path'); os.chdir('deeper-than-a-path')"
    outcome = worker.python(script, outputs=("**",))
    assert outcome.exit_code == 0
    assert outcome.removed


def test_a_name_that_has_become_a_link_is_not_opened(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("secret")
    work = folders.make(tmp_path, "work")
    (work / "result").symlink_to(outside)
    with pytest.raises(OSError, match="openat2"):
        folders.open_output(work, "result")
    with pytest.raises(OSError, match="openat2"):
        folders.open_output(work, "../outside")


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputRefused):
        folders.open_output(tmp_path, "pipe")


def test_removing_does_not_reach_outside(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    work = folders.make(tmp_path, "work")
    (work / "link").symlink_to(outside)
    folders.remove(work)
    assert (outside / "kept").exists()
    assert not work.exists()
