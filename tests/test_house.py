"""The rules of the house can fail: each contract is broken on purpose, in a copy, and the check must say so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BREACHES = {
    "a pure room imports the operating system": ("executions", "import os", "Pure rooms touch nothing"),
    "a pure room opens sockets": ("expressions", "import socket", "Pure rooms touch nothing"),
    "a value room looks upwards": ("flows", "import casemate.store", "Rooms depend downwards only"),
    "a worker sees the database": ("worker", "import casemate.store", "A worker can be installed without"),
    "a service loads what runs inside": ("worker", "import casemate.inside", "Nobody imports what runs inside"),
    "a body uses a third party": ("inside", "import pydantic", "imports the standard library only"),
}


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(
        [*command, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_house_as_it_stands_keeps_its_contracts(copy: Path):
    result = contracts(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found(copy: Path, breach: str):
    room, line, contract = BREACHES[breach]
    door = copy / "src" / "casemate" / room / "__init__.py"
    before = door.read_text()
    door.write_text(f"{before}\n{line}\n")
    try:
        result = contracts(copy)
    finally:
        door.write_text(before)
    assert result.returncode != 0
    assert contract in result.stdout
    assert "BROKEN" in result.stdout


def test_executions_call_neither_clock_nor_chance():
    forbidden = ("datetime.now", "time.time", "random.", "uuid4", "secrets.")
    for file in (ROOT / "src" / "casemate" / "executions").rglob("*.py"):
        text = file.read_text()
        assert not [word for word in forbidden if word in text], file


def test_requirement_files_name_no_index():
    for file in (ROOT / "requirements").glob("*.txt"):
        text = file.read_text()
        assert "index-url" not in text
        assert "://" not in text
        assert "--hash=sha256:" in text
