"""Ways around worker isolation that are known of Kestra (spec/isolation 17), by number: here each of them fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.worker.conftest import SCRIPTS
from tests.worker.plane import Plane

pytestmark = pytest.mark.anyio

PYTHON, SHELL = f"{SCRIPTS}.python.Script", f"{SCRIPTS}.shell.Commands"
BACKEND = """
import os, socket, zipfile

def look(what):
    try:
        return what()
    except OSError as error:
        return type(error).__name__

def build_wheel(folder, config_settings=None, metadata_directory=None):
    saw = [look(lambda: open({secret!r}).read()), "CASEMATE_TEST_SECRET" in os.environ,
           look(lambda: socket.create_connection(("127.0.0.1", 9), 1) and "connected"), os.getpid() < 1000]
    name = "built-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("built.py", "SAW = " + repr(saw))
        wheel.writestr("built-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: built\\nVersion: 1.0\\n")
        wheel.writestr("built-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("built-1.0.dist-info/RECORD", "")
    return name
"""
PROJECT = """
[project]
name = "built"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


async def test_w10_the_build_script_of_a_package_runs_behind_the_walls_of_the_task(
    plane: Plane, worker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CASEMATE_TEST_SECRET", "of the worker")
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    properties = {
        "inputFiles": {"built/pyproject.toml": PROJECT, "built/backend.py": BACKEND.format(secret=str(secret))},
        "dependencies": ["./built"],
        "script": "import built\nprint(built.SAW)",
    }
    end = await plane.end_of(await plane.give(PYTHON, properties=properties))
    if any("No module named pip" in text for text in plane.messages()):
        pytest.skip("this machine's Python has no pip")
    assert end.state == "SUCCESS", plane.messages()
    assert plane.messages("INFO") == ["['FileNotFoundError', False, 'ConnectionRefusedError', True]"]


async def test_w11_no_link_takes_a_file_of_the_machine_into_the_results(plane: Plane, worker: Path, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    plant = [
        f"ln -s {secret} link.txt",
        f"ln -s {tmp_path} folder",
        "mkdir out && ln -s /etc/passwd out/passwd.txt && ln -s / out/root",
        "ln /etc/hostname hard.txt 2>/dev/null || true",
        "echo own > own.txt",
    ]
    given = {"commands": plant, "outputFiles": ["**"], "outputDirectory": True}
    end = await plane.end_of(await plane.give(SHELL, properties=given))
    assert end.outputs is not None
    assert list(end.outputs["outputFiles"]) == ["own.txt"]
    assert [content for uri, content in plane.files.items() if b"machine" in content or b"root:" in content] == []


@pytest.mark.parametrize("name", ["../out.txt", "/etc/cron.d/x", "a/../../out.txt", "..", "a\\..\\b"])
async def test_w11_no_name_of_an_input_file_leads_out_of_the_working_directory(plane: Plane, worker: Path, name: str):
    given = {"inputFiles": {name: "planted"}, "commands": ["true"]}
    end = await plane.end_of(await plane.give(SHELL, properties=given))
    assert end.state == "FAILED"
    assert plane.messages("ERROR") == [
        "The path to resolve must be a relative path inside the current working directory."
    ]
    outside = (worker / "out.txt", worker.parent / "out.txt", Path("/etc/cron.d/x"))
    assert [place for place in outside if place.exists()] == []
