"""What a start leaves behind: no secret in a file that others read, none in our environment, and files that go."""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.running import Server, casemate

SECRETS = """\
kestra:
  encryption:
    secret-key: "${CANARY_KEY}"
  server:
    basic-auth: {username: someone@example.org, password: Quite-l0ng-and-unheard-of}
"""
NO_SECRETS = """\
kestra:
  url: http://localhost
  encryption: {secret-key: "${CANARY_KEY}"}
  server: {basic-auth: {username: someone@example.org, password: "${CANARY_WORD}"}}
"""
KEY = b64encode(bytes(range(32))).decode()
WORD = "Canary-in-the-c0al-mine"
FLOW = """\
id: sings
namespace: tests.cli
tasks: [{id: say, type: io.kestra.plugin.core.debug.Return, format: "{{ secret('SONG') | length }}"}]
outputs: [{id: length, type: STRING, value: "{{ outputs.say.value }}"}]
"""

Written = Callable[..., Path]


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[Written]:
    """Writes a file that every account can reach; the folders above are closed again afterwards."""
    above = [folder for folder in tmp_path.parents if folder.stat().st_uid == os.geteuid() and folder != Path("/")]
    modes = {folder: folder.stat().st_mode for folder in (tmp_path, *above)}
    for folder, mode in modes.items():
        folder.chmod(mode | 0o001)

    def written(text: str, mode: int = 0o644) -> Path:
        file = tmp_path / "conf.yml"
        file.write_text(text)
        file.chmod(mode)
        return file

    yield written
    for folder, mode in modes.items():
        folder.chmod(mode)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def open_one(*configurations: Path, **environ: str) -> Server:
        given = [word for file in configurations for word in ("-c", str(file))]
        within = ["env", *(f"{name}={value}" for name, value in environ.items())]
        servers.append(Server(tmp_path / "state", *given, within=within))
        return servers[-1]

    yield open_one
    for each in servers:
        each.stop()


def test_a_secret_in_a_file_that_everybody_reads_stops_the_start(everywhere: Written):
    file = everywhere(SECRETS)
    refused = casemate("server", "local", "--port", "0", "-c", file, environment={"CANARY_KEY": KEY})
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"{file}:5:49: kestra.server.basic-auth.password: is a secret, in a file that everybody on this machine can "
        f"read (chmod o-r {file}, or say casemate.configuration.readable-by-others: true)"
    ]


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (SECRETS, 0o640),
        (NO_SECRETS, 0o644),
        (SECRETS + "casemate: {configuration: {readable-by-others: true}}\n", 0o644),
    ],
)
def test_it_starts_where_others_cannot_read_it_or_find_none_or_may(everywhere: Written, text, mode):
    file = everywhere(text, mode)
    environment = {"CANARY_KEY": KEY, "CANARY_WORD": WORD}
    assert casemate("configs", "show", "-c", file, environment=environment).returncode == 0


def test_a_closed_folder_keeps_its_files_from_others(everywhere: Written):
    file = everywhere(SECRETS)
    file.parent.chmod(0o700)
    assert casemate("configs", "show", "-c", file, environment={"CANARY_KEY": KEY}).returncode == 0


def test_the_environment_of_the_server_keeps_no_secret_and_its_flows_get_theirs(tmp_path: Path, opened):
    file = tmp_path / "conf.yml"
    file.write_text('kestra: {encryption: {secret-key: "${CANARY_KEY}"}}')
    song = b64encode(b"tirili").decode()
    environ = {"CANARY_KEY": KEY, "SECRET_SONG": song, "KESTRA_CONFIGURATION": "kestra: {url: 'http://sung'}"}
    server = opened(file, **environ, LEFT_ALONE="here")
    shown = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    assert b"LEFT_ALONE=here" in shown
    for value in environ.values():
        assert value.encode() not in shown
    assert server.save(FLOW).ok
    ended = server.until_ended(server.start("tests.cli", "sings")["id"])
    assert ended["outputs"] == {"length": "6"}


def test_files_are_deleted_once_the_server_answers(tmp_path: Path, opened):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real.yml", tmp_path / "conf.yml"
    real.write_text("kestra: {configurations: {delete-files-on-start: true}}")
    link.symlink_to("real.yml")
    more = tmp_path / "real" / "more.yml"
    more.write_text("kestra: {url: 'http://here'}")
    server = opened(link, more)
    assert [path for path in (link, real, more) if path.is_symlink() or path.exists()] == []
    assert server.log.read_text().count("configuration.deleted") == 2


