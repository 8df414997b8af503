"""Under a policy for learning everything that a task touches is taken down, and every wall stands as it did."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from pathlib import Path

import pytest
from tests.sandbox.conftest import ended

from casemate.sandbox import Body, Command, Egress, Policy, Rights, Told

pytestmark = pytest.mark.anyio


@pytest.fixture
def shown(tmp_path_factory):
    folder = Path("/srv") / f"casemate-recording-{os.getpid()}"
    try:
        (folder / "inner").mkdir(parents=True)
    except OSError:
        pytest.skip("/srv cannot be written")
    for name in ("one", "two", "inner/three"):
        (folder / name).write_text(f"{name.rpartition('/')[2]}\n")
    (folder / "program").write_text("#!/bin/sh\necho ran\n")
    (folder / "program").chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def learning(shown: Path, **further: object) -> Policy:
    rights = Rights(threads=True, processes=True)
    return Policy(visible=(str(shown),), learning=True, rights=rights, **further)


async def touched(house, policy: Policy, *argv: str) -> tuple[dict, list[str]]:
    events, end = await ended(await house.launch(Command(argv=argv, env={}), policy))
    assert end.isolation.touched is not None
    return dict(end.isolation.touched), [event.text for event in events]


async def test_paths_are_taken_down_as_they_were_used(house, shown):
    script = f"cat {shown}/one; cd {shown}; cat ./inner/../two; ls inner; ./program; echo x > {shown}/new; cat missing"
    found, said = await touched(house, learning(shown), "sh", "-c", script)
    assert {"one", "two", "three", "ran"} <= set(said)
    assert {f"{shown}/one", f"{shown}/two", f"{shown}/program"} <= set(found["paths"])
    assert f"{shown}/inner" in found["folders"]
    assert found["written"] == [f"{shown}/new"]
    assert f"{shown}/missing" not in found["paths"]
    assert not (shown / "new").exists()


async def test_the_interpreter_of_a_script_is_taken_down(house, shown):
    (shown / "interpreter").symlink_to("/bin/sh")
    (shown / "program").write_text(f"#!{shown}/interpreter\necho ran by it\n")
    found, said = await touched(house, learning(shown), f"{shown}/program")
    assert said == ["ran by it"]
    assert {f"{shown}/program", f"{shown}/interpreter"} <= set(found["paths"])


async def test_what_is_covered_and_what_every_sandbox_has_is_not_taken_down(house, shown):
    policy = learning(shown, forbidden=(f"{shown}/one",))
    found, said = await touched(house, policy, "sh", "-c", f"cat {shown}/one /etc/passwd {shown}/two; echo a > /work/b")
    assert found["paths"] == [f"{shown}/two"]
    assert found["written"] == []
    assert "one" not in said


@pytest.mark.parametrize(
    ("script", "threads", "processes"),
    [
        ("print(1)", False, False),
        ("import threading; t = threading.Thread(target=print); t.start(); t.join()", True, False),
        ("import os; os.fork() or os._exit(0); os.wait()", False, True),
        ("import subprocess; subprocess.run(['/bin/true'], check=True)", False, True),
    ],
)
async def test_threads_and_processes_are_told_apart(house, shown, script, threads, processes):
    found, _ = await touched(house, learning(shown), "python3", "-c", script)
    assert (found["threads"], found["processes"]) == (threads, processes)


async def test_a_body_is_recorded_too(house, shown):
    body = Body(module="casemate.inside.core_log", job={"properties": {"message": "hello"}})
    events, end = await ended(await house.launch(body, learning(shown)))
    assert end.exit_code == 0
    assert any(isinstance(event, Told) for event in events)
    assert end.isolation.touched is not None
    assert {name for name, value in end.isolation.touched.items() if value} == {"complete"}


async def test_connections_are_judged_as_ever_and_never_go_on_by_themselves(house, shown):
    script = "import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5).close(); print('there')"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept(), daemon=True).start()
        port = str(listener.getsockname()[1])
        for egress, expected in ((Egress(), False), (Egress(open=True, allow=("127.0.0.1/32",)), True)):
            _, said = await touched(house, learning(shown, egress=egress), "python3", "-c", script, port)
            assert ("there" in said) is expected


async def test_the_other_walls_stand_while_learning(house, shown):
    script = "import os\nfor call in (lambda: os.mkdir('/usr/x'), lambda: os.setuid(0), lambda: os.unshare(1 << 28)):\n"
    script += "    try: call(); print('worked')\n    except (OSError, AttributeError): print('refused')"
    _, said = await touched(house, learning(shown), "python3", "-c", script)
    assert said == ["refused"] * 3


async def test_without_learning_nothing_is_taken_down(house, shown):
    _, end = await house.shell(f"cat {shown}/one", Policy(visible=(str(shown),), rights=Rights(processes=True)))
    assert end.isolation.touched is None
