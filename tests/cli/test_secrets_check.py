"""`casemate secrets check`: what flows name and nobody has is said with its place; what cannot be known is said so."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from tests.running import server

from casemate.core import catalog
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.store import Database, flows

CANARY = "canary-of-the-check-7781"

FLOW = """\
id: nightly
namespace: company.team
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ secret('TOKEN') }} {{ secret('GONE') | upper }}"
  - id: more
    type: io.kestra.plugin.core.log.Log
    message: |
      nothing here
      {{ 'x' ~ secret(key='AWAY', namespace='company.other') }}
      {{ secret('CONFIG', subkey='user') ~ secret('CONFIG', subkey='password') }}
      {{ secret(inputs.name) }} {{ secret('TOKEN', namespace=flow.id) }} {{ secret('CONFIG', subkey=inputs.name) }}
  - id: later
    type: io.kestra.plugin.core.log.Log
    message: "{{ render('{{ secret(\\"INNER\\") }}') }}"
"""


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    file = tmp_path / "nightly.yaml"
    file.write_text(FLOW)
    return file


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", b64encode(CANARY.encode()).decode())
    monkeypatch.setenv("SECRET_CONFIG", b64encode(json.dumps({"user": CANARY}).encode()).decode())


@pytest.mark.usefixtures("_environment")
def test_what_is_missing_is_said_with_its_line_and_column(called, flow, tmp_path):
    said = called("secrets", "check", flow, "--state", tmp_path)
    assert said.status == 1
    assert said.out.splitlines() == [
        f"✘ - {flow}: 9 secrets",
        f"    {flow}:6:48: missing: Cannot find secret for key 'GONE'. Namespace company.team does not see it",
        f"    {flow}:11:28: missing: Cannot find secret for key 'AWAY'. Namespace company.other does not see it",
        f"    {flow}:12:52: missing: Cannot find secret sub-key 'password' in secret 'CONFIG'.",
        f"    {flow}:13:7: not judged: its name is worked out by a template",
        f"    {flow}:13:44: not judged: the namespace of 'TOKEN' is worked out by a template",
        f"    {flow}:13:85: not judged: which field of 'CONFIG' is worked out by a template; the secret is there",
        f"    {flow}:16:38: missing: Cannot find secret for key 'INNER'. Namespace company.team does not see it",
        "taken from variables SECRET_…: CONFIG, TOKEN",
        "1 flow, 9 secrets named: 2 found, 4 missing, 0 failed, 3 not judged",
    ]
    assert CANARY not in said.out + said.err


@pytest.mark.usefixtures("_environment")
def test_nothing_is_said_of_flows_that_have_all_they_name(called, tmp_path):
    (tmp_path / "a.yaml").write_text(
        "id: a\nnamespace: a\ntasks: [{id: t, type: x, message: \"{{ secret('token') }}\"}]"
    )
    (tmp_path / "b.yaml").write_text("id: b\nnamespace: b\ntasks: []\n")
    said = called("secrets", "check", tmp_path, "--state", tmp_path)
    assert said.status == 0
    assert said.out.splitlines()[0] == f"✓ - {tmp_path / 'a.yaml'}: 1 secret"
    assert said.out.splitlines()[-1] == "2 flows, 1 secret named: 1 found, 0 missing, 0 failed, 0 not judged"


def test_a_store_that_fails_is_not_said_to_miss_anything(called, flow, tmp_path):
    configuration = tmp_path / "conf.yml"
    configuration.write_text(
        "kestra: {retries: {attempts: 1}, secret: {type: vault, vault: "
        "{address: 'http://127.0.0.1:1', token: {token: x}}}}"
    )
    configuration.chmod(0o600)
    said = called("secrets", "check", flow, "--json", "--state", tmp_path, "-c", configuration)
    assert said.status == 2
    found = json.loads(said.out)
    assert found["counts"] == {"found": 0, "missing": 0, "failed": 7, "not judged": 2}
    assert all(one["reason"] for one in found["flows"][0]["secrets"])


@pytest.mark.parametrize(
    ("text", "why"),
    [("id: a\n", "has no namespace"), ("id: [\n", "✘"), ("- a\n", "has no namespace")],
)
def test_what_is_no_flow_is_said_and_not_passed_over(called, tmp_path, text, why):
    (tmp_path / "odd.yaml").write_text(text)
    said = called("secrets", "check", tmp_path / "odd.yaml", "--state", tmp_path)
    assert said.status == 2
    assert why in said.out


def test_a_path_without_anything_or_a_folder_without_a_database_is_refused(called, tmp_path):
    nothing = called("secrets", "check", tmp_path / "none.yaml", "--state", tmp_path)
    assert (nothing.status, "no such file" in nothing.err) == (2, True)
    nowhere = called("secrets", "check", "--state", tmp_path)
    assert (nowhere.status, "there is no database with flows here" in nowhere.err) == (2, True)


@pytest.mark.usefixtures("_environment")
def test_all_flows_of_an_instance_are_checked_and_its_start_says_which_variables_it_took(called, tmp_path):
    with server(tmp_path / "state") as running:
        assert running.save(FLOW).ok
        asked = called("secrets", "check", "--server", running.url)
        assert 'event=secret.variables_taken names="CONFIG, TOKEN"' in running.log.read_text()
    assert asked.status == 1
    assert asked.out.splitlines() == [
        "✘ - company.team / nightly: 9 secrets",
        "    line 6, column 48: missing: Cannot find secret for key 'GONE'. Namespace company.team does not see it",
        "    line 11, column 28: missing: Cannot find secret for key 'AWAY'. Namespace company.other does not see it",
        "    line 12, column 18: not judged: a server does not tell the fields of 'CONFIG'; the secret is there",
        "    line 12, column 52: not judged: a server does not tell the fields of 'CONFIG'; the secret is there",
        "    line 13, column 7: not judged: its name is worked out by a template",
        "    line 13, column 44: not judged: the namespace of 'TOKEN' is worked out by a template",
        "    line 13, column 85: not judged: a server does not tell the fields of 'CONFIG'; the secret is there",
        "    line 16, column 38: missing: Cannot find secret for key 'INNER'. Namespace company.team does not see it",
        "1 flow, 9 secrets named: 1 found, 3 missing, 0 failed, 5 not judged",
    ]
    said = called("secrets", "check", "--state", tmp_path / "state")
    assert said.status == 1
    assert said.out.startswith("✘ - company.team / nightly: 9 secrets\n    line 6, column 48: missing")
    found = [file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    assert found == []


@pytest.mark.usefixtures("_environment")
def test_what_another_namespace_lets_nobody_have_is_missing(called, tmp_path):
    text = "id: a\nnamespace: a\ntasks: [{id: t, message: \"{{ secret('TOKEN', namespace='closed') }}\"}]"
    (tmp_path / "a.yaml").write_text(text)
    with server(tmp_path / "state") as running:
        closed = {"id": "closed", "allowedNamespaces": [{"namespace": "friends"}]}
        assert requests.post(f"{running.api}/namespaces", json=closed, timeout=30).ok
        asked = called("secrets", "check", tmp_path / "a.yaml", "--server", running.url)
        assert (asked.status, "does not tell whom closed lets have 'TOKEN'" in asked.out) == (0, True)
    said = called("secrets", "check", tmp_path / "a.yaml", "--state", tmp_path / "state")
    assert (said.status, "missing: 'TOKEN' of closed: Namespace closed is not allowed." in said.out) == (1, True)


def test_an_instance_with_many_flows_is_checked_to_its_end(called, tmp_path):
    (tmp_path / "state").mkdir()
    database = Database.open(f"sqlite:///{tmp_path}/state/casemate.db")
    source = "id: f{0}\nnamespace: a\ntasks: [{{id: t, type: io.kestra.plugin.core.log.Log, message: {1}}}]\n"
    for number in range(60):
        flow = read_flow(source.format(number, f"\"{{{{ secret('S{number}') }}}}\""), catalog(), MAIN)
        assert isinstance(flow, Flow)
        database.transact_now(flows.save, flow, datetime.now(UTC))
    database.close()
    said = called("secrets", "check", "--state", tmp_path / "state")
    assert said.out.splitlines()[-1] == "60 flows, 60 secrets named: 0 found, 60 missing, 0 failed, 0 not judged"