def test_a_file_that_is_named_twice_and_a_pipe_are_no_hindrance(tmp_path: Path):
    file, pipe, state = tmp_path / "conf.yml", tmp_path / "pipe", tmp_path / "state"
    file.write_text("kestra: {configurations: {delete-files-on-start: true}}")
    os.mkfifo(pipe)
    fed = 'echo "kestra: {url: http://here}" > "$1" & shift; exec "$@"'
    server = Server(state, *("-c", str(file)) * 2, "-c", str(pipe), within=["sh", "-c", fed, "sh", str(pipe)])
    try:
        assert not file.exists()
        assert pipe.is_fifo()
    finally:
        server.stop()


def test_no_core_is_left_of_the_server(tmp_path: Path):
    server = Server(tmp_path / "state", within=["prlimit", "--core=unlimited:unlimited"])
    try:
        limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    finally:
        server.stop()
    assert re.search(r"Max core file size +1 +1 ", limits)


@pytest.mark.parametrize("required", [True, False])
def test_a_file_that_cannot_be_deleted_ends_the_start_unless_it_need_not_be(tmp_path: Path, opened, required):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "here"
    elsewhere.mkdir()
    folder.mkdir()
    real, link = elsewhere / "real.yml", folder / "conf.yml"
    said = f"{{delete-files-on-start: true, delete-files-on-start-required: {str(required).lower()}}}"
    real.write_text(f"kestra: {{configurations: {said}}}")
    link.symlink_to(real)
    if not required:
        assert "configuration.not_deleted" in opened(link).log.read_text()
    else:
        ended = casemate("server", "local", "--port", "0", "--state", tmp_path / "state", "-c", link)
        assert ended.returncode == 1
        assert f"{link} was to be deleted: it is a link to {real}, in another folder; say " in ended.stderr
        assert ended.stdout == ""
    assert real.exists()


def test_a_port_that_is_taken_costs_no_file(tmp_path: Path, opened):
    port = opened().url.rpartition(":")[2]
    file = tmp_path / "conf.yml"
    file.write_text("kestra: {configurations: {delete-files-on-start: true}}")
    second = casemate("server", "local", "--port", port, "--state", tmp_path / "second", "-c", file)
    assert second.returncode == 1
    assert file.exists()


def test_run_leaves_files_where_they_are_and_says_so(tmp_path: Path):
    file, flow = tmp_path / "conf.yml", tmp_path / "flow.yaml"
    file.write_text("kestra: {configurations: {delete-files-on-start: true}}")
    flow.write_text("id: f\nnamespace: a\ntasks: [{id: t, type: io.kestra.plugin.core.log.Log, message: m}]\n")
    ended = casemate("run", flow, "-c", file)
    assert (ended.returncode, file.exists()) == (0, True)
    assert "run leaves its configuration files" in ended.stderr


SHOWN = """\
kestra:
  url: http://me:opensesame@host/x
  encryption: {secret-key: "${CANARY_KEY}"}
  variables: {globals: {team: red, apiKey: opensesame}}
  secret: {type: vault, vault: {address: http://127.0.0.1:1, token: {token: opensesame}}}
"""


def test_the_configuration_is_shown_with_its_places_and_without_its_secrets(tmp_path: Path):
    file = tmp_path / "conf.yml"
    file.write_text(SHOWN)
    environment = {"CANARY_KEY": KEY, "KESTRA_SERVER_BASIC_AUTH_PASSWORD": "opensesame-Opensesame1"}
    environment["KESTRA_SERVER_BASIC_AUTH_USERNAME"] = "a@example.org"
    shown = casemate("configs", "show", "-c", file, environment=environment)
    assert shown.returncode == 0, shown.stderr
    assert "pensesame" not in shown.stdout + shown.stderr
    assert KEY not in shown.stdout
    assert f'kestra.url: "http://******@host/x"  # {file}:2' in shown.stdout.splitlines()
    assert f'kestra.variables.globals: {{"team": "red", "apiKey": "******"}}  # {file}:4' in shown.stdout.splitlines()
    as_json = json.loads(casemate("configs", "show", "-c", file, "--json", environment=environment).stdout)
    assert as_json["kestra.server.basic-auth.password"] == {
        "value": "******",
        "place": "environment variable KESTRA_SERVER_BASIC_AUTH_PASSWORD",
    }


def test_nothing_configured_is_said(tmp_path: Path):
    assert casemate("configs", "show").stdout == "Nothing is configured: every key has its default.\n"
