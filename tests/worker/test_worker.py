"""From a grant to its report, through real sandboxes."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import anyio
import pytest
from tests.worker.conftest import CORE, SCRIPTS, empty, eventually, running
from tests.worker.plane import Plane

from casemate.dispatch import Reply
from casemate.secret import Secret
from casemate.worker.outputs import LARGEST

pytestmark = pytest.mark.anyio

SHELL = f"{SCRIPTS}.shell.Commands"
PYTHON = f"{SCRIPTS}.python.Script"


async def test_a_body_runs_and_its_log_is_rendered(plane: Plane, worker: Path):
    job = await plane.give(
        f"{CORE}.log.Log", properties={"message": "Hello {{ inputs.name }}"}, variables={"inputs": {"name": "Ada"}}
    )
    end = await plane.end_of(job)
    assert end.state == "SUCCESS"
    assert end.outputs is None
    assert plane.messages("INFO") == ["Hello Ada"]


async def test_every_end_carries_the_walls_that_stood(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}))
    assert end.isolation is not None
    assert end.isolation["level"] == "full"
    assert end.isolation["walls"]
    assert set(end.isolation) >= {"policy", "allowed", "denied", "reached", "limitsHit", "resources"}


async def test_outputs_keep_nulls_and_nesting(plane: Plane, worker: Path):
    values = {"a": "{{ 1 + 1 }}", "b": {"c": ["{{ 'x' }}", None]}}
    end = await plane.end_of(await plane.give(f"{CORE}.output.OutputValues", properties={"values": values}))
    assert end.outputs == {"values": {"a": "2", "b": {"c": ["x", None]}}}


async def test_a_failing_body_says_why(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(f"{CORE}.execution.Fail", properties={"errorMessage": "not today"}))
    assert end.state == "FAILED"
    assert plane.messages("ERROR") == ["not today"]


async def test_a_template_that_fails_ends_the_attempt_with_its_text(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "{{ nowhere }}"}))
    assert end.state == "FAILED"
    assert plane.messages("ERROR") == [
        "Unable to find `nowhere` used in the expression `{{ nowhere }}` at line 1",
    ]


async def test_a_script_logs_and_hands_on_outputs(plane: Plane, worker: Path):
    commands = [
        "echo plain",
        "echo trouble >&2",
        """echo '::{"outputs":{"rows":3},"metrics":[{"name":"m","type":"counter","value":2}]}::'""",
        """echo '::{"logs":[{"level":"WARN","message":"careful"}]}::'""",
        "echo '::{broken}::'",
    ]
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": commands}))
    assert end.state == "SUCCESS"
    assert end.outputs == {"vars": {"rows": 3}, "exitCode": 0, "outputFiles": {}}
    assert plane.messages("INFO") == ["plain"]
    assert plane.messages("ERROR") == ["trouble"]
    assert plane.messages("WARN")[0] == "careful"
    assert plane.messages("WARN")[1].startswith("Invalid outputs '")
    assert [metric.name for metric in plane.metrics] == ["m"]


async def test_a_failing_command_keeps_what_it_said_and_left(plane: Plane, worker: Path):
    commands = ["echo 1 > kept.txt", """echo '::{"outputs":{"a":1}}::'""", "exit 3", "echo never"]
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": commands, "outputFiles": ["*.txt"]}))
    assert end.state == "FAILED"
    assert end.outputs is not None
    assert end.outputs["vars"] == {"a": 1}
    assert end.outputs["exitCode"] == 3
    assert plane.files[end.outputs["outputFiles"]["kept.txt"]] == b"1\n"
    assert plane.messages("ERROR") == ["Command failed with exit code 3"]


async def test_a_script_ended_by_a_signal_has_the_exit_code_of_a_shell(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": ["kill -9 $$"]}))
    assert end.outputs is not None
    assert end.outputs["exitCode"] == 137


async def test_fail_fast_can_be_switched_off(plane: Plane, worker: Path):
    properties = {"commands": ["false", "echo on"], "failFast": False}
    assert (await plane.end_of(await plane.give(SHELL, properties=properties))).state == "SUCCESS"
    assert plane.messages("INFO") == ["on"]


@pytest.mark.parametrize(("asked", "state"), [(None, "SUCCESS"), (False, "SUCCESS"), (True, "WARNING")])
async def test_words_on_standard_error_warn_where_the_flow_says_so(plane: Plane, worker: Path, asked, state):
    properties = {"commands": ["echo hm >&2"]} | ({} if asked is None else {"warningOnStdErr": asked})
    assert (await plane.end_of(await plane.give(SHELL, properties=properties))).state == state


async def test_the_default_of_the_task_type_makes_no_warning(plane: Plane, worker: Path):
    properties = {"commands": ["echo hm >&2"], "warningOnStdErr": True}
    job = await plane.give(SHELL, properties=properties, defaulted={"warningOnStdErr"})
    assert (await plane.end_of(job)).state == "SUCCESS"


async def test_an_inline_python_script_runs_from_a_file_that_is_no_result(plane: Plane, worker: Path):
    script = "import json, os\nprint(json.dumps([true, null]), os.environ['GREETING'], os.getcwd())"
    properties = {"script": script, "env": {"GREETING": "{{ 'hi' }}"}, "outputFiles": ["**"]}
    end = await plane.end_of(await plane.give(PYTHON, properties=properties))
    assert end.outputs == {"vars": {}, "exitCode": 0, "outputFiles": {}}
    assert plane.messages("INFO") == ["[true, null] hi /work"]


async def test_an_inline_script_is_told_the_same_with_and_without_a_shell_before_it(plane: Plane, worker: Path):
    script = (
        "import json, os, signal, sys\n"
        "print(json.dumps([sys.argv, sys.orig_argv, os.getpid() == os.getpgid(0), os.getppid(), sorted(os.environ)]))\n"
        "print(signal.getsignal(signal.SIGPIPE), os.umask(0), sys.stdin.read(), __name__, __file__)"
    )
    for before in ([], [":"]):
        await plane.end_of(await plane.give(PYTHON, properties={"script": script, "beforeCommands": before}))
    told = plane.messages("INFO")
    assert told[:2] == told[2:]
    commands = [message for message in plane.messages("DEBUG") if message.startswith("Starting command")]
    assert [" -c" in command for command in commands] == [False, True]


async def test_python_is_there_by_its_usual_name(plane: Plane, worker: Path):
    properties = {"beforeCommands": ["python --version"], "commands": ["python -c 'print(6 * 7)'"]}
    assert (
        await plane.end_of(await plane.give(f"{SCRIPTS}.python.Commands", properties=properties))
    ).state == "SUCCESS"
    assert plane.messages("INFO")[-1] == "42"


async def test_files_go_in_and_come_out(plane: Plane, worker: Path):
    plane.files["kestra:///in/a.csv"] = b"b\na\n" * 2000
    properties = {
        "inputFiles": {
            "in.csv": "{{ outputs.uri }}",
            "sub/note.txt": "note {{ 1 + 1 }}",
            "skipped": None,
            "n.json": {"a": 1},
        },
        "commands": ["sort -u in.csv > out/sorted.csv", "cat sub/note.txt n.json"],
        "beforeCommands": ["mkdir out"],
        "outputFiles": ["out/*.csv"],
    }
    job = await plane.give(SHELL, properties=properties, variables={"outputs": {"uri": "kestra:///in/a.csv"}})
    end = await plane.end_of(job)
    assert end.outputs is not None
    assert plane.files[end.outputs["outputFiles"]["out/sorted.csv"]] == b"a\nb\n"
    assert plane.messages("INFO") == ['note 2{"a":1}']


async def test_input_files_may_be_one_expression_that_gives_json(plane: Plane, worker: Path):
    job = await plane.give(
        SHELL,
        properties={"inputFiles": "{{ files }}", "commands": ["cat a.txt"]},
        variables={"files": {"a.txt": "content"}},
    )
    assert (await plane.end_of(job)).state == "SUCCESS"
    assert plane.messages("INFO") == ["content"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
async def test_an_input_file_cannot_be_placed_outside(plane: Plane, worker: Path, name):
    end = await plane.end_of(await plane.give(SHELL, properties={"inputFiles": {name: "x"}, "commands": ["true"]}))
    assert end.state == "FAILED"
    assert "must be a relative path inside the current working directory" in plane.messages("ERROR")[0]


async def test_an_internal_file_in_a_command_is_fetched(plane: Plane, worker: Path):
    plane.files["kestra:///in/a.csv"] = b"content\n"
    properties = {"commands": ["cat kestra:///in/a.csv kestra:///in/a.csv"], "outputFiles": ["**"]}
    end = await plane.end_of(await plane.give(SHELL, properties=properties))
    assert end.outputs == {"vars": {}, "exitCode": 0, "outputFiles": {}}
    assert plane.messages("INFO") == ["content", "content"]


async def test_a_missing_internal_file_is_said_by_name(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(SHELL, properties={"commands": ["cat kestra:///no/such.csv"]}))
    assert end.state == "FAILED"
    assert "kestra:///no/such.csv" in plane.messages("ERROR")[0]


async def test_files_of_the_namespace_are_fetched_by_pattern(plane: Plane, worker: Path):
    plane.files |= {"kestra:///ns/lib/a.py": b"A = 1\n", "kestra:///ns/b.txt": b"b\n"}
    listed = {"/lib/a.py": "kestra:///ns/lib/a.py", "b.txt": "kestra:///ns/b.txt"}
    plane.answers["namespace_files"] = lambda _: Reply(listed)
    properties = {"namespaceFiles": {"include": ["*.py"]}, "commands": ["find . -name '*.*' -type f"]}
    assert (await plane.end_of(await plane.give(SHELL, properties=properties))).state == "SUCCESS"
    assert plane.messages("INFO") == ["./lib/a.py"]


async def test_the_output_directory_is_collected_whole(plane: Plane, worker: Path):
    properties = {"outputDirectory": True, "commands": ["mkdir {{ outputDir }}/d", "echo x > $OUTPUT_DIR/d/x.txt"]}
    end = await plane.end_of(await plane.give(SHELL, properties=properties))
    assert end.outputs is not None
    assert list(end.outputs["outputFiles"]) == ["d/x.txt"]


async def test_links_that_lead_out_are_no_results(plane: Plane, worker: Path):
    properties = {"commands": ["ln -s /etc/passwd a.txt", "ln -s /etc d", "mkfifo p.txt"], "outputFiles": ["**"]}
    end = await plane.end_of(await plane.give(SHELL, properties=properties))
    assert end.outputs is not None
    assert end.outputs["outputFiles"] == {}


async def test_secrets_are_masked_wherever_they_are_written(plane: Plane, worker: Path):
    properties = {
        "env": {"TOKEN": "{{ secret('TOKEN') }}"},
        "commands": [
            "echo $TOKEN",
            "echo $TOKEN >&2",
            "printf %s $TOKEN | base64",
            """echo '::{"logs":[{"message":"'$TOKEN'"}]}::'""",
        ],
    }
    await plane.end_of(await plane.give(SHELL, properties=properties, secrets={"TOKEN": "hunter2secret"}))
    assert len(plane.messages("INFO", "ERROR")) == 4
    assert not [text for text in plane.messages() if "hunter2" in text or "aHVudGVyMnNlY3Jld" in text]


async def test_the_isolation_report_shows_no_secret_that_a_task_asked_for_by_name(plane: Plane, worker: Path):
    connect = "socket.create_connection((os.environ['TOKEN'] + '.invalid', 80), 1)"
    script = f"import os, socket\ntry: {connect}\nexcept OSError as e: print(e)"
    properties = {"env": {"TOKEN": "{{ secret('TOKEN') }}"}, "script": script}
    end = await plane.end_of(await plane.give(PYTHON, properties=properties, secrets={"TOKEN": "hunter2secret"}))
    assert "hunter2" not in str(end.isolation)
    assert not [text for text in plane.messages() if "hunter2" in text]


class Opening(dict):
    """Variables one of which is opened when a template asks for it."""

    def __init__(self, opened: list[Secret]) -> None:
        super().__init__(clear="opensesame", sealed=None)
        self.opened = opened

    def __getitem__(self, key: str) -> object:
        if key == "sealed":
            self.opened.append(Secret("opensesame"))
            return "opensesame"
        return super().__getitem__(key)


@pytest.mark.parametrize(
    ("message", "level", "written"),
    [
        ("it is {{ sealed }}", "INFO", "it is ********"),
        ("{{ sealed }}{{ clear | date(sealed) }}", "ERROR", "********"),
    ],
)
async def test_what_a_template_opens_is_masked_also_when_it_fails(plane: Plane, worker: Path, message, level, written):
    opened: list[Secret] = []
    job = await plane.give(f"{CORE}.log.Log", properties={"message": message}, variables=Opening(opened), opened=opened)
    await plane.end_of(job)
    assert "opensesame" not in " ".join(plane.messages())
    assert written in plane.messages(level)[0]


async def test_a_secret_with_a_computed_name_is_asked_for_and_masked(plane: Plane, worker: Path):
    plane.answers["secret"] = lambda arguments: Reply(f"value-of-{arguments['key']}")
    properties = {"message": "it is {{ secret('A' ~ 'B') }}"}
    await plane.end_of(await plane.give(f"{CORE}.log.Log", properties=properties))
    assert plane.messages("INFO") == ["it is ********"]


async def test_values_of_the_store_are_asked_for(plane: Plane, worker: Path):
    plane.answers["kv"] = lambda arguments: Reply({"a": arguments["key"]})
    await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "{{ kv('k').a }}"}))
    assert plane.messages("INFO") == ["k"]


async def test_a_refusal_of_the_control_plane_fails_the_template(plane: Plane, worker: Path):
    plane.answers["secret"] = lambda _: Reply(error="Cannot find secret for key 'X'.")
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "{{ secret('X') }}"}))
    assert end.state == "FAILED"
    assert "Cannot find secret for key 'X'." in plane.messages("ERROR")[0]


async def test_dependencies_are_installed_behind_the_walls(plane: Plane, worker: Path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        wheel.writestr("tiny.py", "VALUE = 42\n")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    plane.files["kestra:///in/tiny.whl"] = content.getvalue()
    properties = {
        "inputFiles": {"tiny-1.0-py3-none-any.whl": "kestra:///in/tiny.whl"},
        "dependencies": ["./tiny-1.0-py3-none-any.whl"],
        "script": "import tiny\nprint(tiny.VALUE)",
        "outputFiles": ["**"],
    }
    end = await plane.end_of(await plane.give(PYTHON, properties=properties))
    if any("No module named pip" in text for text in plane.messages()):
        pytest.skip("this machine's Python has no pip")
    assert plane.messages("INFO") == ["42"]
    assert end.outputs is not None
    assert list(end.outputs["outputFiles"]) == ["tiny-1.0-py3-none-any.whl"]


async def test_docker_is_refused_where_the_worker_has_nothing_for_it(plane: Plane, worker: Path):
    runner = {"type": "io.kestra.plugin.scripts.runner.docker.Docker"}
    end = await plane.end_of(await plane.give(SHELL, properties={"taskRunner": runner, "commands": ["true"]}))
    assert end.state == "FAILED"
    assert "Docker task runner is not available" in plane.messages("ERROR")[0]
    assert end.isolation is None


async def test_an_image_is_accepted_and_said_to_have_no_effect(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(SHELL, properties={"containerImage": "ubuntu", "commands": ["true"]}))
    assert end.state == "SUCCESS"
    assert "`containerImage` has no effect" in plane.messages("DEBUG")[0]


@pytest.mark.parametrize(
    ("canonical", "words"),
    [
        ("no.such.Task", "No plugin registered for the defined type: 'no.such.Task'"),
        (f"{CORE}.kv.Set", "has nothing that a worker could run"),
        (f"{SCRIPTS}.ruby.Script", "not available in this version"),
    ],
)
async def test_what_cannot_be_run_says_so(plane: Plane, worker: Path, canonical, words):
    assert (await plane.end_of(await plane.give(canonical))).state == "FAILED"
    assert words in " ".join(plane.messages("ERROR"))


async def test_a_task_that_takes_too_long_is_ended(plane: Plane, worker: Path):
    job = await plane.give(SHELL, properties={"commands": ["sleep 60"]}, timeout="PT{{ 0.4 + 0.1 }}S")
    end = await plane.end_of(job)
    assert end.state == "FAILED"
    assert len([text for text in plane.messages() if "Timeout" in text]) == 2
    assert end.isolation is not None


async def test_a_bad_timeout_is_a_failure_with_a_reason(plane: Plane, worker: Path):
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}, timeout="soon"))
    assert end.state == "FAILED"
    assert "Invalid timeout 'soon'" in plane.messages("ERROR")[0]


async def test_a_killed_script_may_say_goodbye(plane: Plane, worker: Path):
    commands = ["trap 'echo bye; exit 0' TERM", "echo begun", "while true; do sleep 0.05; done"]
    job = await plane.give(SHELL, properties={"commands": commands})
    await plane.until(lambda: "begun" in plane.messages())
    await plane.kill(job)
    end = await plane.end_of(job)
    assert end.state == "KILLED"
    assert end.outputs is None
    assert plane.messages("INFO") == ["begun", "bye"]


async def test_a_killed_body_is_gone(plane: Plane, worker: Path):
    job = await plane.give(f"{CORE}.flow.Sleep", properties={"duration": "PT60S"})
    await eventually(lambda: not empty(worker))
    await plane.kill(job)
    assert (await plane.end_of(job)).state == "KILLED"


async def test_a_job_that_belongs_to_another_is_dropped_without_an_end(plane: Plane, worker: Path):
    job = await plane.give(SHELL, properties={"commands": ["while true; do echo on; sleep 0.05; done"]})
    await plane.until(lambda: "on" in plane.messages())
    plane.taken_away.add(job)
    await eventually(lambda: empty(worker))
    assert job not in plane.ended


async def test_the_level_of_the_task_filters_its_log(plane: Plane, worker: Path):
    properties = {"commands": ["echo quiet", "echo loud >&2"]}
    await plane.end_of(await plane.give(SHELL, properties=properties, log_level="WARN"))
    assert plane.messages() == ["loud"]


async def test_a_flood_arrives_complete_in_batches(plane: Plane, worker: Path):
    await plane.end_of(await plane.give(SHELL, properties={"commands": ["seq 1 20000"]}))
    assert plane.messages("INFO") == [str(number) for number in range(1, 20_001)]
    assert plane.batches >= 100 - 1


async def test_a_line_without_an_end_is_cut_and_goes_on(plane: Plane, worker: Path):
    script = "import sys\nsys.stdout.write('x' * 3_000_000)"
    assert (await plane.end_of(await plane.give(PYTHON, properties={"script": script}))).state == "SUCCESS"
    assert sum(map(len, plane.messages("INFO"))) <= 3_000_000
    assert max(map(len, plane.messages())) <= 10_240


async def test_outputs_that_are_too_large_fail_the_attempt(plane: Plane, worker: Path):
    script = f"""import json\nprint('::' + json.dumps({{"outputs": {{"a": "x" * {LARGEST // 2 + 1000}}}}}) + '::')
print('::' + json.dumps({{"outputs": {{"b": "x" * {LARGEST // 2}}}}}) + '::')"""
    end = await plane.end_of(await plane.give(PYTHON, properties={"script": script}))
    assert end.state == "FAILED"
    assert end.outputs is None
    assert "has exceeded the configured limit of 1048576" in plane.messages("ERROR")[-1]


async def test_lines_that_look_like_messages_break_nothing(plane: Plane, worker: Path):
    script = """
print('::{"outputs":' + '[' * 200_000 + ']' * 200_000 + '}::')
print('::{"outputs":{"n":1e999}}::')
print('::{"metrics":[{"name":"x","type":"counter","value":"NaN"}]}::')
print('::{"outputs":{"a":"\\\\ud800"}}::')
print('::{' + '\\x00' * 10 + '}::')
print('::{"outputs":{"kept":true}}::')
"""
    end = await plane.end_of(await plane.give(PYTHON, properties={"script": script}))
    assert end.state == "SUCCESS"
    assert end.outputs is not None
    assert end.outputs["vars"] == {"a": "?", "kept": True}
    assert len(plane.messages("WARN")) == 4


async def test_nothing_is_left_of_a_job_whatever_it_left(plane: Plane, worker: Path):
    script = "import os\nos.mkdir('closed', 0)\nfor _ in range(300):\n    os.mkdir('d')\n    os.chdir('d')\n"
    assert (await plane.end_of(await plane.give(PYTHON, properties={"script": script}))).state == "SUCCESS"
    await eventually(lambda: empty(worker))


async def test_jobs_run_side_by_side_up_to_the_slots(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work", slots=2):
        jobs = [await plane.give(SHELL, properties={"commands": ["sleep 0.2"]}) for _ in range(6)]
        for job in jobs:
            assert (await plane.end_of(job)).state == "SUCCESS"


async def test_a_kill_is_heard_while_every_slot_is_taken(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work", slots=1):
        first = await plane.give(SHELL, properties={"commands": ["echo begun", "sleep 60"]})
        second = await plane.give(SHELL, properties={"commands": ["true"]})
        await plane.until(lambda: "begun" in plane.messages())
        await plane.kill(first)
        assert (await plane.end_of(first)).state == "KILLED"
        assert (await plane.end_of(second)).state == "SUCCESS"


async def test_the_worker_says_what_it_holds(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work"):
        job = await plane.give(SHELL, properties={"commands": ["echo begun", "sleep 5"]})
        await plane.until(lambda: any((job, 7) in beat.holds for beat in plane.beats))


async def test_what_an_earlier_worker_left_is_removed(plane: Plane, tmp_path: Path):
    left = tmp_path / "work" / "left" / "deeper"
    left.mkdir(parents=True)
    (left / "file").write_text("x")
    async with running(plane, tmp_path / "work") as folder:
        assert (await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}))).state == "SUCCESS"
        assert "left" not in os.listdir(folder)


async def test_a_stopped_worker_leaves_nothing_running(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work") as folder:
        job = await plane.give(SHELL, properties={"commands": ["echo begun", "sleep 60"]})
        await plane.until(lambda: "begun" in plane.messages())
    assert job not in plane.ended
    assert empty(folder)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
async def test_an_inline_node_script_runs(plane: Plane, worker: Path):
    script = """console.log('::' + JSON.stringify({outputs: {sum: [1, 2, 3].reduce((a, b) => a + b)}}) + '::')"""
    end = await plane.end_of(await plane.give(f"{SCRIPTS}.node.Script", properties={"script": script}))
    assert end.outputs is not None
    assert end.outputs["vars"] == {"sum": 6}


async def test_a_job_for_which_there_is_no_folder_fails_at_once(plane: Plane, worker: Path):
    first = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}))
    assert first.state == "SUCCESS"  # from here on it has cleared its folder, and will not look for it again
    already = len(plane.messages())
    elsewhere = shutil.move(worker, worker.with_name("elsewhere"))
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}))
    assert (end.state, end.isolation) == ("FAILED", None)
    assert plane.messages()[already:] == ["The worker cannot make a working directory: No such file or directory"]
    shutil.move(elsewhere, worker)
    again = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}))
    assert again.state == "SUCCESS"


async def test_a_kill_at_any_moment_of_a_launch_is_heard(plane: Plane, worker: Path):
    for milliseconds in (0, 1, 2, 4, 6, 8, 10, 15, 20, 40):
        job = await plane.give(SHELL, properties={"commands": ["sleep 60"]})
        await anyio.sleep(milliseconds / 1000)
        await plane.kill(job)
        assert (await plane.end_of(job)).state == "KILLED"
    await eventually(lambda: empty(worker))
