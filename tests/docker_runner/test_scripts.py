"""Scripts in containers of a real engine: files, variables, lines, exit codes, and what a container may not."""

from __future__ import annotations

import anyio
import pytest
from tests.docker_runner.conftest import IMAGE, PYTHON, RUNNER, SHELL, Dock
from tests.worker.plane import grant

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_files_go_in_and_come_out(dock: Dock):
    dock.plane.files["kestra:///in/numbers.txt"] = b"3\n1\n2\n"
    end = await dock.run(
        "mkdir -p out/deep; cat in/greeting.txt numbers.txt > out/deep/all.txt",
        "cat kestra:///in/numbers.txt > out/second.txt",
        "echo done > {{ outputDir }}/whole.txt; touch ignored",
        inputFiles={"in/greeting.txt": "hello\n", "numbers.txt": "kestra:///in/numbers.txt"},
        outputFiles=["out/**"],
        outputDirectory=True,
    )
    assert end.state == "SUCCESS", dock.plane.messages()
    assert end.outputs is not None
    kept = {name: dock.plane.files[uri] for name, uri in end.outputs["outputFiles"].items()}
    assert kept == {"out/deep/all.txt": b"hello\n3\n1\n2\n", "out/second.txt": b"3\n1\n2\n", "whole.txt": b"done\n"}
    assert set(end.outputs["taskRunner"]) == {"containerId"}


async def test_variables_go_in_and_outputs_come_out(dock: Dock):
    end = await dock.run(
        'echo "$GREETING from $WORKING_DIR"; pwd',
        'echo \'::{"outputs":{"rows":3}}::\'',
        "echo trouble >&2",
        env={"GREETING": "hello"},
    )
    assert end.outputs is not None
    assert end.outputs["vars"] == {"rows": 3}
    assert dock.plane.messages("INFO") == ["hello from /casemate/work", "/casemate/work"]
    assert dock.plane.messages("ERROR") == ["trouble"]


async def test_an_inline_script_is_run_by_the_interpreter_of_the_image(dock: Dock):
    script = "import os\nprint([true, null], os.path.basename(__file__))"
    end = await dock.run(canonical=PYTHON, script=script, beforeCommands=["echo before"])
    assert end.state == "SUCCESS", dock.plane.messages()
    assert dock.plane.messages("INFO") == ["before", "[True, None] .script.py"]


async def test_an_exit_code_is_told_and_outputs_are_kept_nevertheless(dock: Dock):
    end = await dock.run("echo some > a.txt", "exit 7", outputFiles=["a.txt"])
    assert end.state == "FAILED"
    assert end.outputs is not None
    assert end.outputs["exitCode"] == 7
    assert list(end.outputs["outputFiles"]) == ["a.txt"]
    assert dock.plane.messages("ERROR") == ["Command failed with exit code 7"]


async def test_lines_are_told_while_the_script_runs(dock: Dock):
    job = await dock.give("echo first", "sleep 30", timeout="PT20S")
    await dock.plane.until(lambda: "first" in dock.plane.messages("INFO"))
    assert job not in dock.plane.ended
    await dock.plane.kill(job)
    assert (await dock.plane.end_of(job)).state == "KILLED"


async def test_a_kill_removes_the_container(dock: Dock):
    job = await dock.give("trap '' TERM; echo up; sleep 60")
    await dock.plane.until(lambda: "up" in dock.plane.messages())
    assert len(dock.containers()) == 1
    await dock.plane.kill(job)
    assert (await dock.plane.end_of(job)).state == "KILLED"
    assert dock.containers() == []


async def test_a_timeout_lets_a_script_clear_up_first_where_the_runner_says_so(dock: Dock):
    end = await dock.run(
        "trap 'echo clearing up; exit 0' TERM; echo up; sleep 30 & wait",
        runner={"killGracePeriod": "PT10S"},
        timeout="PT3S",
    )
    assert end.state == "FAILED"
    assert dock.plane.messages("INFO") == ["up", "clearing up"]
    assert "Timeout after PT3S" in dock.plane.messages("ERROR")


async def test_containers_are_labelled_as_kestra_does(dock: Dock):
    job = await dock.give("echo up; sleep 30")
    await dock.plane.until(lambda: "up" in dock.plane.messages())
    told = dock.engine.call("inspect", "--format", "{{json .Config.Labels}}", *dock.containers())
    for name, value in {
        "namespace": "examples",
        "flow-id": "flow",
        "taskrun-id": "task-run",
        "task-id": "task",
    }.items():
        assert f'"kestra.io/{name}":"{value}"' in told
    await dock.plane.kill(job)
    await dock.plane.end_of(job)


