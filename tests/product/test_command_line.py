"""The command line as scripts rely on it: forms, exit statuses, and what goes where."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.running import EXAMPLES, ROOT, casemate

from casemate import __version__

HELLO = """
id: hello
namespace: tests.product
inputs:
  - {id: name, type: STRING, defaults: you}
  - {id: times, type: INT, required: false}
tasks:
  - id: greet
    type: io.kestra.plugin.core.debug.Return
    format: "hello {{ inputs.name }}"
outputs:
  - {id: greeting, type: STRING, value: "{{ outputs.greet.value }}"}
"""


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    file = tmp_path / "hello.yaml"
    file.write_text(HELLO)
    return file


def written(folder: Path, tasks: str, name: str = "flow.yaml") -> Path:
    file = folder / name
    file.write_text(f"id: made\nnamespace: tests.product\ntasks:\n{tasks}")
    return file


def test_a_flow_that_succeeds_exits_0_and_shows_its_story(hello: Path):
    result = casemate("run", hello, "-i", "name=Ada")
    assert result.returncode == 0, result.stderr
    assert "greet" in result.stdout
    assert "SUCCESS" in result.stdout
    assert "greeting: hello Ada" in result.stdout
    assert "1 task run in sandboxes: 1 at level full" in result.stdout


def test_where_nothing_was_started_no_walls_are_claimed(tmp_path: Path):
    runner = "{type: io.kestra.plugin.scripts.runner.docker.Docker}"
    task = f"  - {{id: s, type: io.kestra.plugin.scripts.shell.Commands, commands: [a], taskRunner: {runner}}}\n"
    result = casemate("run", written(tmp_path, task), environment={"DOCKER_HOST": f"unix://{tmp_path}/none"})
    assert result.returncode == 1
    assert "No task run was started in a sandbox or container." in result.stdout


def test_a_flow_that_ends_in_warning_exits_0(tmp_path: Path):
    task = "  - {id: oops, type: io.kestra.plugin.core.execution.Fail, allowFailure: true}\n"
    result = casemate("run", written(tmp_path, task))
    assert result.returncode == 0
    assert "WARNING" in result.stdout


def test_a_flow_that_fails_exits_1_and_says_why(tmp_path: Path):
    task = "  - {id: oops, type: io.kestra.plugin.core.execution.Fail, errorMessage: no luck today}\n"
    result = casemate("run", written(tmp_path, task))
    assert result.returncode == 1
    assert "no luck today" in result.stdout
    assert "FAILED" in result.stdout


def test_json_prints_the_execution_and_nothing_else(hello: Path):
    result = casemate("run", hello, "--json")
    execution = json.loads(result.stdout)
    assert execution["state"]["current"] == "SUCCESS"
    assert execution["outputs"] == {"greeting": "hello you"}
    isolation = execution["taskRunList"][0]["isolation"]
    assert isolation["level"] == "full"
    assert {"files", "network", "processes"} <= set(isolation["walls"])


def test_a_terminal_without_the_characters_gets_others(hello: Path):
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    shown = casemate("run", hello, "-i", "name=Åsa", environment=ascii_only)
    assert shown.returncode == 0, shown.stderr
    assert "greeting: hello \\xc5sa" in shown.stdout
    told = casemate("run", hello, "-i", "name=Åsa", "--json", environment=ascii_only)
    assert json.loads(told.stdout)["outputs"] == {"greeting": "hello Åsa"}


def test_quiet_prints_the_end_only(hello: Path):
    result = casemate("run", hello, "--quiet")
    assert result.returncode == 0
    assert "greeting: hello you" in result.stdout
    assert "greet " not in result.stdout


def test_a_reader_who_leaves_does_not_stop_the_flow():
    command = f"{sys.executable} -m casemate run examples/fan-out.yaml | head -1; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1


def test_inputs_may_come_from_a_file_and_the_command_line_wins(tmp_path: Path, hello: Path):
    (tmp_path / "inputs.yaml").write_text("name: Grace\ntimes: 2\n")
    result = casemate("run", hello, "--inputs", tmp_path / "inputs.yaml", "-i", "name=Joan", "--json")
    execution = json.loads(result.stdout)
    assert execution["inputs"] == {"name": "Joan", "times": 2}


def test_an_input_without_a_name_may_be_a_password_and_is_not_told(hello: Path):
    result = casemate("run", hello, "-i", "=open-sesame", "-i", "sesame-opens")
    assert result.returncode == 2
    assert result.stderr.count("-i without a name: expected NAME=VALUE") >= 1
    assert "sesame" not in result.stdout + result.stderr


def test_a_file_input_is_uploaded(tmp_path: Path):
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n")
    flow = tmp_path / "flow.yaml"
    flow.write_text(
        "id: reader\nnamespace: tests.product\ninputs:\n  - {id: table, type: FILE}\ntasks:\n"
        "  - {id: show, type: io.kestra.plugin.scripts.shell.Commands, commands: ['cat {{ inputs.table }}']}\n"
    )
    result = casemate("run", flow, "-i", f"table=@{tmp_path / 'numbers.csv'}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "a,b" in result.stdout


def test_every_problem_of_a_flow_is_told_with_its_place(tmp_path: Path):
    tasks = "  - {id: a, type: io.kestra.plugin.core.log.Lug}\n  - id: b\n    type: io.kestra.plugin.core.log.Log\n"
    flow = written(tmp_path, tasks + "    message: hi\n    massage: hi\n")
    result = casemate("run", flow)
    assert result.returncode == 2
    assert f"{flow}:4:" in result.stderr
    assert f"{flow}:8:5: " in result.stderr
    assert "Invalid type: io.kestra.plugin.core.log.Lug" in result.stderr
    assert 'Unrecognized field "massage"' in result.stderr


def test_an_input_that_does_not_fit_exits_2(hello: Path):
    result = casemate("run", hello, "-i", "times=often")
    assert result.returncode == 2
    assert f"{hello}:6:5: times: Invalid input for `times`" in result.stderr


def test_a_file_of_inputs_is_read_as_such(tmp_path: Path, hello: Path):
    (tmp_path / "inputs.yaml").write_text("a: b: c")
    result = casemate("run", hello, "--inputs", tmp_path / "inputs.yaml")
    assert result.returncode == 2
    assert f"{tmp_path}/inputs.yaml:1:5: Illegal inputs" in result.stderr


REFUSED = {
    "run absent.yaml": "absent.yaml: no such file",
    "run examples/welcome.yaml --bogus": "--bogus",
    "rn": "rn",
    "run examples/welcome.yaml -i novalue": "NAME=VALUE",
    "run examples/welcome.yaml -c absent.yml": "absent.yml",
    "run examples/welcome.yaml -i nobody=@/absent": "nobody is no input of this flow",
    "run examples/parallel-etl.yaml -i mountains=@/absent": "/absent",
    "run examples": "examples: is a directory",
    "run examples/welcome.yaml more": "Nothing is expected after what was given: more. (see: casemate run --help)",
    "run": "requires an argument. (see: casemate run --help)",
    "server local --port 99999": "--port",
    "eval": "give a template, or --jsonl",
    "schema io.kestra.Nothing": "there is no type io.kestra.Nothing",
}
SCHEMAS = {
    "schema": "Flow",
    "schema trigger": "trigger",
    "schema io.kestra.core.tasks.log.Log": "Log one message or several.",
    "schema STRING": None,
}
COMMANDS = ("", "run", "flow", "flow validate", "eval", "schema", "doctor", "server local")
HELPED = [f"{command} --help".strip() for command in COMMANDS]


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str, str]]:
    """What each of these command lines gives: exit status, output, errors. One process saves the start of many."""
    calls = [*REFUSED, *HELPED, *SCHEMAS, "--version"]
    command = [sys.executable, ROOT / "tests" / "product" / "command_lines.py"]
    done = subprocess.run(command, input="\n".join(calls), capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(zip(calls, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("call", REFUSED)
def test_what_cannot_be_understood_exits_2_with_a_line_that_names_it(answers, call: str):
    status, _, errors = answers[call]
    assert status == 2
    assert REFUSED[call] in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("call", HELPED)
def test_help_is_everywhere(answers, call: str):
    status, output, errors = answers[call]
    assert (status, errors) == (0, "")
    assert "Usage" in output


@pytest.mark.parametrize("call", SCHEMAS)
def test_a_schema_is_printed(answers, call: str):
    status, output, errors = answers[call]
    assert (status, errors) == (0, "")
    assert json.loads(output).get("title") == SCHEMAS[call]
    assert "$defs" in json.loads(output)


def test_the_version_is_told(answers):
    assert answers["--version"] == [0, f"{__version__}\n", ""]


def test_without_walls_nothing_runs_and_the_exit_status_is_3(hello: Path):
    closed = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        closed,
        "sh",
        sys.executable,
        "-m",
        "casemate",
        "run",
    ]
    result = subprocess.run([*command, str(hello)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "doctor" in result.stderr or "namespace" in result.stderr


def test_an_interrupt_kills_the_execution_and_leaves_nothing(tmp_path: Path):
    marker = f"casemate-test-{os.getpid()}"
    script = f"echo started; sleep 600 # {marker}"
    task = f"  - {{id: wait, type: io.kestra.plugin.scripts.shell.Commands, commands: ['{script}']}}\n"
    process = subprocess.Popen(
        [sys.executable, "-m", "casemate", "run", str(written(tmp_path, task))],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "started" in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, output + errors
    assert "KILLED" in output
    assert _running(marker) == []


def _running(marker: str) -> list[str]:
    time.sleep(0.1)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if marker in words:
                found.append(words)
    return found


def test_examples_are_valid():
    result = casemate("flow", "validate", EXAMPLES)
    assert result.returncode == 0
    assert result.stdout.count("✓") == len(list(EXAMPLES.rglob("*.yaml")))


def test_validate_tells_all_files_and_exits_1(tmp_path: Path):
    written(tmp_path, "  - {id: a, type: io.kestra.plugin.core.log.Lug}\n", "bad.yaml")
    written(tmp_path, "  - {id: a, type: io.kestra.plugin.core.log.Log, message: hi}\n", "good.yaml")
    result = casemate("flow", "validate", tmp_path)
    assert result.returncode == 1
    assert "✘ - " in result.stdout
    assert "bad.yaml:4:" in result.stdout
    assert "✓ - tests.product / made" in result.stdout


def test_validate_names_the_folder_that_has_no_flows(tmp_path: Path):
    (tmp_path / "none").mkdir()
    result = casemate("flow", "validate", EXAMPLES / "welcome.yaml", tmp_path / "none")
    assert result.returncode == 1
    assert f"✘ - {tmp_path}/none: no .yaml or .yml file in this folder" in result.stdout


def test_eval_renders_a_template(tmp_path: Path):
    (tmp_path / "vars.json").write_text('{"name": "Ada"}')
    assert casemate("eval", "{{ 1 + 2 }}").stdout == "3\n"
    assert casemate("eval", "--vars", tmp_path / "vars.json", "hi {{ name | upper }}").stdout == "hi ADA\n"
    failed = casemate("eval", "{{ nothing }}")
    assert failed.returncode == 1
    assert "Unable to find `nothing`" in failed.stderr


def test_eval_reads_json_lines():
    given = '{"id": "a", "template": "{{ x + 1 }}", "vars": {"x": 1}}\n{"id": "b", "template": "{{ y }}", "vars": {}}\n'
    lines = [json.loads(line) for line in casemate("eval", "--jsonl", given=given).stdout.splitlines()]
    assert lines[0] == {"id": "a", "value": "2"}
    assert lines[1]["id"] == "b"
    assert "Unable to find `y`" in lines[1]["error"]


def test_run_starts_the_flow_it_is_given_and_nothing_else(tmp_path: Path):
    file = written(tmp_path, "  - {id: a, type: io.kestra.plugin.core.flow.Sleep, duration: PT3S}\n")
    trigger = "{id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: '* * * * * *', withSeconds: true}"
    file.write_text(f"{file.read_text()}triggers: [{trigger}]\n")
    result = casemate("run", file, "--quiet", "--state", tmp_path / "state")
    assert result.returncode == 0, result.stderr
    with sqlite3.connect(tmp_path / "state" / "casemate.db") as database:
        assert database.execute("SELECT count(*) FROM executions").fetchone() == (1,)
