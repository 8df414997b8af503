"""Bodies of plugins: imported from their wheels behind the walls, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.plugins.wheels import TYPE, digest, greeting, plugin, task
from tests.worker.conftest import CATALOG, CORE, SCRIPTS, running
from tests.worker.plane import Plane, grant

from casemate.catalog import Catalog
from casemate.dispatch import Reply
from casemate.identifiers import JobId
from casemate.plugins import Management
from casemate.settings import PluginManagement

pytestmark = pytest.mark.anyio

WHERE = """
import os, socket, sys

def run(job, tell):
    seen = {"wheel": __file__, "uid": os.getuid(), "init": os.getpid(), "state": []}
    for name in ("/etc/shadow", job["properties"]["place"]):
        try:
            open(name).close()
            seen["state"].append(name)
        except OSError:
            pass
    try:
        socket.socket()
        seen["socket"] = True
    except OSError:
        seen["socket"] = False
    tell({"outputs": seen})
"""
LOUD = "import os\nos.environ['IMPORTED'] = '1'\nprint('imported')\n\ndef run(job, tell):\n    print(os.getcwd())\n"
KEEPS = """
import os

def run(job, tell):
    open("a.txt", "w").close()
    tell({"outputs": {"names": sorted(os.listdir())}})
"""
ASKS = """
def run(job, tell, ask):
    tell({"outputs": {"found": ask("kv.get", key="k")}})
