"""The pages on worker isolation, line by line and in both spellings: each line is seen to do what it says."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.running import casemate, server
from tests.sandbox.conftest import ended

from casemate.core import catalog
from casemate.sandbox import Body, Launch, Policy, Sandboxes, Told, folders
from casemate.settings import load
from casemate.worker import policy_for

CAMEL = """
kestra:
  ee:
    javaSecurity:
      enabled: true
      forbiddenPaths:
        - /etc/
      authorizedClassPrefix:
        - io.kestra.plugin.core
        - io.kestra.plugin.gcp
"""
KEBAB = """
kestra.ee.java-security:
  enabled: true
  forbidden-paths: [/etc/]
  authorized-class-prefix: [io.kestra.plugin.core, io.kestra.plugin.gcp]
"""
VARIABLES = {
    "KESTRA_EE_JAVA_SECURITY_ENABLED": "true",
    "KESTRA_EE_JAVA_SECURITY_FORBIDDEN_PATHS": "/etc/",
    "KESTRA_EE_JAVA_SECURITY_AUTHORIZED_CLASS_PREFIX_0": "io.kestra.plugin.core",
    "KESTRA_EE_JAVA_SECURITY_AUTHORIZED_CLASS_PREFIX_1": "io.kestra.plugin.gcp",
}
EVERYTHING_CLOSED = """
kestra: {ee: {java-security: {enabled: true, forbidden-paths: [/etc/]}}}
"""

LIVES_ON = """
id: lives-on
namespace: tests.product
errors:
  - {id: later, type: io.kestra.plugin.core.log.Log, message: the worker lives on}
tasks:
  - {id: first, type: io.kestra.plugin.core.log.Log, message: core tasks run}
  - {id: script, type: io.kestra.plugin.scripts.shell.Commands, commands: [echo started]}
