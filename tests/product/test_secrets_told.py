"""A real server with secrets: nowhere that people can read is one of them shown, and no task finds another's."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.attacks.workers import python_for_everybody
from tests.running import Server

import casemate

USER = 12345
CANARY = "canary-5e1f0c9a77d04be2a1"
OTHER = "canary-99b3aa41c8f24d0e6b"
SUBMITTED = "canary-0d62f1b8e95c47a3f0"
KEY = base64.b64encode(bytes(range(40, 72))).decode()
CONFIGURATION = f"kestra: {{encryption: {{secret-key: {KEY}}}}}\n"
SHAPES = [CANARY, OTHER, SUBMITTED, CANARY.upper(), CANARY.encode().hex(), CANARY[7:]]
BASE64 = [base64.b64encode(b"x" * before + CANARY.encode()).decode()[3:-4] for before in range(3)]

TELLING = """
id: telling
namespace: tests.told
inputs:
  - {id: password, type: SECRET}
variables: {header: "Bearer {{ secret('CANARY') }}"}
labels: {kind: telling}
tasks:
  - id: log
    type: io.kestra.plugin.core.log.Log
    message:
      - "{{ secret('CANARY') }} {{ inputs.password }}"
      - "{{ render(vars.header) | upper }} {{ secret('CANARY') | base64encode }}"
  - id: script
    type: io.kestra.plugin.scripts.shell.Commands
    allowFailure: true
    env: {TOKEN: "{{ secret('CANARY') }}", PASSWORD: "{{ inputs.password }}"}
    commands:
      - set -x; env; echo $TOKEN >&2; printf %s "$PASSWORD" | base64
      - echo '::{"metrics":[{"name":"'$TOKEN'","type":"counter","value":1,"tags":{"t":"'$TOKEN'"}}]}::'
      - cat /nowhere/$TOKEN
  - id: filtered
    type: io.kestra.plugin.core.http.Request
    uri: "http://127.0.0.1:1/{{ secret('CANARY') }}"
    allowFailure: true
  - id: unable
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret('CANARY') | date(secret('CANARY')) }}"
    allowFailure: true
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: "{{ secret('CANARY') }}"
    allowFailure: true
    tasks: [{id: one, type: io.kestra.plugin.core.log.Log, message: one}]
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    flowId: called
    namespace: tests.told
    inputs: {number: "{{ secret('CANARY') }}"}
    allowFailure: true
  - id: conditional
    type: io.kestra.plugin.core.log.Log
    runIf: "{{ secret('CANARY') | number }}"
    message: never
    allowFailure: true
outputs:
  - {id: number, type: INT, value: "{{ secret('CANARY') }}"}
"""
CALLED = """
id: called
namespace: tests.told
inputs: [{id: number, type: INT}]
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: "{{ inputs.number }}"}]
"""
DEFAULTS = """
id: defaults
namespace: tests.told
inputs:
  - {id: number, type: INT, defaults: "{{ secret('CANARY') }}"}
  - {id: password, type: SECRET, validator: "[0-9]+"}
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: x}]
"""
HOOKED = """
id: hooked
namespace: tests.told
tasks: [{id: log, type: io.kestra.plugin.core.log.Log, message: "{{ trigger.body }}"}]
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: "{{ secret('CANARY') }}"
    conditions:
      - {type: io.kestra.plugin.core.condition.Expression, expression: "{{ secret('CANARY') | number > 1 }}"}
"""
SEARCHING = """
import json, os, re, sys
found, looked = set(), 0
WANTED = re.compile(rb"canary-[0-9a-f]{18}|Y2FuYXJ5L[A-Za-z0-9+/]{20}")
def look(path):
    global looked
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        content = os.read(file, 1 << 22)
    except OSError:
        return
    finally:
        os.close(file)
    looked += 1
    found.update(WANTED.findall(content))
def maps(process):
    try:
        places = open(f"/proc/{process}/maps").read().splitlines()
        memory = open(f"/proc/{process}/mem", "rb", 0)
    except OSError:
        return
    for line in places:
        begin, end = (int(one, 16) for one in line.split()[0].split("-"))
        try:
            memory.seek(begin)
            found.update(WANTED.findall(memory.read(min(end - begin, 1 << 26))))
        except (OSError, ValueError, OverflowError):
            pass
processes = [name for name in os.listdir("/proc") if name.isdigit()]
for process in processes:
    for name in ("environ", "cmdline", "status", "stat", "mountinfo", "maps"):
        look(f"/proc/{process}/{name}")
    for top in ("fd", "task"):
        for folder, names, files in os.walk(f"/proc/{process}/{top}"):
            for file in [*names, *files]:
                if file.isdigit() or file == "environ":
                    look(os.path.join(folder, file))
    maps(process)
for top in ("/tmp", "/work", "/dev/shm", "/var", "/etc", "/run", "/home", "/root", os.getcwd()):
    for folder, names, files in os.walk(top):
        for file in files:
            look(os.path.join(folder, file))
found.update(WANTED.findall(repr(dict(os.environ)).encode()))
print("::" + json.dumps({"outputs": {"found": sorted(one.decode() for one in found), "looked": looked}}) + "::")
"""
HUNTING = f"""
id: hunting
namespace: tests.told
inputs:
  - {{id: password, type: SECRET}}
