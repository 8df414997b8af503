"""A real server with secrets: no task finds those of another, wherever it looks and whoever runs the server."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.attacks.workers import python_for_everybody
from tests.plugins.wheels import digest, plugin, task, written
from tests.product.canaries import CANARY, SUBMITTED, started, submitted
from tests.running import Server, casemate

import casemate as package

USER = 12345
HUNTER = Path(__file__).with_name("hunter.py").read_text()
PROGRAM = HUNTER + "\nimport json\nprint('::' + json.dumps({'outputs': hunt()}) + '::')\n"
BODY = HUNTER + "\n\ndef run(job, tell):\n    tell({'outputs': hunt()})\n"
WHEEL = plugin(
    {"own/body.py": BODY},
    types=[
        task(
            "com.example.Hunt",
            "own.body",
            properties={"type": "object", "properties": {"mine": {"type": "string"}}},
            capabilities=["starts-processes", "starts-threads"],
        )
    ],
)
FLOW = f"""
id: hunting
namespace: tests.told
inputs:
  - {{id: password, type: SECRET}}
tasks:
  - id: others
    type: io.kestra.plugin.core.flow.ForEach
    values: [1, 2, 3, 4]
    concurrencyLimit: 0
    tasks:
      - id: body
        type: io.kestra.plugin.core.log.Log
        message: "{{{{ secret('OTHER') }}}} {{{{ inputs.password }}}}"
      - id: script
        type: io.kestra.plugin.scripts.shell.Commands
        env: {{OTHER: "{{{{ secret('OTHER') }}}}", PASSWORD: "{{{{ inputs.password }}}}"}}
        commands: ['echo "$OTHER" > /tmp/left; echo "$PASSWORD" > left; env | sort > /dev/null']
      - id: program
        type: io.kestra.plugin.scripts.python.Script
        script: "kept = ['{{{{ secret('OTHER') }}}}', '{{{{ inputs.password }}}}'] * 10000"
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - id: beside
        type: io.kestra.plugin.scripts.shell.Commands
        env: {{OTHER: "{{{{ secret('OTHER') }}}}", PASSWORD: "{{{{ inputs.password }}}}"}}
        commands: [sleep 10]
      - id: hunt
        type: io.kestra.plugin.scripts.python.Script
        env: {{MINE: "{{{{ secret('CANARY') }}}}"}}
        script: |
{textwrap.indent(PROGRAM, " " * 10)}
      - {{id: plugin, type: com.example.Hunt, mine: "{{{{ secret('CANARY') }}}}"}}
"""


@pytest.fixture(params=["who runs the tests", "an ordinary user"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server with two secrets and a plugin that looks for them, run by both."""
    if request.param == "who runs the tests" or os.geteuid() != 0:
        install(tmp_path)
        yield from started(tmp_path)
        return
    if not shutil.which("setpriv"):
        pytest.skip("root needs setpriv to be somebody else")
    packages = [sysconfig.get_path("purelib"), str(Path(package.__file__).parent.parent)]
    other = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    # The folders of pytest are closed for others again whenever it is started anew.
    with tempfile.TemporaryDirectory(prefix="casemate-hunted-", ignore_cleanup_errors=True) as folder:
        install(Path(folder))
        os.chown(folder, USER, USER)
        paths = ("env", f"HOME={folder}", f"PYTHONPATH={os.pathsep.join(packages)}")
        yield from started(Path(folder), (*other, *paths), python_for_everybody())


def install(folder: Path) -> None:
    wheel = written(folder, WHEEL, "own-1.0.0-py3-none-any.whl")
    told = casemate("plugins", "install", wheel, "--sha256", digest(WHEEL), "--state", folder / "state")
    assert told.returncode == 0, told.stdout + told.stderr


def hunted(ended: Mapping[str, Any], task_id: str) -> Mapping[str, Any]:
    (run,) = [run for run in ended["taskRunList"] if run["taskId"] == task_id]
    outputs: Mapping[str, Any] = run["outputs"].get("vars", run["outputs"])
    return outputs


def test_a_task_finds_the_secrets_that_its_own_properties_name_and_no_other(server: Server):
    saved = server.save(FLOW)
    assert saved.ok, saved.text
    ended = server.until_ended(submitted(server, "hunting", password=SUBMITTED).json()["id"])
    assert ended["state"]["current"] == "SUCCESS", requests.get(f"{server.api}/logs/{ended['id']}", timeout=30).text
    script, body = hunted(ended, "hunt"), hunted(ended, "plugin")
    assert script["found"] == [CANARY]
    assert body["found"] == [CANARY]
    for looked in (script["looked"], body["looked"]):
        assert {"processes", "inherited", "fresh_pages", "files"} <= set(looked)
        assert not {"descriptors", "keyrings", "shared_memory", "rings"} & set(looked)
        assert looked["inherited"] > 100
    assert script["looked"]["memory"] > 20
