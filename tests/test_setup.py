"""The set-up of `scripts/casemate` as a newcomer meets it: the real scripts, with one small package to install."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.running import ROOT

pytest.importorskip("ensurepip", reason="without it only uv can make an environment")

TOOLS = ("sh", "basename", "cat", "cksum", "dirname", "grep", "readlink")
PRODUCT = "import sys, pebble; print('product', pebble.VERSION, *sys.argv[1:])"


def wheel(folder: Path, version: str) -> str:
    """A wheel of one module; what a requirement file says of it."""
    about, name = f"pebble-{version}.dist-info", f"pebble-{version}-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as file:
        file.writestr("pebble.py", f"VERSION = '{version}'\n")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: pebble\nVersion: {version}\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    return f"pebble=={version} --hash=sha256:{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n"


class Clone:
    """A copy of the scripts beside a product of one line, and a machine with little on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.wheels = folder / "wheels"
        self.tools = folder / "tools"
        for made in (self.folder / "requirements", self.folder / "src" / "casemate", self.wheels, self.tools):
            made.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.folder / "scripts")
        (self.folder / "src" / "casemate" / "__main__.py").write_text(PRODUCT)
        for tool in TOOLS:
            (self.tools / tool).symlink_to(str(shutil.which(tool)))
        self.require("1.0")

    def require(self, version: str) -> None:
        """Pin another version."""
        (self.folder / "requirements" / "run.txt").write_text(wheel(self.wheels, version))

    def begin(self, **environment: str) -> subprocess.Popen[str]:
        """Start `scripts/casemate hello` with nothing in its environment but what is named."""
        given = {"PATH": str(self.tools), "CASEMATE_PYTHON": sys.executable, "PIP_NO_INDEX": "1"}
        return subprocess.Popen(
            [self.folder / "scripts" / "casemate", "hello"],
            env={**given, "PIP_FIND_LINKS": str(self.wheels), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, **environment: str) -> tuple[int, str, str]:
        """Exit status, output and what was said meanwhile."""
        process = self.begin(**environment)
        output, said = process.communicate(timeout=120)
        return process.returncode, output, said


def stand_in(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def no_venv(folder: Path) -> str:
    """A module path under which Python finds no ensurepip, as where Debian's python3-venv is not installed."""
    (folder / "ensurepip.py").write_text("raise ImportError")
    return str(folder)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    made = Clone(tmp_path_factory.mktemp("finished"))
    first, second = made.begin(), made.begin()
    outputs = [process.communicate(timeout=120) for process in (first, second)]
    assert [output for output, _ in outputs] == ["product 1.0 hello\n"] * 2, outputs
    said = "".join(said for _, said in outputs)
    assert said.count("setting up") == said.count("ready") == 1, "one of the two works, the other waits"
    assert said.count("waiting") == 1
    return made


def test_a_finished_environment_is_used_without_a_word(finished: Clone):
    assert finished.run() == (0, "product 1.0 hello\n", "")


def test_a_link_to_the_script_is_as_good(finished: Clone, tmp_path: Path):
    (tmp_path / "casemate").symlink_to(finished.folder / "scripts" / "casemate")
    done = subprocess.run([tmp_path / "casemate", "hello"], capture_output=True, text=True, check=True)
    assert done.stdout == "product 1.0 hello\n"


def test_changed_pins_are_noticed(finished: Clone):
    finished.require("2.0")
    status, output, said = finished.run()
    assert (status, output) == (0, "product 2.0 hello\n")
    assert "completing" in said
    finished.require("1.0")
    assert finished.run()[1] == "product 1.0 hello\n"


def test_a_copied_folder_runs_its_own_code(finished: Clone, tmp_path: Path):
    copy = Clone(tmp_path)
    shutil.copytree(finished.folder / ".venv", copy.folder / ".venv", symlinks=True)
    (copy.folder / "src" / "casemate" / "__main__.py").write_text("print('the copy')")
    assert copy.run()[1] == "the copy\n"


def test_an_interrupted_set_up_is_begun_anew(clone: Clone):
    first = clone.begin()
    assert first.stderr is not None
    assert "setting up" in first.stderr.readline()
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    status, output, said = clone.run()
    assert (status, output) == (0, "product 1.0 hello\n")
    assert "setting up" in said


def test_without_packages_it_says_what_is_missing_and_goes_on_later(finished: Clone, clone: Clone):
    shutil.copytree(finished.folder / ".venv", clone.folder / ".venv", symlinks=True)
    clone.require("3.0")
    status, output, said = clone.run(PIP_FIND_LINKS="/nowhere")
    assert (status, output) == (3, "")
    assert "No matching distribution found for pebble==3.0" in said
    assert "is there a network?" in said
    assert clone.run()[1] == "product 3.0 hello\n"


def test_an_old_python_is_named_with_what_to_do_and_a_newer_one_beside_it_taken(clone: Clone, tmp_path: Path):
    # Stands for a Python 3.9: asked whether it is new enough it says no, asked which it is it says so.
    stand_in(clone.tools / "python3", "case $2 in *exit*) exit 1 ;; *) echo 3.9 ;; esac")
    status, _, said = clone.run(CASEMATE_PYTHON="")
    assert status == 3
    assert "Python 3.11 or newer is needed; python3 is 3.9. Install a newer one" in said
    stand_in(clone.tools / "python3.12", f'exec {sys.executable} "$@"')
    assert "python3.12 has no venv module" in clone.run(CASEMATE_PYTHON="", PYTHONPATH=no_venv(tmp_path))[2]


def test_a_named_python_that_will_not_do_is_not_passed_over(clone: Clone):
    status, _, said = clone.run(CASEMATE_PYTHON="/nowhere/python")
    assert status == 3
    assert "CASEMATE_PYTHON names /nowhere/python" in said


def test_no_python_at_all_is_said(clone: Clone):
    status, _, said = clone.run(CASEMATE_PYTHON="")
    assert status == 3
    assert "apt-get install python3 python3-venv" in said


def test_a_python_without_its_venv_module_is_said(clone: Clone, tmp_path: Path):
    status, _, said = clone.run(PYTHONPATH=no_venv(tmp_path))
    assert status == 3
    assert "apt-get install python3-venv (or install uv)" in said


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root needs setpriv to be somebody else")
def test_somebody_else_may_use_a_clone_but_not_set_it_up(tmp_path: Path):
    clone = Clone(tmp_path)
    for folder in (*tmp_path.parents, tmp_path, clone.folder):
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    clone.folder.chmod(0o555)
    other = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run([*other, clone.folder / "scripts" / "casemate"], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "you may not write there" in done.stderr
