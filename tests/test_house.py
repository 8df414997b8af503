"""The rules of the house can fail: each contract is broken on purpose, in a copy, and the check must say so."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BREACHES = {
    "a pure room imports the operating system": ("executions", "import os", "Pure rooms touch nothing"),
    "a pure room opens sockets": ("expressions", "import socket", "Pure rooms touch nothing"),
    "triggers read files": ("triggers", "import pathlib", "Pure rooms touch nothing"),
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
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def broken(house: Path) -> str:
    """What the check says when all breaches are there at once."""
    for room, line, _ in BREACHES.values():
        with (house / "src" / "casemate" / room / "__init__.py").open("a") as door:
            door.write(f"\n{line}\n")
    result = contracts(house)
    assert result.returncode != 0
    return result.stdout


def test_the_house_as_it_stands_keeps_its_contracts():
    result = contracts(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found(broken: str, breach: str):
    room, line, contract = BREACHES[breach]
    assert re.search(rf"{contract}.* BROKEN", broken)
    assert re.search(rf"casemate\.{room} -> {line.removeprefix('import ')}\b", broken), broken


@pytest.mark.parametrize("room", ["executions", "triggers"])
def test_decisions_call_neither_clock_nor_chance(room: str):
    forbidden = ("datetime.now", "time.time", "random.", "uuid4", "secrets.")
    for file in (ROOT / "src" / "casemate" / room).rglob("*.py"):
        text = file.read_text()
        assert not [word for word in forbidden if word in text], file


def test_requirement_files_name_no_index():
    for file in (ROOT / "requirements").glob("*.txt"):
        text = file.read_text()
        assert "index-url" not in text
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_the_pins_of_the_tests_hold_those_of_the_product():
    run, test = (
        set(re.findall(r"^\S+==\S+", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("run", "test")
    )
    assert run
    assert run <= test