"""

STILL_WORKS = """
id: still-works
namespace: tests.product
tasks:
  - id: looks
    type: io.kestra.plugin.scripts.python.Script
    script: |
      import datetime, os, pwd, socket, ssl, time, zoneinfo
      print("authorities", ssl.create_default_context().cert_store_stats()["x509_ca"] > 0)
      summer = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris"))
      print("offset", summer.utcoffset(), bool(time.tzname[0]))
      print("host", socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1"))
      print("user", bool(pwd.getpwuid(os.getuid()).pw_name))
      names = ("shadow", "fstab", "sudoers", "ssl/openssl.cnf")
      print("secrets", [name for name in names if os.path.lexists("/etc/" + name)])
"""

RUNS_INTO_IT = """
id: runs-into-it
namespace: tests.product
tasks:
  - {id: reads, type: io.kestra.plugin.scripts.shell.Commands, commands: [cat /etc/shadow /etc/shadow /etc/hosts]}
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


def configured(spelling: str, written) -> tuple[list[str | Path], dict[str, str]]:
    """The arguments and the environment that say the example of the page in one of its spellings."""
    texts = {"camel": CAMEL, "kebab": KEBAB}
    return (["-c", written("kestra.yml", texts[spelling])], {}) if spelling in texts else ([], VARIABLES)


@pytest.mark.parametrize("spelling", ["camel", "kebab", "variables"])
def test_types_outside_the_prefixes_start_nothing_and_the_worker_lives_on(written, spelling):
    arguments, environment = configured(spelling, written)
    result = casemate("run", written("flow.yaml", LIVES_ON), "--json", *arguments, environment=environment)
    runs = {run["taskId"]: run for run in json.loads(result.stdout)["taskRunList"]}
    assert {name: run["state"]["current"] for name, run in runs.items()} == {
        "first": "SUCCESS",
        "script": "FAILED",
        "later": "SUCCESS",
    }
    rights = runs["first"]["attempts"][-1]["isolation"]["allowed"]
    assert (rights["threads"], rights["processes"]) == (True, False)


def test_a_core_type_that_starts_a_thread_may_and_another_may_not():
    settings = load([("kestra.yml", CAMEL)], {}).settings
    log = catalog().find("io.kestra.plugin.core.log.Log")
    assert policy_for(log, settings.isolation, settings.java_security).rights.threads
    other = replace(log, type="io.kestra.plugin.corporate.Log", aliases=())
    assert not policy_for(other, settings.isolation, settings.java_security).rights.threads


async def started(folder: Path, policy: Policy) -> str:
    """What a body of the program could start under a policy."""
    async with Sandboxes.open(folder, slots=2) as sandboxes:
        job = {"secret": "/nowhere", "port": 9, "process": os.getpid()}
        body = Body(module="casemate.inside.wall_canaries", job=job)
        running = await sandboxes.launch(Launch(name="a", policy=policy, work=folders.make(folder, "a"), what=body))
        events, _ = await ended(running)
    return next(event.message["outputs"]["rights"] for event in events if isinstance(event, Told))


@pytest.mark.anyio
@pytest.mark.parametrize(("text", "expected"), [(CAMEL, "A thread can be started."), (EVERYTHING_CLOSED, "")])
async def test_the_kernel_lets_a_core_type_start_a_thread_where_it_is_authorised(tmp_path: Path, text, expected):
    settings = load([("kestra.yml", text)], {}).settings
    log = catalog().find("io.kestra.plugin.core.log.Log")
    assert await started(tmp_path, policy_for(log, settings.isolation, settings.java_security)) == expected


def test_with_etc_forbidden_a_flow_still_has_certificates_time_zones_and_names(written):
    allowed = {"KESTRA_EE_JAVA_SECURITY_AUTHORIZED_CLASS_PREFIX": "io.kestra.plugin.scripts"}
    arguments, _ = configured("camel", written)
    result = casemate("run", written("flow.yaml", STILL_WORKS), *arguments, environment=allowed)
    said = [line.partition(" | ")[2] for line in result.stdout.splitlines() if " | " in line]
    assert said == ["authorities True", "offset 2:00:00 True", "host True", "user True", "secrets []"], result.stdout


def test_a_task_that_fails_on_a_forbidden_path_is_told_once_which_rule_it_was(written):
    result = casemate("run", written("flow.yaml", RUNS_INTO_IT), "-c", written("kestra.yml", EVERYTHING_CLOSED))
    assert result.returncode == 1
    message = "Access to path '/etc/shadow' is forbidden by 'kestra.ee.java-security.forbidden-paths'."
    assert result.stdout.count(message) == 1
    assert "ERROR reads | Access" in result.stdout
    assert "'/etc/hosts' is forbidden" not in result.stdout


def test_after_a_refused_task_the_same_server_runs_the_next_flow(tmp_path: Path, written):
    with server(tmp_path / "state", "-c", str(written("kestra.yml", CAMEL))) as running:
        assert running.save(LIVES_ON).ok
        for _ in range(2):
            ended_ = running.until_ended(str(running.start("tests.product", "lives-on")["id"]))
            states = {run["taskId"]: run["state"]["current"] for run in ended_["taskRunList"]}
            assert states["first"] == states["later"] == "SUCCESS"


def test_script_types_among_the_authorised_and_missing_paths_are_warned_of_at_the_start(written):
    text = CAMEL.replace("io.kestra.plugin.gcp", "io.kestra.plugin.scripts").replace("/etc/", "/no/such/place")
    flow = "{id: a, namespace: b, tasks: [{id: c, type: io.kestra.plugin.core.log.Log, message: hello}]}"
    result = casemate("run", written("flow.yaml", flow), "-c", written("kestra.yml", text))
    assert result.returncode == 0
    assert "lets script tasks start threads: io.kestra.plugin.scripts" in result.stderr
    assert result.stderr.count("/no/such/place") == 1


CLOSED = """
casemate:
  isolation:
    profiles:
      - {namespaces: [tests.product], types: [io.kestra.plugin.scripts], threads: false, processes: false}
"""
STARTS = """
id: starts
namespace: tests.product%s
tasks:
  - {id: spawn, type: io.kestra.plugin.scripts.shell.Commands, commands: ["echo here; /bin/true; echo there"]}
"""


def test_a_profile_takes_processes_from_the_tasks_of_a_namespace_and_says_so(written):
    profile = written("kestra.yml", CLOSED)
    result = casemate("run", written("flow.yaml", STARTS % ""), "-c", profile)
    assert result.returncode == 1
    named = "by 'casemate.isolation.profiles[0].processes'."
    assert f"Process creation is forbidden for 'io.kestra.plugin.scripts.shell.Commands' {named}" in result.stdout
    assert casemate("run", written("flow.yaml", STARTS % "s"), "-c", profile).returncode == 0


SHARES = """
id: shares
namespace: tests.product
tasks:
  - {id: writes, type: io.kestra.plugin.scripts.shell.Commands, commands: ["cat %(folder)s/in > %(folder)s/out/copy"]}
"""


def test_paths_of_a_profile_are_shown_and_written(tmp_path: Path, written):
    folder = Path("/srv") / f"casemate-{os.getpid()}"
    if not os.access("/srv", os.W_OK):
        pytest.skip("/srv cannot be written")
    (folder / "out").mkdir(parents=True)
    try:
        (folder / "in").write_text("given")
        (folder / "out").chmod(0o777)
        shown = f"visible-paths: [{folder}], writable-paths: [{folder}/out]"
        text = f"casemate: {{isolation: {{profiles: [{{types: [io.kestra.plugin.scripts], {shown}}}]}}}}"
        flow = written("flow.yaml", SHARES % {"folder": folder})
        assert casemate("run", flow).returncode == 1
        result = casemate("run", flow, "-c", written("kestra.yml", text))
        assert result.returncode == 0, result.stdout + result.stderr
        assert (folder / "out" / "copy").read_text() == "given"
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("visible-paths: [{state}/storage]", "belongs to the server"),
        ("writable-paths: [{state}/..]", "the server keeps"),
        ("writable-paths: [{configuration}]", "belongs to the server"),
        ("visible-paths: [{link}]", "is forbidden"),
        ("profiles: [{{types: [a], writable-paths: [{link}]}}]", "is forbidden"),
    ],
)
def test_what_is_the_servers_own_or_leads_to_what_is_forbidden_is_refused_at_the_start(written, shown, expected):
    folder = Path("/srv") / f"casemate-{os.getpid()}"
    if not os.access("/srv", os.W_OK):
        pytest.skip("/srv cannot be written")
    folder.mkdir()
    try:
        (folder / "keys").mkdir()
        (folder / "link").symlink_to("keys")
        configuration = folder / "kestra.yml"
        places = {"state": folder / "own" / "state", "link": folder / "link", "configuration": configuration}
        walls = f"{{enabled: true, forbidden-paths: [{folder}/keys]}}"
        isolation = shown.format(**places)
        configuration.write_text(
            f"kestra: {{ee: {{java-security: {walls}}}}}\ncasemate: {{isolation: {{{isolation}}}}}"
        )
        flow = written("flow.yaml", LIVES_ON)
        result = casemate("run", flow, "-c", configuration, "--state", folder / "own" / "state")
        assert (result.returncode, expected in result.stderr) == (2, True), result.stderr
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)