"""


def written(file: str, content: bytes) -> None:
    Path(file).write_bytes(content)


@pytest.fixture
def types() -> Catalog:
    return CATALOG.joined(())


@pytest.fixture
def install(types: Catalog, tmp_path: Path) -> Callable[[bytes], str]:
    """Installs a wheel; the file that it is kept in."""
    management = Management(types, PluginManagement(), tmp_path / "state")

    def installed(content: bytes) -> str:
        return management.install(content, digest(content), datetime.now(UTC)).origin.file

    return installed


@pytest.fixture
async def work(plane: Plane, types: Catalog, tmp_path: Path) -> AsyncIterator[Path]:
    async with running(plane, tmp_path / "work", catalog=types) as folder:
        yield folder


async def test_two_versions_of_one_task_run_side_by_side(plane: Plane, work: Path, install):
    for version in ("1.0.0", "2.0.0"):
        install(greeting(version))
    old = await plane.give(TYPE, version="1.0.0", properties={"name": "Ann"})
    new = await plane.give(TYPE, version="2.0.0", properties={"who": "Bob", "language": "de"})
    assert (await plane.end_of(old)).outputs == {"greeting": "Hello Ann"}, plane.messages()
    assert (await plane.end_of(new)).outputs == {"greeting": "Guten Tag Bob"}
    assert "Hello Ann" in plane.messages("INFO")
    assert [one for one in plane.messages("DEBUG") if f"sha256 {digest(greeting('2.0.0'))}" in one]


async def test_its_code_stands_behind_the_walls_from_its_first_line(plane: Plane, work: Path, install):
    file = install(plugin({"own/body.py": WHERE}, types=[task("com.example.Own", "own.body")]))
    ended = await plane.end_of(await plane.give("com.example.Own", version="1.0.0", properties={"place": file}))
    assert ended.outputs is not None, plane.messages()
    assert ended.outputs["state"] == []
    assert ended.outputs["socket"] is False
    assert ended.outputs["init"] == 1
    assert ended.outputs["wheel"] == "/work/.plugin.whl/own/body.py"
    assert ended.isolation is not None


async def test_nothing_of_it_is_imported_in_the_process_of_the_worker(plane: Plane, work: Path, install):
    install(plugin({"own/body.py": LOUD, "own/__init__.py": LOUD}, types=[task("com.example.Own", "own.body")]))
    ended = await plane.end_of(await plane.give("com.example.Own", version="1.0.0"))
    assert ended.state == "SUCCESS", plane.messages()
    assert plane.messages("INFO").count("imported") == 2
    assert not [name for name in sys.modules if name.partition(".")[0] in ("own", "casemate_greeting")]


async def test_the_next_task_does_not_find_it_imported(plane: Plane, work: Path, install):
    install(plugin({"own/body.py": LOUD}, types=[task("com.example.Own", "own.body")]))
    for _ in range(3):
        assert (await plane.end_of(await plane.give("com.example.Own", version="1.0.0"))).state == "SUCCESS"
    assert plane.messages("INFO").count("imported") == 3
    probe = await plane.give(f"{SCRIPTS}.shell.Script", properties={"script": "ls -a; echo imported=$IMPORTED"})
    await plane.end_of(probe)
    assert "imported=" in plane.messages("INFO")
    assert ".plugin.whl" not in plane.messages("INFO")


async def test_a_wheel_that_was_changed_does_not_run(plane: Plane, work: Path, install):
    written(install(greeting()), greeting("2.0.0"))
    ended = await plane.end_of(await plane.give(TYPE, version="1.0.0", properties={"name": "Ann"}))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == [
        "The plugin com.example:casemate-greeting:1.0.0 is not what was installed: its sha256 is another one."
    ]


async def test_a_wheel_that_is_gone_is_told(plane: Plane, work: Path, install):
    os.unlink(install(greeting()))
    ended = await plane.end_of(await plane.give(TYPE, version="1.0.0", properties={"name": "Ann"}))
    assert ended.state == "FAILED"
    assert "cannot be read: No such file" in plane.messages("ERROR")[0]


async def test_a_version_that_was_removed_meanwhile_fails_by_name(plane: Plane, work: Path, install):
    install(greeting("2.0.0"))
    ended = await plane.end_of(await plane.give(TYPE, version="1.0.0", properties={"name": "Ann"}))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == [f"No version '1.0.0' of '{TYPE}' is installed on this worker any more."]


async def test_a_body_that_cannot_be_imported_fails_with_its_trace(plane: Plane, work: Path, install):
    install(plugin({"own/body.py": "import no_such_module\n"}, types=[task("com.example.Own", "own.body")]))
    assert (await plane.end_of(await plane.give("com.example.Own", version="1.0.0"))).state == "FAILED"
    assert "No module named 'no_such_module'" in plane.messages("ERROR")


async def test_it_asks_what_its_manifest_says(plane: Plane, work: Path, install):
    plane.answers["kv.get"] = lambda arguments: Reply(arguments["key"])
    install(plugin({"own/body.py": ASKS}, types=[task("com.example.Own", "own.body", asks=["kv.get"])]))
    ended = await plane.end_of(await plane.give("com.example.Own", version="1.0.0"))
    assert ended.outputs == {"found": "k"}, plane.messages()


async def test_a_template_may_name_a_version(plane: Plane, work: Path, install):
    install(greeting("1.0.0"))
    install(greeting("2.0.0"))
    spec = f"{{id: inner, type: {TYPE}, version: '{{{{ v }}}}', name: Ann}}"
    job = await plane.give(f"{CORE}.templating.TemplatedTask", properties={"spec": spec}, variables={"v": "1"})
    assert (await plane.end_of(job)).outputs == {"greeting": "Hello Ann"}, plane.messages()


@pytest.mark.parametrize(
    "planted",
    [
        "mkdir own; echo bad > own/__init__.py; echo bad > own/body.py",
        "echo bad > sitecustomize.py; mkdir encodings; echo bad > encodings/own.py; echo bad > zipimport.py",
        "ln -s /dev/null .plugin.whl",
        "mkfifo .plugin.whl",
    ],
)
async def test_what_an_earlier_task_left_in_the_folder_is_not_imported_for_it(
    plane: Plane, work: Path, install, planted: str
):
    install(plugin({"own/body.py": KEEPS}, types=[task("com.example.Own", "own.body", shared=True)]))
    end = await plane.share(
        grant(JobId("one"), f"{SCRIPTS}.shell.Commands", properties={"commands": [planted]}),
        grant(JobId("two"), "com.example.Own", version="1.0.0"),
    )
    await plane.end_of(end)
    assert plane.messages("ERROR") == []
    assert (await plane.end_of("two")).state == "SUCCESS"


async def test_the_wheel_is_no_result_of_the_task(plane: Plane, work: Path, install):
    install(plugin({"own/body.py": KEEPS}, types=[task("com.example.Own", "own.body")]))
    ended = await plane.end_of(await plane.give("com.example.Own", version="1.0.0"))
    assert ended.outputs == {"names": [".plugin.whl", "a.txt"]}
    assert not plane.files
