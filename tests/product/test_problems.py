"""A flow that is not one: every problem at once with its place, in the same words in the shell and over the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from tests.running import Server, casemate

from casemate.errors import Problem

YAML = {"content-type": "application/x-yaml"}

HEAD = """id: made
namespace: tests.product
tasks:
  - {id: say, type: io.kestra.plugin.core.log.Log, message: hi}
"""


def padded(size: int) -> str:
    """A valid flow of so many bytes."""
    return HEAD + "# " + "x" * (size - len(HEAD) - 3) + "\n"


def nested(levels: int) -> str:
    """A valid flow with tasks in so many levels."""
    text = "id: made\nnamespace: tests.product\ntasks:\n"
    for level in range(1, levels):
        indent = " " * (4 * level - 2)
        text += f"{indent}- id: level{level}\n{indent}  type: io.kestra.plugin.core.flow.Sequential\n{indent}  tasks:\n"
    return text + " " * (4 * levels - 2) + "- {id: say, type: io.kestra.plugin.core.log.Log, message: hi}\n"


EVERYTHING = """id: not an id
namespace: tests.product
id: again
inputs:
  - {id: count, type: NUMBER}
tasks:
  - id: one
    type: io.kestra.plugin.core.log.Lug
  - id: two
    type: io.kestra.plugin.core.log.Log
    message: hi
    massage: hi
  - id: two
    type: io.kestra.plugin.core.log.Log
    level: LOUD
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: every day
bogus: true
"""


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    told: tuple[str, ...]
    """How each problem begins: its place, then its words."""


CASES = (
    Case("malformed", HEAD + "  - id: [a\n", ("5:9: Illegal flow yaml: while parsing a flow sequence",)),
    Case("a tab", HEAD + "\tlabels: {}\n", ("5:1: Illegal flow yaml: ",)),
    Case("nothing", "", ("1:1: Illegal flow yaml: ",)),
    Case("a list", "- 1\n", ("1:1: Illegal flow yaml: ",)),
    Case("more than 1 MiB", padded((1 << 20) + 1), ("1:1: Illegal flow yaml: the text is larger than 1048576 bytes",)),
    Case("too deep", nested(100), ("301:401: Illegal flow yaml: the document is nested deeper than 200 levels",)),
    Case("duplicate key", "id: a\n" + HEAD, ("2:1: id: Illegal flow yaml: Duplicate field 'id'",)),
    Case(
        "unknown task type",
        HEAD + "  - {id: two, type: io.kestra.plugin.core.log.Lug}\n",
        ("5:21: tasks[1]: Invalid type: io.kestra.plugin.core.log.Lug",),
    ),
    Case("unknown property", HEAD + "bogus: 1\n", ('5:1: bogus: Unrecognized field "bogus"',)),
    Case(
        "bad cron",
        HEAD + "triggers: [{id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: 61 * * * *}]\n",
        ("5:72: triggers[0].cron: invalid cron expression '61 * * * *'",),
    ),
    Case(
        "everything at once",
        EVERYTHING,
        (
            '1:5: id: must match "',
            "3:1: id: Illegal flow yaml: Duplicate field 'id'",
            "5:23: inputs[0]: Invalid type: NUMBER",
            "8:11: tasks[0]: Invalid type: io.kestra.plugin.core.log.Lug",
            '12:5: tasks[1].massage: Unrecognized field "massage"',
            "13:5: tasks[2].message: must not be null",
            "13:9: Invalid Flow: Duplicate task id with name [two]",
            "15:12: tasks[2].level: ",
            "19:11: triggers[0].cron: invalid cron expression 'every day'",
            '20:1: bogus: Unrecognized field "bogus"',
        ),
    ),
)

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("problems"))
    try:
        assert running.save(HEAD).status_code == 200
        yield running
    finally:
        running.stop()


def told(lines: list[str], begin: str) -> list[str]:
    """What is said about places in the file."""
    return [line.strip().removeprefix(begin) for line in lines if line.strip().startswith(begin)]


def agree(found: list[str], expected: tuple[str, ...]) -> bool:
    return len(found) == len(expected) and all(map(str.startswith, found, expected))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every case as a flow file."""
    folder = tmp_path_factory.mktemp("cases")
    for case in CASES:
        (folder / f"{case.name}.yaml").write_text(case.text)
    return folder


@pytest.fixture(scope="module")
def checked(files: Path) -> list[str]:
    """The lines of `casemate flow validate` over all of them."""
    result = casemate("flow", "validate", files)
    assert result.returncode == 1
    return result.stdout.splitlines()


@each
def test_it_is_told_in_the_same_words_everywhere(case: Case, server: Server, files: Path, checked: list[str]):
    file = files / f"{case.name}.yaml"
    assert f"✘ - {file}" in checked
    found = told(checked, f"{file}:")
    assert agree(found, case.told), found
    run = casemate("run", file)
    assert (run.returncode, run.stdout) == (2, "")
    assert told(run.stderr.splitlines(), f"{file}:") == found
    for answer in over_the_api(case.text, server):
        assert [Problem(**problem).located("")[1:] for problem in answer] == found


def over_the_api(text: str, server: Server) -> Iterator[list[dict[str, object]]]:
    """What the three operations that read a flow say of it."""
    began, body = time.monotonic(), text.encode()
    (checked,) = requests.post(f"{server.api}/flows/validate", data=body, headers=YAML, timeout=10).json()
    yield checked["problems"]
    for answer in (
        requests.post(f"{server.api}/flows", data=body, headers=YAML, timeout=10),
        requests.put(f"{server.api}/flows/tests.product/made", data=body, headers=YAML, timeout=10),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["message"].startswith("Invalid entity: ")
        yield answer.json()["problems"]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("text", [padded(1 << 20), nested(64), nested(65)], ids=["1 MiB", "64 levels", "65 levels"])
def test_what_is_large_but_right_is_kept_and_run(text: str, server: Server, tmp_path: Path):
    file = tmp_path / "flow.yaml"
    file.write_text(text)
    assert casemate("run", file, "--quiet").returncode == 0
    answer = requests.put(f"{server.api}/flows/tests.product/made", data=text.encode(), headers=YAML, timeout=10)
    assert answer.status_code == 200, answer.text
    assert server.start("tests.product", "made", wait="true")["state"]["current"] == "SUCCESS"


def test_a_thousand_problems_are_told_at_once_and_fast(server: Server):
    text = HEAD + "".join(f"  - {{id: a{number}, type: io.kestra.plugin.core.log.Lug}}\n" for number in range(1000))
    (problems, *_) = over_the_api(text, server)
    assert [problem["line"] for problem in problems] == list(range(5, 1005))


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"id: \x00", b"id: a\x01b", b"\xef\xbb\xbf" + HEAD.encode()])
def test_what_is_no_text_is_refused_and_a_byte_order_mark_is_not(body: bytes, server: Server, tmp_path: Path):
    file = tmp_path / "flow.yaml"
    file.write_bytes(body)
    status = requests.post(f"{server.api}/flows/validate", data=body, headers=YAML, timeout=10).status_code
    run = casemate("run", file, "--quiet")
    assert "Traceback" not in run.stderr
    if body.startswith(b"\xef\xbb\xbf"):
        assert (status, run.returncode) == (200, 0)
    else:
        assert status in (200, 422)
        assert run.returncode == 2, run.stderr