tasks:
  - {{id: before, type: io.kestra.plugin.core.log.Log, message: "{{{{ secret('OTHER') }}}} {{{{ inputs.password }}}}"}}
  - id: hunt
    type: io.kestra.plugin.scripts.python.Script
    env: {{MINE: "{{{{ secret('CANARY') }}}}"}}
    script: |
{"".join(f"      {line}" + chr(10) for line in SEARCHING.splitlines())}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with two secrets and an encryption key."""
    yield from started(tmp_path, [], sys.executable)


@pytest.fixture(params=["who runs the tests", "an ordinary user"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The same, run by both."""
    if request.param == "who runs the tests" or os.geteuid() != 0:
        yield from started(tmp_path, [], sys.executable)
        return
    if not shutil.which("setpriv"):
        pytest.skip("root needs setpriv to be somebody else")
    packages = [sysconfig.get_path("purelib"), str(Path(casemate.__file__).parent.parent)]
    other = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    # The folders of pytest are closed for others again whenever it is started anew.
    with tempfile.TemporaryDirectory(prefix="casemate-told-", ignore_cleanup_errors=True) as folder:
        os.chown(folder, USER, USER)
        paths = ["env", f"HOME={folder}", f"PYTHONPATH={os.pathsep.join(packages)}"]
        yield from started(Path(folder), [*other, *paths], python_for_everybody())


def started(folder: Path, within: list[str], python: str) -> Iterator[Server]:
    file = folder / "configuration.yml"
    file.write_text(CONFIGURATION)
    file.chmod(0o600)
    os.chown(file, folder.stat().st_uid, folder.stat().st_gid)
    values = {"CANARY": CANARY, "OTHER": OTHER}
    variables = [f"SECRET_{name}={base64.b64encode(value.encode()).decode()}" for name, value in values.items()]
    arguments = ("-c", str(file))
    running = Server(folder / "state", *arguments, within=[*(within or ["env"]), *variables], python=python)
    try:
        yield running
    finally:
        running.stop()


def submitted(server: Server, flow: str, **values: str) -> requests.Response:
    fields = {name: (None, value) for name, value in values.items()}
    return requests.post(f"{server.api}/executions/tests.told/{flow}", files=fields or None, timeout=60)


def shows(text: str) -> list[str]:
    """Which forms of a secret are in a text."""
    return [shape for shape in (*SHAPES, *BASE64) if shape in text]


def test_nothing_that_people_can_read_shows_a_secret(server: Server):
    for flow in (TELLING, CALLED, DEFAULTS, HOOKED):
        assert server.save(flow).ok, server.save(flow).text
    begun = submitted(server, "telling", password=SUBMITTED)
    assert begun.ok, begun.text
    identifier = begun.json()["id"]
    ended = server.until_ended(identifier)
    read = {
        "created": begun.text,
        "execution": json.dumps(ended),
        "logs": requests.get(f"{server.api}/logs/{identifier}", timeout=30).text,
        "downloaded": requests.get(f"{server.api}/logs/{identifier}/download", timeout=30).text,
        "searched": requests.get(f"{server.api}/logs/search", timeout=30).text,
        "followed": followed(f"{server.api}/logs/{identifier}/follow"),
        "metrics": requests.get(f"{server.api}/metrics/{identifier}", timeout=30).text,
        "defaults": submitted(server, "defaults", password=SUBMITTED).text,
        "wrong key": requests.post(f"{server.api}/executions/webhook/tests.told/hooked/wrong", timeout=30).text,
        "condition": requests.post(
            f"{server.api}/executions/webhook/tests.told/hooked/{CANARY}", json={"a": 1}, timeout=30
        ).text,
        "evaluated": requests.post(
            f"{server.api}/executions/{identifier}/actions/eval",
            data="{{ secret('CANARY') }} {{ inputs.password }}",
            headers={"Content-Type": "text/plain"},
            timeout=30,
        ).text,
        "server": re.sub("webhook/tests.told/hooked/[^ ]*", "", server.log.read_text()),
    }
    assert not {name: found for name, text in read.items() if (found := shows(text))}
    assert "********" in read["logs"]
    assert read["logs"].count("********") > 15
    assert "Invalid input" in read["defaults"]


def followed(address: str) -> str:
    """What a stream of events tells until it ends."""
    with requests.get(address, stream=True, timeout=30) as answer:
        return b"".join(answer.iter_content(1024)).decode()


def test_the_state_folder_holds_no_secret(server: Server, tmp_path: Path):
    assert server.save(TELLING).ok
    assert server.save(CALLED).ok
    identifier = submitted(server, "telling", password=SUBMITTED).json()["id"]
    server.until_ended(identifier)
    kept = {path: path.read_bytes().decode("latin-1") for path in (tmp_path / "state").rglob("*") if path.is_file()}
    server.stop()
    kept |= {path: path.read_bytes().decode("latin-1") for path in (tmp_path / "state").rglob("*") if path.is_file()}
    assert len(kept) > 1
    assert not {path: found for path, content in kept.items() if (found := shows(content))}


def test_a_script_finds_the_secrets_that_its_own_properties_name_and_no_other(told: Server):
    assert told.save(HUNTING).ok
    ended = told.until_ended(submitted(told, "hunting", password=SUBMITTED).json()["id"])
    (hunt,) = [run for run in ended["taskRunList"] if run["taskId"] == "hunt"]
    assert ended["state"]["current"] == "SUCCESS", requests.get(f"{told.api}/logs/{ended['id']}", timeout=30).text
    assert hunt["outputs"]["vars"]["found"] == [CANARY]
    assert hunt["outputs"]["vars"]["looked"] > 20