async def test_a_container_has_no_rights_no_network_and_no_root_to_write_to(dock: Dock):
    end = await dock.run(
        "grep -E '^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status",
        "ls /sys/class/net",
        "touch /etc/new && echo wrote to the root",
        "touch /tmp/new && echo wrote to tmp",
        failFast=False,
    )
    assert end.state == "SUCCESS"
    assert dock.plane.messages("INFO") == [
        *(f"{name}:\t0000000000000000" for name in ("CapPrm", "CapEff", "CapBnd")),
        *("NoNewPrivs:\t1", "Seccomp:\t2"),
        *("lo", "wrote to tmp"),
    ]


async def test_the_report_says_whose_walls_these_are(dock: Dock):
    end = await dock.run("true")
    assert end.isolation is not None
    assert end.isolation["level"] == "container (docker)"
    assert end.isolation["walls"]["capabilities"] == "none"
    assert end.isolation["walls"]["network"] == "empty network namespace"
    assert end.isolation["allowed"]["network"] is False
    assert end.isolation["policy"] == dock.policy_for(None, None).digest


async def test_a_user_of_ones_own_can_write_where_it_works(dock: Dock):
    end = await dock.run(
        "id -u; cat in.txt > out.txt", "touch in.txt", runner={"user": "65534"}, inputFiles={"in.txt": "x"}
    )
    assert end.state == "SUCCESS", dock.plane.messages()
    assert dock.plane.messages("INFO")[0] == "65534"


async def test_the_engines_socket_is_in_no_sandbox_and_no_container(dock: Dock):
    look = f"ls {dock.engine.socket} /var/run/docker.sock /run/docker.sock; true"
    await dock.run(look)
    await dock.run(look, runner={"type": "io.kestra.plugin.core.runner.Process"})
    assert dock.plane.messages("INFO") == []
    assert sum("No such file" in message for message in dock.plane.messages("ERROR")) == 6, dock.plane.messages()


async def test_memory_is_limited_by_the_policy(dock: Dock):
    end = await dock.run(canonical=PYTHON, script="x = bytearray(400 << 20)\nprint(len(x))")
    assert end.state == "FAILED"
    assert dock.plane.messages("ERROR")[-1] == "killed: memory limit 256 MiB"
    assert end.isolation is not None
    assert end.isolation["limitsHit"] == ["memory"]


async def test_too_much_output_ends_the_container(idle: Dock):
    idle.limits = type(idle.limits)(memory=256 << 20, output=200_000)
    async with idle.working():
        end = await idle.run("while true; do echo 0123456789012345678901234567890123456789; done")
    assert end.state == "FAILED"
    assert idle.plane.messages("ERROR") == ["killed: output limit 200000 bytes"]


async def test_no_line_is_lost_however_short_the_lines_are(idle: Dock):
    idle.limits = type(idle.limits)(memory=256 << 20, output=250_000)
    async with idle.working():
        end = await idle.run(canonical=PYTHON, script="for number in range(20_000): print(number)")
    assert end.state == "SUCCESS", idle.plane.messages("ERROR")
    assert idle.plane.messages("INFO") == [str(number) for number in range(20_000)]


async def test_the_shortest_lines_do_not_fill_the_disk_of_the_engine(idle: Dock):
    idle.limits = type(idle.limits)(memory=256 << 20, output=250_000)
    async with idle.working():
        end = await idle.run(canonical=PYTHON, script="import os\nfor _ in range(60_000): os.write(1, b'\\n')")
    assert end.state == "FAILED"
    assert idle.plane.messages("ERROR") == ["killed: output limit 250000 bytes"]


async def test_a_script_hears_of_its_timeout_itself(dock: Dock):
    script = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("heard")))
print("up")
time.sleep(60)
"""
    await dock.run(canonical=PYTHON, script=script, runner={"killGracePeriod": "PT10S"}, timeout="PT4S")
    assert dock.plane.messages("INFO") == ["up", "heard"]


async def test_tasks_of_a_working_directory_share_files_across_runners(dock: Dock):
    container = {"containerImage": IMAGE, "taskRunner": {"type": RUNNER}}
    tasks = (
        {"commands": ["echo one > a.txt; ln -s a.txt link; mkdir empty"]},
        {"commands": ["cat link; rm a.txt; echo two > empty/b.txt"], **container},
        {"commands": ["cat empty/b.txt; ls"]},
    )
    grants = [grant(f"task-{number}", SHELL, properties=each) for number, each in enumerate(tasks)]
    with anyio.fail_after(60):
        await dock.plane.end_of(await dock.plane.share(*grants))
    assert dock.plane.messages("INFO") == ["one", "two", "empty", "link"]


async def test_the_time_of_the_policy_ends_the_container(idle: Dock):
    idle.limits = type(idle.limits)(memory=256 << 20, duration=2)
    async with idle.working():
        end = await idle.run("echo up; sleep 60")
    assert end.state == "FAILED"
    assert idle.plane.messages("ERROR") == ["killed: duration limit 2 s"]
