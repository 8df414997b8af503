"""The page on allowed and restricted plugins, verbatim: each line is seen to do what it says, on a running server."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from tests.running import Server, casemate, server

DOCUMENTED = """
kestra:
  plugins:
    security:
      includes:
        - "io.kestra.*"
      excludes:
        - "io.kestra.plugin.core.debug.Echo"
"""
ECHO = "io.kestra.plugin.core.debug.Echo"
OLD_ECHO = "io.kestra.core.tasks.debugs.Echo"
FLOW = f"""
id: echoes
namespace: tests.product
tasks:
  - {{id: echo, type: {OLD_ECHO}, format: hello}}
"""
REFUSED = [f"Invalid type: {OLD_ECHO}", f"Plugin '{OLD_ECHO}' is not allowed by 'kestra.plugins.security'."]


def configured(folder: Path, text: str = DOCUMENTED) -> Path:
    file = folder / "kestra.yml"
    file.write_text(text)
    return file


@pytest.fixture
def strict(tmp_path: Path):
    with server(tmp_path / "state", "-c", str(configured(tmp_path))) as running:
        yield running


def test_a_flow_is_refused_when_it_is_saved_and_when_it_is_validated(strict: Server):
    saved = strict.save(FLOW)
    assert saved.status_code == 422
    assert [text for text in REFUSED if text not in saved.text] == []
    headers = {"Content-Type": "application/x-yaml"}
    [verdict] = requests.post(f"{strict.api}/flows/validate", data=FLOW, headers=headers, timeout=30).json()
    assert [text for text in REFUSED if text not in verdict["constraints"]] == []


def test_lists_schemas_and_pages_do_not_have_it(strict: Server):
    plugins = f"{strict.url}/api/v1/plugins"
    for path in ("", "/groups/subgroups", "/schemas/flow", "/schemas/task"):
        found = requests.get(plugins + path, timeout=30).text
        assert "debug.Return" in found
        assert ECHO not in found
        assert OLD_ECHO not in found
    for name in (ECHO, OLD_ECHO):
        assert requests.get(f"{plugins}/{name}", timeout=30).status_code == 404


def test_a_flow_that_was_stored_before_the_rule_does_not_run(tmp_path: Path):
    with server(tmp_path / "state") as open_to_all:
        assert open_to_all.save(FLOW).ok
        assert (
            open_to_all.until_ended(open_to_all.start("tests.product", "echoes")["id"])["state"]["current"] == "SUCCESS"
        )
    with server(tmp_path / "state", "-c", str(configured(tmp_path))) as strict:
        started = requests.post(f"{strict.api}/executions/tests.product/echoes", timeout=60)
        assert started.status_code == 422
        assert REFUSED[0] in started.text
        repaired = FLOW.replace(f"type: {OLD_ECHO}, format", "type: io.kestra.plugin.core.log.Log, message")
        headers = {"Content-Type": "application/x-yaml"}
        saved = requests.put(f"{strict.api}/flows/tests.product/echoes", data=repaired, headers=headers, timeout=30)
        assert saved.ok, saved.text
        assert strict.until_ended(strict.start("tests.product", "echoes")["id"])["state"]["current"] == "SUCCESS"


def test_the_command_line_says_the_same(tmp_path: Path):
    flow, configuration = tmp_path / "flow.yaml", configured(tmp_path)
    flow.write_text(FLOW)
    assert casemate("flow", "validate", flow).returncode == 0
    for command in (("flow", "validate", flow), ("run", flow)):
        told = casemate(*command, "-c", configuration)
        assert told.returncode != 0
        assert [text for text in REFUSED if text not in told.stdout + told.stderr] == []
        assert "the administrator of this installation decides" in told.stdout + told.stderr
    assert casemate("schema", ECHO, "-c", configuration).returncode == 2
    assert "debug.Echo" not in casemate("schema", "-c", configuration).stdout


@pytest.mark.parametrize("name", ["includes", "excludes"])
@pytest.mark.parametrize("entry", ['"*.Echo"', '"io.kestra.(?!plugin.scripts).*"', '""', '"io.kestra.["'])
def test_an_entry_that_cannot_be_understood_stops_the_start(tmp_path: Path, name: str, entry: str):
    configuration = configured(tmp_path, f"kestra.plugins.security:\n  {name}: [io.kestra.fine, {entry}]\n")
    told = casemate("server", "local", "--port", "0", "--state", tmp_path / "state", "-c", configuration)
    assert told.returncode == 2
    assert "kestra.yml:2:" in told.stderr
    assert f"kestra.plugins.security.{name}: entry 1 is" in told.stderr
    assert "(Write a type's name, or an expression for whole names:" in told.stderr


def test_an_entry_that_means_no_type_is_told_at_the_start(tmp_path: Path):
    flow, configuration = (
        tmp_path / "flow.yaml",
        configured(tmp_path, "kestra.plugins.security.excludes: [io.kestra.Ecko]"),
    )
    flow.write_text(FLOW)
    told = casemate("flow", "validate", flow, "-c", configuration)
    assert "kestra.plugins.security.excludes[0]: no type here is named io.kestra.Ecko" in told.stderr


def test_the_environment_says_it_too(tmp_path: Path):
    flow = tmp_path / "flow.yaml"
    flow.write_text(FLOW)
    told = casemate("flow", "validate", flow, environment={"KESTRA_PLUGINS_SECURITY_EXCLUDES": rf".*\.Log,{ECHO}"})
    assert REFUSED[1] in told.stdout
